package rcu

import (
	"bytes"
	"path"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// If this fails, the steps of a grace period come in another order than the protocol's: one sum is
// missing, or the wait for readers' words comes before the sums; or it does not look at every
// reader. Other tests notice only in rare timings.
func TestG1OrderOfSteps(t *testing.T) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		var readers, asked []*Reader
		for range 3 {
			r := d.Register()
			defer r.Unregister()
			readers = append(readers, r)
		}
		before, seq := d.ctr.Load(), d.seq.Load()
		var steps []string
		note := func(step string) {
			switch d.ctr.Load() {
			case before:
				step += " before begin"
			case before + gpUnit:
				step += " after begin"
			}
			if d.seq.Load() != seq+1 {
				step += ", not marked as under way"
			}
			steps = append(steps, step)
		}
		inner := d.flavour
		d.flavour.wait = func(done func() bool) {
			scans := d.scans.Load()
			inner.wait(done)
			if d.scans.Load() != scans {
				note("sum")
			}
		}
		d.flavour.barrier = func() {
			note("barrier")
			inner.barrier()
		}
		d.flavour.left = func(r *Reader, ctr uint64) bool {
			note("scan")
			asked = append(asked, r)
			if ctr != before+gpUnit {
				t.Errorf("the scan compares with %#x, begin stored %#x", ctr, before+gpUnit)
			}
			return true
		}
		d.Synchronize()
		var want []string
		if d.HasSRCU() {
			want = append(want, "sum before begin", "sum after begin")
		}
		if d.flavour.srcu != srcuAlways {
			want = append(want, "barrier after begin", "scan after begin", "scan after begin", "scan after begin")
			if !slices.Equal(asked, readers) {
				t.Errorf("looked at %v, want %v", asked, readers)
			}
		}
		if !slices.Equal(steps, want) {
			t.Errorf("steps %q, want %q", steps, want)
		}
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

// If this fails, callers that wait in line behind a grace period do not share the next one, and n
// updaters wait n times as long as one.
func TestG4QueuedCallersShareOneGracePeriod(t *testing.T) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		const callers = 8
		h := holdOpen(d)
		var group sync.WaitGroup
		for range callers {
			group.Go(d.Synchronize)
		}
		until(func() bool { return inLine() == callers || closed(h.Done) })
		if closed(h.Done) {
			t.Error("the grace period ended with a reader inside")
		}
		h.End()
		group.Wait()
		if got, want := d.Counters(), (Counters{Started: 2, Waited: 1 + callers}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	})
}

// inLine counts the goroutines that have taken their snapshot and wait for Domain.mu.
func inLine() (n int) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range bytes.SplitSeq(stacks, []byte("\n\n")) {
		state, _, _ := bytes.Cut(stack, []byte("\n"))
		if bytes.Contains(state, []byte("[sync.Mutex.Lock")) && bytes.Contains(stack, []byte("(*Domain).gracePeriod(")) {
			n++
		}
	}
	return n
}

// If this fails, a flavour does not watch the readers that its model in the kernel watches (all
// other tests ask the flavour); or a grace period with no reader inside has another number of legs,
// sums or work items. A flavour that is not in the table only needs a leg, and as many work items
// each time. TestG1RudeSwitchesEveryCPU counts the work items of rude.
func TestG4G5Flavours(t *testing.T) {
	type properties struct {
		idle, srcu  bool
		legs, scans uint64
	}
	flavours := map[string]properties{
		"qsbr": {legs: 1}, "memb": {legs: 1}, "paced": {legs: 1}, "kernelgp": {legs: 1},
		"taskstrace": {idle: true, legs: 1}, "rude": {idle: true, legs: 1},
		"srcu": {true, true, 1, 2}, "chain": {true, true, 2, 2},
	}
	eachFlavour(t, func(t *testing.T, d *Domain) {
		var items uint64 // of the first grace period
		for round := range uint64(3) {
			before := d.Work()
			d.Synchronize()
			after := d.Work()
			got := properties{d.WatchesIdle(), d.HasSRCU(), after.Legs - before.Legs, after.Scans - before.Scans}
			if want, known := flavours[path.Base(t.Name())]; known && got != want || got.legs == 0 {
				t.Errorf("%+v, want %+v", got, want)
			}
			if round == 0 {
				items = after.Items
			}
			if after.Items != (round+1)*items || items > 0 && d.flavour.close == nil {
				t.Errorf("grace period %d: %d work items so far, %d after the first", round, after.Items, items)
			}
		}
	})
}
