package rcu

import (
	"slices"
	"sync/atomic"
	"testing"
)

// If this fails, the steps of a grace period come in another order than the protocol's, or it does
// not look at every reader. Other tests notice only in rare timings.
func TestG1OrderOfSteps(t *testing.T) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		if d.flavour.srcu == srcuAlways {
			t.Skip("looks at no reader's word: see TestG1OrderOfLegs")
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
			steps = append(steps, "barrier")
			if d.ctr.Load() != before+gpUnit {
				t.Error("the barrier comes before begin: the counter is unchanged")
			}
			if d.seq.Load() != seq+1 {
				t.Error("the barrier comes before the grace period is marked as under way")
			}
			inner.barrier()
		}
		d.flavour.left = func(r *Reader, ctr uint64) bool {
			steps = append(steps, "scan")
			asked = append(asked, r)
			if ctr != before+gpUnit {
				t.Errorf("the scan compares with %#x, begin stored %#x", ctr, before+gpUnit)
			}
			return true
		}
		d.Synchronize()
		if want := []string{"barrier", "scan", "scan", "scan"}; !slices.Equal(steps, want) {
			t.Errorf("steps %v, want %v", steps, want)
		}
		if !slices.Equal(asked, readers) {
			t.Errorf("looked at %v, want %v", asked, readers)
		}
	})
}

// If this fails, a grace period changes the counter before it is marked as under way. It does not
// wait for a reader that enters in between, but its end satisfies a snapshot that is taken in
// between. A replay of rcu-V9 stops there (build tag steps). This test looks from another thread,
// which may miss it in any one grace period.
func TestG2UnderWayBeforeBegin(t *testing.T) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		var over atomic.Bool
		done := make(chan struct{})
		go func() {
			defer close(done)
			for !over.Load() {
				flips := d.ctr.Load() / gpUnit
				marks := (d.seq.Load() + seqStateMask) / seqUnit // loaded later, so never less
				if marks < flips {
					t.Errorf("%d grace periods have changed the counter, and %d are marked", flips, marks)
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

// If this fails, the scan does not wait for a reader in a section from before the grace period, at
// some depth of nesting; or it waits for one that it need not wait for.
func TestG1LeftSection(t *testing.T) {
	const now = 5*gpUnit + 1 // the counter after begin
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
