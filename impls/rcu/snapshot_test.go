package rcu

import (
	"math"
	"runtime"
	"slices"
	"testing"
)

// If this fails, the end of a grace period that is under way satisfies a snapshot, and CondSync
// returns while a reader that entered during it is still inside. The kernel's rule is
// snap = (s+7) &^ 3.
func TestG2SnapshotRule(t *testing.T) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		defer d.seq.Store(0)
		for _, row := range []struct {
			seq  uint64
			snap State
			why  string
		}{
			{0, 4, "idle: the end of the next counts"},
			{1, 8, "under way: its end does not count, the end of the next does"},
			{4, 8, "idle again"},
			{5, 12, "under way again"},
			{1 << 40, 1<<40 + 4, "idle after a year"},
			{1<<40 + 1, 1<<40 + 8, "under way after a year"},
			{math.MaxUint64 - 3, 0, "idle, the counter is about to wrap"},
			{math.MaxUint64 - 2, 4, "under way, about to wrap"},
		} {
			if kernel := State((row.seq + 7) &^ 3); kernel != row.snap {
				t.Fatalf("the table is wrong: seq %d: %d, kernel %d", row.seq, row.snap, kernel)
			}
			d.seq.Store(row.seq)
			s := d.GetState()
			if s != row.snap {
				t.Errorf("seq %d: snapshot %d, want %d (%s)", row.seq, s, row.snap, row.why)
			}
			if d.seq.Load() != row.seq {
				t.Errorf("seq %d: GetState changed the counter", row.seq)
			}
			// It is satisfied from exactly its value on.
			for _, after := range []struct {
				distance uint64
				done     bool
			}{{0, true}, {1, true}, {4, true}, {1 << 40, true}, {^uint64(0), false}, {^uint64(2), false}} {
				d.seq.Store(uint64(s) + after.distance)
				if got := d.Poll(s); got != after.done {
					t.Errorf("snapshot %d: Poll at %d: %v", s, uint64(s)+after.distance, got)
				}
			}
		}
	})
}

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
