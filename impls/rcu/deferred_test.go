package rcu

import (
	"runtime"
	"slices"
	"testing"
)

// If a callback ran at the end of a grace period that was under way when it was
// queued, it would free under a reader which that grace period did not look at.
func TestG3CallbackWaitsForWholeGracePeriod(t *testing.T) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		h := holdOpen(d)
		ran := false
		d.Call(func() { ran = true })
		h.end()
		if left := d.calls.runReady(d); left != 1 || ran {
			t.Fatalf("after the rest of a grace period: %d left, ran %v", left, ran)
		}
		d.Synchronize()
		if left := d.calls.runReady(d); left != 0 || !ran {
			t.Fatalf("after a whole grace period: %d left, ran %v", left, ran)
		}
	})
}

// If snapshots stood in the queue in another order than they were taken, Barrier,
// which asks the last one how long to wait, would return with callbacks unrun. Two
// Calls race for the queue: this one is made to lose it to a whole grace period.
func TestG3SnapshotsAreQueuedInOrder(t *testing.T) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		d.calls.mu.Lock()
		ran, called := false, make(chan struct{})
		go func() {
			d.Call(func() { ran = true })
			close(called)
		}()
		for range 100 {
			runtime.Gosched() // as far as the lock
		}
		d.Synchronize()
		d.calls.queue = append(d.calls.queue, callback{d.GetState(), func() {}})
		d.calls.mu.Unlock()
		<-called
		dues := make([]State, 0, 2)
		for _, cb := range d.calls.queue {
			dues = append(dues, cb.due)
		}
		if !slices.IsSorted(dues) {
			t.Errorf("snapshots are queued as %d", dues)
		}
		d.Barrier()
		if !ran {
			t.Error("Barrier returned before a callback queued before it ran")
		}
	})
}
