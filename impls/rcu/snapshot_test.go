package rcu

import (
	"math"
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
