package rcu

import (
	"runtime"
	"slices"
	"testing"
)

// If this fails, a snapshot in the queue may be older than the one before it. Barrier waits for the
// last one, and would return before all callbacks have run. In this test a Call waits for the
// queue's lock while a whole grace period passes.
func TestG3SnapshotsAreQueuedInOrder(t *testing.T) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		d.calls.mu.Lock()
		ran, called := false, make(chan struct{})
		go func() {
			d.Call(func() { ran = true })
			close(called)
		}()
		for range 100 {
			runtime.Gosched() // until the Call waits for the lock
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
