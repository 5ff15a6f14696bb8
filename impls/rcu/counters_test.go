package rcu

import (
	"bytes"
	"runtime"
	"sync"
	"testing"
)

// If this fails, callers that wait in line behind a grace period do not share the next one, and n
// updaters wait n times as long as one.
func TestG4QueuedCallersShareOneGracePeriod(t *testing.T) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		const callers = 8
		h := holdOpen(d)
		var group sync.WaitGroup
		for range callers {
			group.Go(d.Synchronize)
		}
		until(func() bool { return inLine() == callers || closed(h.Done) })
		if closed(h.Done) {
			t.Error("the grace period ended with a reader inside")
		}
		h.End()
		group.Wait()
		if got, want := d.Counters(), (Counters{Started: 2, Waited: 1 + callers}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	})
}

// inLine counts the goroutines that have taken their snapshot and wait for Domain.mu.
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
