package textpoke_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/textsite"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// A testSite is a site whose execution tells which instruction it was: see package textsite.
type testSite struct {
	*textpoke.Site
	run   func() uint64
	insns [5]textpoke.Insn // what it can be, by the indices below
}

// The indices of testSite.insns.
const (
	nop   = textsite.Nop
	callA = textsite.CallA
	callB = textsite.CallB
	jumpA = textsite.JumpA
	jumpB = textsite.JumpB
)

// results are what run returns, by the same indices.
var results = textsite.Results

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

// inOneWord reports whether the site lies in one aligned word.
func inOneWord(s *textpoke.Site) bool { return s.PC()%8+textpoke.Size <= 8 }

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
	judge.Need(tb, textpoke.Check(), "textpoke")
	all, err := textsite.All()
	judge.Check(tb, err)
	sites := make([]*testSite, len(all))
	for i, s := range all {
		sites[i] = &testSite{s.Site, s.Run, s.Insns}
	}
	return sites
}

// testSiteInWord returns one that lies in one aligned word.
func testSiteInWord(tb testing.TB) *testSite {
	tb.Helper()
	sites := testSites(tb)
	return sites[slices.IndexFunc(sites, func(s *testSite) bool { return inOneWord(s.Site) })]
}
