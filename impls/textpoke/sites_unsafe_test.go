//go:build linux && amd64

package textpoke

import (
	"fmt"
	"sync"
	"testing"
	"unsafe"
)

// A mappedSite is a little function around a site, made of bytes in memory from Map:
//
//	      XORL AX, AX
//	site: nop / call / jmp
//	      ADDL $0x10, AX
//	      RET
//
// so that its result tells what the site was: see results.
type mappedSite struct {
	*Site
	run func() uint64
}

// What running a mappedSite returns, by the instruction at its site.
const (
	ranNop   = 0x10
	ranCallA = 0x11
	ranCallB = 0x12
	ranJumpA = 0x01
	ranJumpB = 0x02
)

// mapped are one site at each offset into a cache line, and the two targets, made
// once: sites are for ever.
var mapped struct {
	once    sync.Once
	err     error
	sites   []mappedSite
	insns   []Insn // nop, and call and jmp of both targets
	results map[Insn]uint64
}

func mappedSites(tb testing.TB) []mappedSite {
	tb.Helper()
	mapped.once.Do(func() { mapped.err = makeMappedSites() })
	need(tb, mapped.err)
	return mapped.sites
}

func makeMappedSites() error {
	const lines, each = 64, 128
	if err := Check(); err != nil {
		return err
	}
	text, err := Map((lines + 3) * each)
	if err != nil {
		return err
	}
	base := textAddress(text)
	target := func(i int, result byte) uintptr {
		at := (lines + 1 + i) * each
		copy(text[at:], []byte{0xB8, result, 0, 0, 0, 0xC3}) // MOVL $result, AX; RET
		return base + uintptr(at)
	}
	a, b := target(0, 1), target(1, 2)
	mapped.insns = []Insn{Nop, Call(a), Call(b), Jump(a), Jump(b)}
	mapped.results = map[Insn]uint64{
		Nop: ranNop, Call(a): ranCallA, Call(b): ranCallB, Jump(a): ranJumpA, Jump(b): ranJumpB,
	}
	pcs := make([]uintptr, lines)
	for i := range pcs {
		at := i*each + 64 + i // the site's offset into its line is i
		nop := bytesOf(nopCode)
		copy(text[at-2:], []byte{0x31, 0xC0})
		copy(text[at:], nop[:Size])
		copy(text[at+Size:], []byte{0x83, 0xC0, 0x10, 0xC3})
		pcs[i] = base + uintptr(at)
	}
	sites, err := Register(pcs)
	if err != nil {
		return err
	}
	for i, s := range sites {
		if int(s.PC()%64) != i {
			return fmt.Errorf("site %d is at %#x", i, s.PC())
		}
		mapped.sites = append(mapped.sites, mappedSite{s, funcAt(s.PC() - 2)})
	}
	return nil
}

// funcAt forges a func value for the code at pc. The code is a leaf, so that no
// unwinder ever meets its frame.
func funcAt(pc uintptr) func() uint64 {
	object := &pc
	// SAFETY: a func value is a pointer to an object whose first word is the address
	// of the code; the object is on the heap and the func value keeps it there.
	return *(*func() uint64)(unsafe.Pointer(&object))
}

func textAddress(text []byte) uintptr {
	// SAFETY: text is a mapping of Map, which never moves.
	return uintptr(unsafe.Pointer(unsafe.SliceData(text)))
}
