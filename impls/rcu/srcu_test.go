package rcu

import "testing"

// eachSRCU runs test over every sound flavour that has sections of SRCU.
func eachSRCU(t *testing.T, test func(t *testing.T, d *Domain)) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		if !d.HasSRCU() {
			t.Skip("has no sections of SRCU")
		}
		test(t, d)
	})
}

// If this fails, a watched reader of chain enters a section of SRCU, which it need not, or an idle
// one does not, so that no grace period waits for it.
func TestChainReaders(t *testing.T) {
	eachSRCU(t, func(t *testing.T, d *Domain) {
		always := d.flavour.srcu == srcuAlways
		r := d.Register()
		defer r.Unregister()
		check := func(when string, want bool) {
			t.Helper()
			before := r.counts
			r.Lock()
			if counted := r.counts != before; counted != want || r.Inline() == want {
				t.Errorf("%s: counted %v, inline %v; want %v, %v", when, counted, r.Inline(), want, !want)
			}
			r.Unlock()
			if r.counts.locks != r.counts.unlocks {
				t.Errorf("%s: outside, the counts are %+v", when, r.counts)
			}
		}
		check("watched", always)
		r.EnterIdle()
		check("idle", true)
		r.ExitIdle()
		check("watched again", always)
	})
}

// If this fails, a sum takes an exit from one section for an exit from another: of the other index,
// or of a Reader that has unregistered.
func TestG1Sums(t *testing.T) {
	eachSRCU(t, func(t *testing.T, d *Domain) {
		a, b := d.Register(), d.Register()
		expect := func(when string, empty0, empty1 bool) {
			t.Helper()
			if got0, got1 := d.empty(0), d.empty(1); got0 != empty0 || got1 != empty1 {
				t.Errorf("%s: the indices are empty: %v, %v, want %v, %v", when, got0, got1, empty0, empty1)
			}
		}
		expect("no reader inside", true, true)
		i := a.DownRead()
		expect("one reader inside", i != 0, i != 1)
		d.ctr.Add(gpUnit)
		j := b.DownRead()
		if i == j {
			t.Fatalf("the flip did not change the index: %d twice", i)
		}
		expect("one inside each", false, false)
		a.UpRead(j)
		expect("one section left by the other Reader", i != 0, i != 1)
		a.Unregister()
		expect("and its own Reader unregistered", i != 0, i != 1)
		b.UpRead(i)
		expect("both sections left", true, true)
		b.Unregister()
		expect("both Readers unregistered", true, true)
		if d.unregistered != (srcuCounts{locks: [2]uint64{1, 1}, unlocks: [2]uint64{1, 1}}) {
			t.Errorf("gone: %+v", d.unregistered)
		}
	})
}

// If this fails, a nested section is counted in under another index than the outermost one, and
// Unlock counts it out under the index of the outermost.
func TestG1NestedSectionKeepsItsIndex(t *testing.T) {
	eachSRCU(t, func(t *testing.T, d *Domain) {
		r := d.Register()
		r.EnterIdle() // a watched reader of chain enters no section of SRCU
		r.Lock()
		index := r.srcuIndex
		d.ctr.Add(gpUnit)
		r.Lock()
		if want := (srcuCounts{}); r.counts.locks[index] != 2 || r.counts.locks[1-index] != 0 || r.counts.unlocks != want.unlocks {
			t.Errorf("nested, after a flip: %+v, index %d", r.counts, index)
		}
		r.Unlock()
		r.Unlock()
		if r.counts.unlocks[index] != 2 || r.counts.unlocks[1-index] != 0 {
			t.Errorf("outside: %+v, index %d", r.counts, index)
		}
		r.Sections(5)
		if r.counts.locks[1-index] != 5 || r.counts.unlocks[1-index] != 5 {
			t.Errorf("after five sections under the other index: %+v", r.counts)
		}
		r.ExitIdle()
		r.Unregister()
	})
}
