package rcu

import (
	"slices"
	"sync/atomic"
	"testing"
)

// If the steps of a grace period came in another order, or it did not look at every
// reader, the proof would have a hole that only rare timings show. So look at the
// steps themselves.
func TestG1OrderOfSteps(t *testing.T) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		if d.flavour.srcu == srcuAlways {
			t.Skip("looks at no word: see TestG1OrderOfLegs")
		}
		var readers, asked []*Reader
		for range 3 {
			r := d.Register()
			defer r.Unregister()
			readers = append(readers, r)
		}
		before, seq := d.ctr.Load(), d.seq.Load()
		var steps []string
		inner := d.flavour
		d.flavour.barrier = func() {
			steps = append(steps, "U3")
			if d.ctr.Load() != before+gpUnit {
				t.Error("U3 before U2: the counter is not out yet")
			}
			if d.seq.Load() != seq+1 {
				t.Error("U3 before the grace period is marked as under way")
			}
			inner.barrier()
		}
		d.flavour.left = func(r *Reader, ctr uint64) bool {
			steps = append(steps, "U4")
			asked = append(asked, r)
			if ctr != before+gpUnit {
				t.Errorf("U4 compares with %#x, not with U2's %#x", ctr, before+gpUnit)
			}
			return true
		}
		d.Synchronize()
		if want := []string{"U3", "U4", "U4", "U4"}; !slices.Equal(steps, want) {
			t.Errorf("steps %v, want %v", steps, want)
		}
		if !slices.Equal(asked, readers) {
			t.Errorf("looked at %v, want %v", asked, readers)
		}
	})
}

// If this fails, a grace period flips the counter before it is marked as under way. A reader
// that enters in between is not waited for, and a snapshot taken in between is satisfied by
// this grace period's end. TestReplayV9 stops there (build tag steps); this looks from another
// thread, which may miss it in any one of the grace periods.
func TestG2UnderWayBeforeU2(t *testing.T) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		var over atomic.Bool
		done := make(chan struct{})
		go func() {
			defer close(done)
			for !over.Load() {
				flips := d.ctr.Load() / gpUnit
				marks := (d.seq.Load() + seqStateMask) / seqUnit // loaded later, so it may only be more
				if marks < flips {
					t.Errorf("%d grace periods have flipped the counter, and %d are marked", flips, marks)
					return
				}
			}
		}()
		d.flavour.barrier, d.flavour.wait, d.pace = func() {}, func(func() bool) {}, 0
		for range 50_000 {
			d.Synchronize()
		}
		over.Store(true)
		<-done
	})
}

// If this fails, U4 takes a reader for one that has left its section, however deep, or for one
// that it has to wait for.
func TestG1LeftSection(t *testing.T) {
	const now = 5*gpUnit + 1 // the counter after U2
	for _, nesting := range []uint64{0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x100, 0x101, 0x200, 0x8000, 0xFF00, 0xFFFF} {
		for began := uint64(0); began < 12; began++ {
			r := &Reader{word: began*gpUnit + nesting}
			want := nesting == 0 || began >= 5
			if got := leftSection(r, now); got != want {
				t.Errorf("word %#x, counter %#x: has left %v, want %v", r.word, uint64(now), got, want)
			}
		}
	}
}
