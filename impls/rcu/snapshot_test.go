package rcu

import (
	"math"
	"testing"
)

// If GetState took the end of the grace period under way for an answer, a CondSync
// would return while a reader that entered during it is still inside. The kernel's
// rule is snap = (s+7) &^ 3.
func TestG2SnapshotRule(t *testing.T) {
	eachFlavor(t, func(t *testing.T, d *Domain) {
		defer d.seq.Store(0)
		for _, row := range []struct {
			seq  uint64
			snap State
			why  string
		}{
			{0, 4, "idle: the end of the next"},
			{1, 8, "under way: its end does not count, the next one's does"},
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
			// It is satisfied at its very value and ever after, never before.
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

// If a state taken while a grace period is under way were satisfied by its end,
// that grace period's look at the readers may have come too early for it; and if a
// state taken before were not, CondSync would never elide anything.
func TestG2StateTakenDuringGracePeriod(t *testing.T) {
	eachFlavor(t, func(t *testing.T, d *Domain) {
		idle := d.GetState()
		if d.Poll(idle) {
			t.Error("a state polls true with no grace period since")
		}
		h := holdOpen(d)
		during := d.GetState()
		if d.Poll(idle) {
			t.Error("the state from before polls true with a reader still inside")
		}
		h.end()
		if !d.Poll(idle) {
			t.Error("the state from before is not satisfied by a whole grace period")
		}
		if d.Poll(during) {
			t.Error("the state from during is satisfied by the rest of a grace period")
		}
		before := d.Counters()
		d.CondSync(idle)
		if got := d.Counters(); got.Elided != before.Elided+1 || got.Started != before.Started {
			t.Errorf("CondSync of a satisfied state: %+v after %+v", got, before)
		}
		d.CondSync(during)
		if got := d.Counters(); got.Waited != before.Waited+1 || got.Started != before.Started+1 {
			t.Errorf("CondSync of an unsatisfied state: %+v after %+v", got, before)
		}
		if !d.Poll(during) {
			t.Error("the state from during is not satisfied by the next grace period")
		}
	})
}

// If CondSync could return on a state that is not satisfied, it would not be a
// Synchronize.
func TestG2CondSyncWaitsForReader(t *testing.T) {
	eachFlavor(t, func(t *testing.T, d *Domain) {
		r := d.Register()
		r.Lock()
		s, before := d.GetState(), d.ctr.Load()
		returned := make(chan struct{})
		go func() {
			d.CondSync(s)
			close(returned)
		}()
		until(func() bool { return d.ctr.Load() != before }) // U2 is out
		if d.Poll(s) {
			t.Error("satisfied with the reader inside")
		}
		select {
		case <-returned:
			t.Error("CondSync returned with the reader inside")
		default:
		}
		leave(r)
		<-returned
		if !d.Poll(s) {
			t.Error("CondSync returned and the state is not satisfied")
		}
		r.Unregister()
	})
}
