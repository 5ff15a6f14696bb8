package textpoke

import (
	"encoding/binary"
	"encoding/hex"
	"testing"
	"testing/quick"

	"golang.org/x/arch/x86/x86asm"
)

// If this fails, patched calls go to other targets than they should. x86asm is an independent
// decoder; its Rel counts from the end of the instruction.
func TestEncodeRows(t *testing.T) {
	const pc = 0x401000
	for _, row := range []struct {
		insn Insn
		hex  string
		text string
	}{
		{Nop, "0f1f44005a", "nopl 0x5a(%rax,%rax)"},
		{Call(pc + 5), "e800000000", "callq .+0x0"},
		{Call(pc), "e8fbffffff", "callq .-0x5"},
		{Call(0x402000), "e8fb0f0000", "callq .+0xffb"},
		{Call(pc + 5 + 0x7fffffff), "e8ffffff7f", "callq .+0x7fffffff"},
		{Jump(pc + 5), "e900000000", "jmpq .+0x0"},
		{Jump(0x400000), "e9fbefffff", "jmpq .-0x1005"},
		{Jump(pc + 5 + 0x12345678), "e978563412", "jmpq .+0x12345678"},
	} {
		c, ok := encode(pc, row.insn)
		if !ok {
			t.Errorf("%v: out of reach", row.insn)
			continue
		}
		bytes := bytesOf(c)
		if got := hex.EncodeToString(bytes[:Size]); got != row.hex {
			t.Errorf("%v: %s, want %s", row.insn, got, row.hex)
		}
		if c>>(8*Size) != 0 {
			t.Errorf("%v: more than %d bytes: %#x", row.insn, Size, uint64(c))
		}
		x, err := x86asm.Decode(bytes[:Size], 64)
		if err != nil {
			t.Errorf("%v: x86asm: %v", row.insn, err)
			continue
		}
		if x.Len != Size {
			t.Errorf("%v: x86asm sees %d bytes", row.insn, x.Len)
		}
		if got := x86asm.GNUSyntax(x, 0, nil); got != row.text {
			t.Errorf("%v: x86asm says %q, want %q", row.insn, got, row.text)
		}
		if rel, isRel := x.Args[0].(x86asm.Rel); isRel {
			if got := uintptr(int64(pc+x.Len) + int64(rel)); got != row.insn.Target() {
				t.Errorf("%v: x86asm sees the target %#x", row.insn, got)
			}
		}
		if back, ok := decode(pc, c); !ok || back != row.insn {
			t.Errorf("%v: decoded as %v, %v", row.insn, back, ok)
		}
	}
}

// If this fails, decode is not the inverse of encode, and Register puts another instruction into the
// table than the site executes.
func TestDecodeInvertsEncode(t *testing.T) {
	inverse := func(pc uint32, rel int32, jump bool) bool {
		at := uintptr(pc) + 1<<40
		to := Call(at + uintptr(rel))
		if jump {
			to = Jump(at + uintptr(rel))
		}
		c, ok := encode(at, to)
		if !ok { // only the last five displacements
			return int64(rel)-Size < -1<<31
		}
		back, known := decode(at, c)
		return known && back == to && back.Target() == at+uintptr(rel)
	}
	if err := quick.Check(inverse, &quick.Config{MaxCount: 10000}); err != nil {
		t.Error(err)
	}
}

// If this fails, the distance to a far target is truncated, and the call goes to another address.
func TestEncodeOutOfReach(t *testing.T) {
	const pc = 1 << 40
	for _, row := range []struct {
		target uintptr
		ok     bool
	}{
		{pc + Size + 1<<31 - 1, true},
		{pc + Size + 1<<31, false},
		{pc + Size - 1<<31, true},
		{pc + Size - 1<<31 - 1, false},
		{1 << 46, false},
		{0, false},
	} {
		for _, insn := range []Insn{Call(row.target), Jump(row.target)} {
			if _, ok := encode(pc, insn); ok != row.ok {
				t.Errorf("%v at %#x: in reach: %v", insn, pc, ok)
			}
		}
	}
}

// If this fails, Register accepts bytes that are no site, and patching destroys code.
func TestDecodeOtherBytes(t *testing.T) {
	for _, bytes := range []string{
		"0f1f440000", // the usual NOP5, which compilers emit
		"0f1f44005b",
		"cc1f44005a", // a site with an int3 over it
		"9090909090",
		"eb00000000",
		"ff15000000",
	} {
		raw, err := hex.DecodeString(bytes + "000000")
		if err != nil {
			t.Fatal(err)
		}
		if insn, ok := decode(0x401000, code(binary.LittleEndian.Uint64(raw))); ok {
			t.Errorf("%s is taken for %v", bytes, insn)
		}
	}
}

// If this fails, messages name another instruction.
func TestInsnString(t *testing.T) {
	for insn, want := range map[Insn]string{Nop: "nop", Call(0x1234): "call 0x1234", Jump(0xabcd): "jmp 0xabcd"} {
		if got := insn.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func bytesOf(c code) (b [8]byte) {
	binary.LittleEndian.PutUint64(b[:], uint64(c))
	return b
}
