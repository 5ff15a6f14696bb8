package dispatchtest

import (
	"encoding/binary"
	"testing"
	"unsafe"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// A call is one call of a probe, as the probe saw it.
type call struct {
	probe int
	a, b  uint64
}

// A recorder is what the probe record has as its data.
type recorder struct {
	id  int
	log *[]call
	do  func() // what else the probe does; nil for nothing
}

// record notes how it was called, then does what its data says.
func record(data unsafe.Pointer, a, b uint64) {
	// SAFETY: the kit arms record with recorders only.
	r := (*recorder)(data)
	*r.log = append(*r.log, call{r.id, a, b})
	if r.do != nil {
		r.do()
	}
}

// recorders returns n entries of record with ids from 0 and a terminator, and the
// log that they share.
func recorders(tb testing.TB, n int, do func()) ([]dispatch.Entry, *[]call) {
	tb.Helper()
	fn, err := dispatch.GoFunc(record)
	judge.Check(tb, err)
	log := new([]call)
	funcs := make([]dispatch.Entry, n+1)
	for i := range n {
		funcs[i] = dispatch.Entry{Fn: uintptr(fn), Data: unsafe.Pointer(&recorder{id: i, log: log, do: do})}
	}
	return funcs, log
}

// grow needs more stack than any goroutine starts with, at every call anew.
//
//go:noinline
func grow(depth int) int {
	var frame [256]int
	if depth == 0 {
		return 0
	}
	frame[depth%len(frame)] = depth
	return grow(depth-1) + frame[depth%len(frame)] - depth
}

// nesting is how many read sections r is in.
func nesting(r *rcu.Reader) int {
	// SAFETY: WordOffset is rcu's contract; the caller is on r's goroutine.
	return int(*(*uint64)(unsafe.Add(unsafe.Pointer(r), rcu.WordOffset)) & 0xffff)
}

// unpublishers holds what unpublisher has made, by iterator: mapped code is for ever.
var unpublishers = map[uintptr]uintptr{}

// unpublisher returns code that a static call may go to. It stores NULL to tp->funcs,
// which a site leaves in DI, and goes on to the iterator as if that had been
// called: the updater of D4 between the site's look at tp->funcs and the iterator's.
//
//	MOVQ $0, (DI)
//	JMP  iterator
func unpublisher(tb testing.TB, iterator uintptr) uintptr {
	tb.Helper()
	if pc := unpublishers[iterator]; pc != 0 {
		return pc
	}
	code, err := textpoke.Map(12)
	judge.Check(tb, err)
	// SAFETY: the mapping never moves and never goes away.
	pc := uintptr(unsafe.Pointer(unsafe.SliceData(code)))
	copy(code, []byte{0x48, 0xC7, 0x07, 0, 0, 0, 0, 0xE9})
	binary.LittleEndian.PutUint32(code[8:], uint32(iterator-(pc+12)))
	unpublishers[iterator] = pc
	return pc
}
