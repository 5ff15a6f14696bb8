package rcu

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// If a callback ran at the end of a grace period that was under way when it was
// queued, it would free under a reader which that grace period did not look at.
func TestG3CallbackWaitsForWholeGracePeriod(t *testing.T) {
	eachFlavor(t, func(t *testing.T, d *Domain) {
		h := holdOpen(d)
		ran := false
		d.Call(func() { ran = true })
		h.end()
		if left := d.calls.runReady(d); left != 1 || ran {
			t.Fatalf("after the rest of a grace period: %d left, ran %v", left, ran)
		}
		d.Synchronize()
		if left := d.calls.runReady(d); left != 0 || !ran {
			t.Fatalf("after a whole grace period: %d left, ran %v", left, ran)
		}
	})
}

// If the engine ran callbacks without a grace period of its own or somebody else's,
// a reader from before the Call would be inside.
func TestG3EngineWaitsForReader(t *testing.T) {
	eachVariant(t, func(t *testing.T, v Variant) {
		d := v.New(Options{Lazy: time.Microsecond})
		defer d.Close()
		r := d.Register()
		defer r.Unregister()
		for range 5 {
			var inside atomic.Bool
			saw := make(chan bool)
			r.Lock()
			inside.Store(true)
			d.Call(func() { saw <- inside.Load() })
			until(d.underWay) // nobody but the engine can have begun it
			inside.Store(false)
			leave(r)
			for early := true; ; {
				select {
				case early = <-saw:
				default:
					r.Quiescent()
					runtime.Gosched()
					continue
				}
				if early {
					t.Fatal("the callback ran with the reader inside")
				}
				break
			}
		}
	})
}

// If callbacks ran in another order, twice or never, an updater's second callback
// could free what its first one still needs.
func TestG3CallbacksRunInOrderOnce(t *testing.T) {
	eachFlavor(t, func(t *testing.T, d *Domain) {
		var got, want []int
		for round := range 3 {
			for i := range 50 {
				want = append(want, 50*round+i)
				d.Call(func() { got = append(got, 50*round+i) })
				if i == 20 {
					d.Synchronize() // part of them is ready, part is not
				}
			}
			d.Barrier()
			if !slices.Equal(got, want) {
				t.Fatalf("round %d: ran %v", round, got)
			}
		}
	})
}

// If snapshots stood in the queue in another order than they were taken, Barrier,
// which asks the last one how long to wait, would return with callbacks unrun. Two
// Calls race for the queue: this one is made to lose it to a whole grace period.
func TestG3SnapshotsAreQueuedInOrder(t *testing.T) {
	eachFlavor(t, func(t *testing.T, d *Domain) {
		d.calls.mu.Lock()
		ran, called := false, make(chan struct{})
		go func() {
			d.Call(func() { ran = true })
			close(called)
		}()
		for range 100 {
			runtime.Gosched() // as far as the lock
		}
		d.Synchronize()
		d.calls.queue = append(d.calls.queue, callback{d.GetState(), func() {}})
		d.calls.mu.Unlock()
		<-called
		dues := make([]State, 0, 2)
		for _, cb := range d.calls.queue {
			dues = append(dues, cb.due)
		}
		if !slices.IsSorted(dues) {
			t.Errorf("snapshots are queued as %d", dues)
		}
		d.Barrier()
		if !ran {
			t.Error("Barrier returned before a callback queued before it ran")
		}
	})
}

// If Calls of many goroutines could lose a callback, or Barrier one queued before
// it, memory would leak, or be freed by nobody.
func TestG3BarrierWaitsForEveryCaller(t *testing.T) {
	eachFlavor(t, func(t *testing.T, d *Domain) {
		const callers, rounds, each = 4, 4, 10
		var total atomic.Int64
		var group sync.WaitGroup
		for range callers {
			group.Go(func() {
				var mine atomic.Int64
				for round := range rounds {
					for i := range each {
						d.Call(func() { mine.Add(1); total.Add(1) })
						if i == each/2 {
							d.CondSync(d.GetState())
						}
					}
					d.Barrier()
					if got, want := mine.Load(), int64((round+1)*each); got != want {
						t.Errorf("Barrier returned with %d of %d callbacks run", got, want)
					}
				}
			})
		}
		group.Wait()
		if got, want := total.Load(), int64(callers*rounds*each); got != want {
			t.Errorf("%d callbacks ran of %d", got, want)
		}
		if got := d.Counters().Callbacks; got != callers*rounds*each {
			t.Errorf("Counters.Callbacks is %d", got)
		}
	})
}

// If Barrier looked at the queue alone, it would return while the engine is in the
// middle of a callback it took from there.
func TestG3BarrierWaitsForRunningCallback(t *testing.T) {
	eachVariant(t, func(t *testing.T, v Variant) {
		d := v.New(Options{Lazy: time.Microsecond})
		defer d.Close()
		var finished atomic.Bool
		started, release := make(chan struct{}), make(chan struct{})
		d.Call(func() {
			close(started)
			<-release
			finished.Store(true)
		})
		<-started // by the engine: the queue is empty now
		go func() {
			for range 1000 {
				runtime.Gosched()
			}
			close(release)
		}()
		d.Barrier()
		if !finished.Load() {
			t.Error("Barrier returned in the middle of a callback")
		}
	})
}

// If Close forgot the queue, what was deferred would never be freed.
func TestG3CloseDrains(t *testing.T) {
	eachVariant(t, func(t *testing.T, v Variant) {
		d := v.New(Options{Lazy: OnlyBarrier})
		ran := 0
		for range 10 {
			d.Call(func() { ran++ })
		}
		d.Close()
		if ran != 10 {
			t.Errorf("Close ran %d of 10 callbacks", ran)
		}
		if got, want := d.Counters(), (Counters{Started: 1, Callbacks: 10}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		d.Close() // again: nothing to do, and no hang
	})
}

// If StartPoll only took a snapshot, whoever polls it would poll for ever: nobody
// else starts a grace period here. The failure is a hang.
func TestG3StartPollStartsGracePeriod(t *testing.T) {
	eachFlavor(t, func(t *testing.T, d *Domain) {
		for i := range 3 {
			s := d.StartPoll()
			until(func() bool { return d.Poll(s) })
			if got, want := d.Counters(), (Counters{Started: uint64(i + 1)}); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		}
		// Callbacks that wait in the queue are served by the way.
		ran := make(chan struct{})
		d.Call(func() { close(ran) })
		d.StartPoll()
		<-ran
	})
}
