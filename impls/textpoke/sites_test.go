package textpoke_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sync"
	"testing"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// A testSite is a site inside a small function, which is made of bytes in mapped memory. The
// result of the function tells which instruction it executed:
//
//	      XORL AX, AX
//	site: nop / call or jmp to one of its two targets
//	      ADDL $16, AX
//	      RET
//	A:    MOVL $1, AX
//	      RET
//	B:    MOVL $2, AX
//	      RET
//
// A thread that executes the head (first byte) of one instruction with the tail (the other four)
// of another dies: the head of a NOP before the tail of a CALL or JMP is 0F 0B, UD2; the head of
// a CALL or JMP before the tail of a NOP goes 1.5 GB away, where nothing is mapped.
type testSite struct {
	*textpoke.Site
	run   func() uint64
	insns [5]textpoke.Insn // what it can be, by the indices below
}

// The indices of testSite.insns.
const (
	nop = iota
	callA
	callB
	jumpA
	jumpB
)

// results are what run returns, by the same indices.
var results = [5]uint64{nop: 0x10, callA: 0x11, callB: 0x12, jumpA: 0x01, jumpB: 0x02}

// to is the change of the site to the instruction of that index.
func (s *testSite) to(index int) textpoke.Change {
	return textpoke.Change{Site: s.Site, To: s.insns[index]}
}

// patch changes the site alone.
func (s *testSite) patch(tb testing.TB, patch textpoke.Patcher, index int) {
	tb.Helper()
	judge.Check(tb, patch([]textpoke.Change{s.to(index)}))
}

// result is what run returns while the site is insn, one of insns.
func (s *testSite) result(insn textpoke.Insn) uint64 {
	return results[slices.Index(s.insns[:], insn)]
}

// The code before the site and after it, and a NOP; and a one-byte trap.
var (
	prologue = []byte{0x31, 0xC0}
	epilogue = []byte{0x83, 0xC0, 0x10, 0xC3}
	nopCode  = []byte{0x0F, 0x1F, 0x44, 0x00, 0x5A}
)

const opInt3 = 0xCC

// code is what the site's five bytes are while it is insn, one of insns.
func (s *testSite) code(insn textpoke.Insn) []byte {
	if insn == textpoke.Nop {
		return nopCode
	}
	opcode := byte(0xE8)
	if slices.Index(s.insns[:], insn) >= jumpA {
		opcode = 0xE9
	}
	return binary.LittleEndian.AppendUint32([]byte{opcode}, uint32(insn.Target()-(s.PC()+textpoke.Size)))
}

// inWord reports whether the site lies in one aligned word.
func (s *testSite) inWord() bool { return s.PC()%8+textpoke.Size <= 8 }

// is checks that the site is insn: in the table of sites, in the text, and when it is executed.
func (s *testSite) is(tb testing.TB, insn textpoke.Insn) {
	tb.Helper()
	offset := s.PC() % 64
	if got := s.Insn(); got != insn {
		tb.Errorf("offset %d: the table has %v, want %v", offset, got, insn)
	}
	text := textpoke.Text(s.PC()-uintptr(len(prologue)), len(prologue)+textpoke.Size+len(epilogue))
	if want := slices.Concat(prologue, s.code(insn), epilogue); !bytes.Equal(text, want) {
		tb.Errorf("offset %d: the text is % x, want % x (%v)", offset, text, want, insn)
		return // it is not safe to execute
	}
	if got, want := s.run(), s.result(insn); got != want {
		tb.Errorf("offset %d: executed as %#x, want %#x (%v)", offset, got, want, insn)
	}
}

// testSites returns 64 sites, the i-th at offset i into a cache line. They are made once, since
// sites are permanent.
func testSites(tb testing.TB) []*testSite {
	tb.Helper()
	sites, err := made()
	judge.Need(tb, err, "textpoke")
	return sites
}

// testSiteInWord returns one that lies in one aligned word.
func testSiteInWord(tb testing.TB) *testSite {
	tb.Helper()
	sites := testSites(tb)
	return sites[slices.IndexFunc(sites, (*testSite).inWord)]
}

var made = sync.OnceValues(func() ([]*testSite, error) {
	const lines, room, line = 64, 1024, 64
	if err := textpoke.Check(); err != nil {
		return nil, err
	}
	text, err := textpoke.Map(lines * room)
	if err != nil {
		return nil, err
	}
	base := addressOf(text)
	sites := make([]*testSite, lines)
	pcs := make([]uintptr, lines)
	for i := range sites {
		at := i*room + line + i
		a := at + textpoke.Size + 0x010B // the low byte of each displacement is the second one of UD2
		b := a + 0x0100
		copy(text[at-len(prologue):], slices.Concat(prologue, nopCode, epilogue))
		copy(text[a:], []byte{0xB8, 1, 0, 0, 0, 0xC3})
		copy(text[b:], []byte{0xB8, 2, 0, 0, 0, 0xC3})
		pcs[i] = base + uintptr(at)
		toA, toB := base+uintptr(a), base+uintptr(b)
		sites[i] = &testSite{
			run:   funcAt(pcs[i] - uintptr(len(prologue))),
			insns: [5]textpoke.Insn{textpoke.Nop, textpoke.Call(toA), textpoke.Call(toB), textpoke.Jump(toA), textpoke.Jump(toB)},
		}
	}
	registered, err := textpoke.Register(pcs)
	if err != nil {
		return nil, err
	}
	for i, s := range registered {
		sites[i].Site = s
	}
	return sites, nil
})
