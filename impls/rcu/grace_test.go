package rcu

import (
	"slices"
	"testing"
)

// If the steps of a grace period came in another order, or it did not look at every
// reader, the proof would have a hole that only rare timings show. So look at the
// steps themselves.
func TestG1OrderOfSteps(t *testing.T) {
	eachFlavor(t, func(t *testing.T, d *Domain) {
		if d.flavor.srcu == srcuAlways {
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
		inner := d.flavor
		d.flavor.barrier = func() {
			steps = append(steps, "U3")
			if d.ctr.Load() != before+gpUnit {
				t.Error("U3 before U2: the counter is not out yet")
			}
			if d.seq.Load() != seq+1 {
				t.Error("U3 before the grace period is marked as under way")
			}
			inner.barrier()
		}
		d.flavor.left = func(r *Reader, ctr uint64) bool {
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
