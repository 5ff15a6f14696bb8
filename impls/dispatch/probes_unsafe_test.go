package dispatch

import (
	"testing"
	"unsafe"

	"github.com/tpbench/tpbench/impls/rcu"
)

// A Call is one call of a probe: its index, and the site's arguments.
type Call struct {
	Probe int
	A, B  uint64
}

// A recorder is the data of the probe function record.
type recorder struct {
	id  int
	log *[]Call
	do  func() // what else the probe does; nil for nothing
}

// record notes how it was called, and then does what its data says.
func record(data unsafe.Pointer, a, b uint64) {
	// SAFETY: the tests arm record with recorders only.
	r := (*recorder)(data)
	*r.log = append(*r.log, Call{r.id, a, b})
	if r.do != nil {
		r.do()
	}
}

// A tally is the data of the probe tallyProbe. It counts the calls of one event.
type tally struct {
	event        uint64 // the expected argument a
	calls, alien uint64 // all calls; those with another a
}

func tallyProbe(data unsafe.Pointer, a, _ uint64) {
	// SAFETY: the tests arm tallyProbe with tallies only.
	t := (*tally)(data)
	t.calls++
	if a != t.event {
		t.alien++
	}
}

func goFunc(tb testing.TB, f func(unsafe.Pointer, uint64, uint64)) Func {
	tb.Helper()
	fn, err := GoFunc(f)
	if err != nil {
		tb.Fatal(err)
	}
	return fn
}

// recorders returns n entries of record with ids from 0 and a zero entry, and the log that
// they share.
func recorders(tb testing.TB, n int, do func()) ([]Entry, *[]Call) {
	tb.Helper()
	fn := uintptr(goFunc(tb, record))
	log := new([]Call)
	funcs := make([]Entry, n+1)
	for i := range n {
		funcs[i] = Entry{Fn: fn, Data: unsafe.Pointer(&recorder{id: i, log: log, do: do})}
	}
	return funcs, log
}

func tallyEntries(fn Func, t *tally) []Entry {
	return []Entry{{Fn: uintptr(fn), Data: unsafe.Pointer(t)}, {}}
}

func countEntries(n *uint64) []Entry {
	return []Entry{{Fn: uintptr(Count()), Data: unsafe.Pointer(n)}, {}}
}

// nesting returns how many read sections r is in.
func nesting(r *rcu.Reader) int {
	// SAFETY: WordOffset is rcu's contract; the caller is on r's goroutine.
	return int(*(*uint64)(unsafe.Add(unsafe.Pointer(r), rcu.WordOffset)) & 0xffff)
}
