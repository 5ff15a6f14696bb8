package rcu

import (
	"bytes"
	"runtime"
	"sync"
	"testing"
)

// If a counter missed a call or counted it twice, the benchmarks' grace periods per
// transition, which are the project's result, would be wrong.
func TestG4CountersAreExact(t *testing.T) {
	nothing := func() {}
	for _, row := range []struct {
		name string
		do   func(d *Domain)
		want Counters
	}{
		{"nothing", func(d *Domain) {}, Counters{}},
		{"synchronize", func(d *Domain) {
			d.Synchronize()
			d.Synchronize()
		}, Counters{Started: 2, Waited: 2}},
		{"a snapshot costs nothing", func(d *Domain) {
			d.Poll(d.GetState())
		}, Counters{}},
		{"cond-sync at once", func(d *Domain) {
			d.CondSync(d.GetState())
		}, Counters{Started: 1, Waited: 1}},
		{"cond-sync after a grace period", func(d *Domain) {
			s := d.GetState()
			d.Synchronize()
			d.CondSync(s)
			d.CondSync(s)
		}, Counters{Started: 1, Waited: 1, Elided: 2}},
		{"two states, one grace period", func(d *Domain) {
			s1, s2 := d.GetState(), d.GetState()
			d.CondSync(s1)
			d.CondSync(s2)
		}, Counters{Started: 1, Waited: 1, Elided: 1}},
		{"call and barrier", func(d *Domain) {
			d.Call(nothing)
			d.Barrier()
		}, Counters{Started: 1, Callbacks: 1}},
		{"calls share a barrier's grace period", func(d *Domain) {
			d.Call(nothing)
			d.Call(nothing)
			d.Call(nothing)
			d.Barrier()
		}, Counters{Started: 1, Callbacks: 3}},
		{"a call rides on a synchronize", func(d *Domain) {
			d.Call(nothing)
			d.Synchronize()
			d.Barrier()
		}, Counters{Started: 1, Waited: 1, Callbacks: 1}},
		{"a call does not ride on one before it", func(d *Domain) {
			d.Synchronize()
			d.Call(nothing)
			d.Barrier()
		}, Counters{Started: 2, Waited: 1, Callbacks: 1}},
		{"a barrier's grace period satisfies a state", func(d *Domain) {
			d.Call(nothing)
			s := d.GetState()
			d.Barrier()
			d.CondSync(s)
		}, Counters{Started: 1, Elided: 1, Callbacks: 1}},
		{"an empty barrier", func(d *Domain) {
			d.Barrier()
			d.Barrier()
		}, Counters{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			eachFlavor(t, func(t *testing.T, d *Domain) {
				row.do(d)
				if got := d.Counters(); got != row.want {
					t.Errorf("%+v, want %+v", got, row.want)
				}
			})
		})
	}
}

// If callers that queue behind a grace period each ran one of their own, n updaters
// would wait n times as long as one; that they share is what a batch is compared
// with.
func TestG4QueuedCallersShareOneGracePeriod(t *testing.T) {
	eachFlavor(t, func(t *testing.T, d *Domain) {
		const callers = 8
		h := holdOpen(d)
		var group sync.WaitGroup
		for range callers {
			group.Go(d.Synchronize)
		}
		until(func() bool {
			select {
			case <-h.done:
				t.Error("the grace period ended with a reader inside")
				return true
			default:
				return inLine() == callers
			}
		})
		h.end()
		group.Wait()
		if got, want := d.Counters(), (Counters{Started: 2, Waited: 1 + callers}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	})
}

// inLine counts the goroutines that have their snapshot and stand at Domain.mu.
func inLine() (n int) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range bytes.SplitSeq(stacks, []byte("\n\n")) {
		state, _, _ := bytes.Cut(stack, []byte("\n"))
		if bytes.Contains(state, []byte("[sync.Mutex.Lock")) && bytes.Contains(stack, []byte("(*Domain).gracePeriod(")) {
			n++
		}
	}
	return n
}
