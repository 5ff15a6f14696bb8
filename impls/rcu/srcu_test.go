package rcu

import (
	"slices"
	"testing"
)

// eachSRCU runs test over every sound flavour that has sections of SRCU.
func eachSRCU(t *testing.T, test func(t *testing.T, d *Domain)) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		if !d.HasSRCU() {
			t.Skip("has no sections of SRCU")
		}
		test(t, d)
	})
}

// If this fails, the first of the two sums is missing. A reader takes the index, stops for a whole
// grace period, and counts itself in under an index that the next flip does not sum up.
func TestG1IndexTakenBeforeFlip(t *testing.T) {
	eachSRCU(t, func(t *testing.T, d *Domain) {
		for range 3 {
			r := d.Register()
			index := indexOf(d.ctr.Load()) // copy
			d.Synchronize()
			srcuLock(&r.counts.locks[index]) // enter
			done := make(chan struct{})
			ctr := d.ctr.Load()
			scans := d.scans.Load()
			go func() {
				d.Synchronize()
				close(done)
			}()
			until(func() bool { return d.scans.Load() > scans+3 || closed(done) })
			if closed(done) || d.ctr.Load() != ctr {
				t.Error("the index was flipped with a reader still counted under the other")
			}
			srcuUnlock(&r.counts.unlocks[index])
			<-done
			r.Unregister()
		}
	})
}

// If this fails, a grace period does not sum up once before the flip and once after it, or chain's
// wait for readers' words is missing or comes before the sums. Other tests notice only in rare
// timings.
func TestG1OrderOfLegs(t *testing.T) {
	eachSRCU(t, func(t *testing.T, d *Domain) {
		idle, watched := d.Register(), d.Register()
		idle.EnterIdle()
		var steps []string
		before := d.ctr.Load()
		inner := d.flavour
		d.flavour.wait = func(done func() bool) {
			when, scans := "before begin: ", d.scans.Load()
			if d.ctr.Load() != before {
				when = "after begin: "
			}
			inner.wait(done)
			if d.scans.Load() != scans {
				steps = append(steps, when+"a sum")
			} else {
				steps = append(steps, when+"a word")
			}
		}
		d.flavour.barrier = func() { steps = append(steps, "barrier") }
		legs := d.Work().Legs
		d.Synchronize()
		want := []string{"before begin: a sum", "after begin: a sum"}
		if d.flavour.srcu == srcuIdle {
			want = append(want, "barrier", "after begin: a word", "after begin: a word")
			legs++
		}
		if !slices.Equal(steps, want) {
			t.Errorf("%q, want %q", steps, want)
		}
		if got := d.Work().Legs; got != legs+1 {
			t.Errorf("%d legs counted, want %d", got, legs+1)
		}
		idle.ExitIdle()
		idle.Unregister()
		watched.Unregister()
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

// If this fails, a grace period sums up more or less than twice with no reader inside, or a flavour
// without sections of SRCU sums up.
func TestG4Scans(t *testing.T) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		want := uint64(0)
		if d.HasSRCU() {
			want = 2
		}
		for range 3 {
			before := d.Work().Scans
			d.Synchronize()
			if got := d.Work().Scans - before; got != want {
				t.Errorf("%d sums for a grace period, want %d", got, want)
			}
		}
	})
}

// If this fails, a reader can enter a section of SRCU that no grace period of the flavour waits
// for.
func TestDownReadNeedsSRCU(t *testing.T) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		if d.HasSRCU() {
			t.Skip("has sections of SRCU")
		}
		panics(t, d, map[string]func(r *Reader){
			"DownRead": func(r *Reader) { r.DownRead() },
			"UpRead":   func(r *Reader) { r.UpRead(0) },
		})
	})
}
