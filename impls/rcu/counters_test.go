package rcu

import (
	"bytes"
	"runtime"
	"sync"
	"testing"
)

// If callers that queue behind a grace period each ran one of their own, n updaters
// would wait n times as long as one; that they share is what a batch is compared
// with.
func TestG4QueuedCallersShareOneGracePeriod(t *testing.T) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
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
