package rcu

import (
	"slices"
	"testing"
)

// eachSRCU is eachFlavour for those that have sections of SRCU.
func eachSRCU(t *testing.T, test func(t *testing.T, d *Domain)) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		if !d.HasSRCU() {
			t.Skip("has no sections of SRCU")
		}
		test(t, d)
	})
}

// If this fails, a section that one Reader enters and another leaves is not waited for, or
// is waited for for ever. The Reader that entered may have gone.
func TestG1DownReadUpRead(t *testing.T) {
	eachSRCU(t, func(t *testing.T, d *Domain) {
		for range 3 { // both indices
			a, b := d.Register(), d.Register()
			index := a.DownRead()
			a.Unregister()
			waitsFor(t, d, func() { b.UpRead(index) })
			b.Unregister()
			d.Synchronize() // nothing is left of it
		}
	})
}

// If this fails, the first of the two sums is missing. A reader takes the index, is held up
// for a whole grace period, and counts itself in where no flip looks any more.
func TestG1IndexTakenBeforeFlip(t *testing.T) {
	eachSRCU(t, func(t *testing.T, d *Domain) {
		for range 3 {
			r := d.Register()
			index := indexOf(d.ctr.Load()) // L1
			d.Synchronize()
			srcuLock(&r.counts.locks[index]) // L2
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

func closed(done chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// If the sums came in another order around the flip, or chain's second leg before its
// first, or not at all, readers would be overlooked that only rare timings show.
func TestG1OrderOfLegs(t *testing.T) {
	eachSRCU(t, func(t *testing.T, d *Domain) {
		idle, watched := d.Register(), d.Register()
		idle.EnterIdle()
		var steps []string
		before := d.ctr.Load()
		inner := d.flavour
		d.flavour.wait = func(done func() bool) {
			step, scans := "before U2: ", d.scans.Load()
			if d.ctr.Load() != before {
				step = "after U2: "
			}
			inner.wait(done)
			if d.scans.Load() != scans {
				steps = append(steps, step+"a sum")
			} else {
				steps = append(steps, step+"a word")
			}
		}
		d.flavour.barrier = func() { steps = append(steps, "U3") }
		legs := d.Work().Legs
		d.Synchronize()
		want := []string{"before U2: a sum", "after U2: a sum"}
		if d.flavour.srcu == srcuIdle {
			want = append(want, "U3", "after U2: a word", "after U2: a word")
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

// If this fails, chain waits by SRCU for who pays nothing for it, or takes a section that
// RCU does not watch for one that it does.
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
				t.Errorf("%s: left, and counted %+v", when, r.counts)
			}
		}
		check("watched", always)
		r.EnterIdle()
		check("idle", true)
		r.ExitIdle()
		check("watched again", always)
	})
}

// If this fails, a sum takes who has left one section for who has left another: a nested
// section, one under the other index, one of a reader that has gone.
func TestG1Sums(t *testing.T) {
	eachSRCU(t, func(t *testing.T, d *Domain) {
		a, b := d.Register(), d.Register()
		expect := func(when string, empty0, empty1 bool) {
			t.Helper()
			if got0, got1 := d.empty(0), d.empty(1); got0 != empty0 || got1 != empty1 {
				t.Errorf("%s: the indices are empty: %v, %v, want %v, %v", when, got0, got1, empty0, empty1)
			}
		}
		expect("nobody inside", true, true)
		i := a.DownRead()
		expect("one inside", i != 0, i != 1)
		d.ctr.Add(gpUnit)
		j := b.DownRead()
		if i == j {
			t.Fatalf("the counter's step flipped nothing: index %d twice", i)
		}
		expect("one inside each", false, false)
		a.UpRead(j)
		expect("left through the other's Reader", i != 0, i != 1)
		a.Unregister()
		expect("whose Reader has gone", i != 0, i != 1)
		b.UpRead(i)
		expect("both have left", true, true)
		b.Unregister()
		expect("both have gone", true, true)
		if d.unregistered != (srcuCounts{locks: [2]uint64{1, 1}, unlocks: [2]uint64{1, 1}}) {
			t.Errorf("gone: %+v", d.unregistered)
		}
	})
}

// If this fails, a nested section is counted under an index that its outermost is not
// counted under, and Unlock, which is not told, counts it out elsewhere.
func TestG1NestedSectionKeepsItsIndex(t *testing.T) {
	eachSRCU(t, func(t *testing.T, d *Domain) {
		r := d.Register()
		r.EnterIdle() // or a reader of chain has no such section
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
			t.Errorf("left: %+v, index %d", r.counts, index)
		}
		r.Sections(5)
		if r.counts.locks[1-index] != 5 || r.counts.unlocks[1-index] != 5 {
			t.Errorf("five sections more, after the flip: %+v", r.counts)
		}
		r.ExitIdle()
		r.Unregister()
	})
}

// If this fails, a grace period sums up more or less often than SRCU's does with nobody
// inside, or another flavour pays for sums.
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

// If this fails, sections that nobody waits for pass for some.
func TestDownReadNeedsSRCU(t *testing.T) {
	d := Variants()[0].New(Options{Lazy: OnlyBarrier})
	defer d.Close()
	r := d.Register()
	for name, misuse := range map[string]func(){
		"DownRead": func() { r.DownRead() },
		"UpRead":   func() { r.UpRead(0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s of qsbr: no panic", name)
				}
			}()
			misuse()
		}()
	}
}
