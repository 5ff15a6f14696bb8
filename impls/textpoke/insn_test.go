package textpoke

import (
	"encoding/binary"
	"encoding/hex"
	"testing"

	"golang.org/x/arch/x86/x86asm"

	"github.com/tpbench/tpbench/impls/internal/judge"
)

// If this fails, patched calls go to other targets than they should: their displacement is wrong, or
// it is truncated. Or decode is not the inverse of encode, and Register puts another instruction into
// the table than the site executes. x86asm is an independent decoder; its Rel counts from the end of
// the instruction.
func TestEncode(t *testing.T) {
	const pc = 1<<40 + 1
	distances := []int64{0, -Size, 0xffb, 1<<31 - 1, 1 << 31, -1 << 31, -1<<31 - 1, 1<<32 + 1, 1 << 45, -pc - Size}
	rnd := judge.Rand(t)
	for range 10000 {
		distances = append(distances, int64(int32(rnd.Uint32())))
	}
	for _, distance := range distances {
		target := uintptr(pc + Size + distance)
		for op, insn := range map[x86asm.Op]Insn{x86asm.CALL: Call(target), x86asm.JMP: Jump(target)} {
			c, ok := encode(pc, insn)
			if want := distance == int64(int32(distance)); ok != want {
				t.Errorf("%v at %#x: in reach: %v", insn, pc, ok)
			}
			if !ok {
				continue
			}
			bytes := bytesOf(c)
			x, err := x86asm.Decode(bytes[:Size], 64)
			if err != nil || x.Len != Size || x.Op != op || x.Args[0] != x86asm.Rel(distance) || c>>(8*Size) != 0 {
				t.Errorf("%v at %#x: the bytes % x are, to x86asm, %v, %v", insn, pc, bytes, x, err)
			}
			if back, ok := decode(pc, c); !ok || back != insn || back.Target() != target {
				t.Errorf("%v at %#x: decoded as %v, %v", insn, pc, back, ok)
			}
		}
	}
}

// If this fails, a site that executes as a NOP is another instruction, or decode does not know it.
func TestEncodeNop(t *testing.T) {
	c, ok := encode(0x401000, Nop)
	bytes := bytesOf(c)
	if got := hex.EncodeToString(bytes[:]); !ok || got != "0f1f44005a000000" {
		t.Errorf("%s, %v", got, ok)
	}
	x, err := x86asm.Decode(bytes[:Size], 64)
	if got := x86asm.GNUSyntax(x, 0, nil); err != nil || x.Len != Size || got != "nopl 0x5a(%rax,%rax)" {
		t.Errorf("x86asm sees %d bytes, %q, %v", x.Len, got, err)
	}
	if back, ok := decode(0x401000, c); !ok || back != Nop {
		t.Errorf("decoded as %v, %v", back, ok)
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
