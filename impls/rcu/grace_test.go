package rcu

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tpbench/tpbench/impls/internal/implstest"
)

// If Synchronize returned while a reader stands in a section entered before it, the
// updater would reuse what the reader still uses. The reader says so itself: it
// clears inside before it leaves, so whoever returns too early finds it set.
func TestG1SynchronizeWaitsForReader(t *testing.T) {
	for _, depth := range []int{1, 2, 5} {
		t.Run([]string{1: "flat", 2: "nested", 5: "deep"}[depth], func(t *testing.T) {
			eachFlavor(t, func(t *testing.T, d *Domain) {
				rounds := 100
				if slow(d) || runtime.GOMAXPROCS(0) == 1 {
					rounds = 10
				}
				rnd := implstest.Rand(t)
				var inside atomic.Bool
				enter, entered := make(chan int), make(chan bool)
				go func() {
					r := d.Register()
					defer r.Unregister()
					for delay := range enter {
						for range depth {
							r.Lock()
						}
						inside.Store(true)
						entered <- true
						for range depth - 1 {
							r.Unlock() // must not look like the end
						}
						for range delay {
							runtime.Gosched()
						}
						inside.Store(false)
						leave(r)
						// The grace period may begin only now, and qsbr's wants
						// to hear from this reader after that.
						for gone := false; !gone; {
							select {
							case entered <- false:
								gone = true
							default:
								r.Quiescent()
								runtime.Gosched()
							}
						}
					}
					close(entered)
				}()
				for i := range rounds {
					enter <- rnd.IntN(200)
					<-entered
					d.Synchronize()
					if inside.Load() {
						t.Fatalf("round %d: Synchronize returned while the reader was inside", i)
					}
					<-entered
				}
				close(enter)
				<-entered
			})
		})
	}
}

// If a grace period looked at some readers only, the others would be overlooked.
func TestG1SynchronizeWaitsForEveryReader(t *testing.T) {
	eachFlavor(t, func(t *testing.T, d *Domain) {
		rnd := implstest.Rand(t)
		for range 5 {
			readers := make([]*Reader, 4)
			for i := range readers {
				readers[i] = d.Register()
				readers[i].Lock()
			}
			var inside, returned atomic.Int64
			inside.Store(int64(len(readers)))
			before := d.ctr.Load()
			done := make(chan bool)
			go func() {
				d.Synchronize()
				returned.Store(inside.Load())
				close(done)
			}()
			until(func() bool { return d.ctr.Load() != before })
			for _, i := range rnd.Perm(len(readers)) {
				for range 200 {
					runtime.Gosched()
				}
				inside.Add(-1)
				leave(readers[i])
			}
			<-done
			if n := returned.Load(); n != 0 {
				t.Fatalf("Synchronize returned with %d of %d readers inside", n, len(readers))
			}
			for _, r := range readers {
				r.Unregister()
			}
		}
	})
}

// If a section entered after the grace period began could delay it, readers that
// come and go would delay it for ever. The failure is a hang.
func TestG1LaterSectionDoesNotDelay(t *testing.T) {
	eachFlavor(t, func(t *testing.T, d *Domain) {
		late := d.Register()
		h := holdOpen(d)
		late.Quiescent() // what qsbr wants to hear, after the counter is out
		late.Lock()
		h.end()
		leave(late)
		late.Unregister()
	})
}

// If grace periods waited for readers that have gone, one that was last seen in a
// section, or never said to be quiescent, would hold them up for ever.
func TestG1UnregisteredReaderIsNotWaitedFor(t *testing.T) {
	eachFlavor(t, func(t *testing.T, d *Domain) {
		gone := d.Register()
		h := holdOpen(d)
		gone.Unregister() // while the grace period has it on its list
		h.end()
		d.Synchronize() // and when it has not
	})
}

// The litmus: an updater publishes a version, waits and poisons the one before. A
// reader that sees poison inside a section was overlooked by the grace period. The
// reader dirties memory that is in no cache before it enters, so that its store L2
// stands long in the store buffer: without U3's barrier it is overlooked at once.
func TestG1TortureNoReaderSeesPoison(t *testing.T) {
	type version struct {
		poison atomic.Uint64
		_      [120]byte
	}
	eachFlavor(t, func(t *testing.T, d *Domain) {
		transitions := 2000
		switch {
		case slow(d):
			transitions = 20
		case runtime.GOMAXPROCS(0) == 1:
			transitions = 50 // each costs a round through Go's scheduler
		}
		rnd := implstest.Rand(t)
		seed := rnd.Uint64()
		var versions [3]version
		var published atomic.Pointer[version]
		published.Store(&versions[0])
		var stop atomic.Bool
		var sections atomic.Int64
		var overlooked int
		var reader sync.WaitGroup
		registered := make(chan bool)
		reader.Go(func() {
			r := d.Register()
			defer r.Unregister()
			cold := make([]uint64, 1<<23)
			for i := 0; i < len(cold); i += 512 {
				cold[i] = 1 // fault the page in
			}
			close(registered)
			for at := seed; !stop.Load(); sections.Add(1) {
				for range 48 { // about what a store buffer holds
					at = at*6364136223846793005 + 1442695040888963407
					cold[at>>41] = at
				}
				r.Lock()
				v := published.Load() // L3
				for range 1 + at>>53 {
					if v.poison.Load() != 0 { // L4
						overlooked++
						break
					}
				}
				leave(r)
			}
		})
		<-registered
		for i := range transitions {
			// Begin somewhere in a section or in the work before it.
			until(func() bool { return sections.Load() > int64(i) })
			for range rnd.IntN(4000) {
				pause()
			}
			next, old := &versions[(i+1)%3], &versions[i%3]
			next.poison.Store(0)
			published.Store(next) // U1
			d.Synchronize()
			old.poison.Store(1) // U5
		}
		stop.Store(true)
		reader.Wait()
		t.Logf("%d transitions, %d sections", transitions, sections.Load())
		if overlooked != 0 {
			t.Errorf("%d sections saw a version poisoned under them", overlooked)
		}
	})
}

// If the steps of a grace period came in another order, or it did not look at every
// reader, the proof would have a hole that only rare timings show. So look at the
// steps themselves.
func TestG1OrderOfSteps(t *testing.T) {
	eachFlavor(t, func(t *testing.T, d *Domain) {
		var readers, asked []*Reader
		for range 3 {
			r := d.Register()
			defer r.Unregister()
			readers = append(readers, r)
		}
		before, seq := d.ctr.Load(), d.seq.Load()
		var steps []string
		inner := d.flavor
		d.flavor = flavor{
			snap: inner.snap,
			barrier: func() {
				steps = append(steps, "U3")
				if d.ctr.Load() != before+gpUnit {
					t.Error("U3 before U2: the counter is not out yet")
				}
				if d.seq.Load() != seq+1 {
					t.Error("U3 before the grace period is marked as under way")
				}
				inner.barrier()
			},
			left: func(r *Reader, ctr uint64) bool {
				steps = append(steps, "U4")
				asked = append(asked, r)
				if ctr != before+gpUnit {
					t.Errorf("U4 compares with %#x, not with U2's %#x", ctr, before+gpUnit)
				}
				return true
			},
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
