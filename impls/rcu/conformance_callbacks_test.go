package rcu_test

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tpbench/tpbench/impls/rcu"
)

// callbackWaitsForWhole holds a grace period open. A second reader enters, and then the callback
// is queued. Barrier has to begin another grace period, which waits for the second reader.
func callbackWaitsForWhole(t *testing.T, d *rcu.Domain) {
	r := d.Register()
	h := rcu.HoldOpen(d)
	r.Quiescent()
	r.Lock()
	var inside atomic.Bool
	inside.Store(true)
	early := false
	d.Call(func() { early = inside.Load() })
	h.End()
	done := rcu.Begin(d, d.Barrier)
	inside.Store(false)
	rcu.Leave(r)
	<-done
	if early {
		t.Error("the callback ran while a reader was in a section from before the Call")
	}
	r.Unregister()
}

func callbacksInOrder(t *testing.T, d *rcu.Domain) {
	var got, want []int
	for round := range 3 {
		for i := range 50 {
			want = append(want, 50*round+i)
			d.Call(func() { got = append(got, 50*round+i) })
			if i == 20 {
				d.Synchronize() // those so far are ready
			}
		}
		d.Barrier()
		if !slices.Equal(got, want) {
			t.Fatalf("round %d: ran %v", round, got)
		}
	}
}

func barrierWaitsForCallers(t *testing.T, d *rcu.Domain) {
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
}

func closeRunsQueue(t *testing.T, d *rcu.Domain) {
	ran := 0
	for range 10 {
		d.Call(func() { ran++ })
	}
	d.Close()
	if ran != 10 {
		t.Errorf("Close ran %d of 10 callbacks", ran)
	}
	if got, want := d.Counters(), (rcu.Counters{Started: 1, Callbacks: 10}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	// TestConformance closes it again, which must not hang.
}

func startPollStarts(t *testing.T, d *rcu.Domain) {
	for i := range 3 {
		s := d.StartPoll()
		rcu.Until(func() bool { return d.Poll(s) })
		if got, want := d.Counters(), (rcu.Counters{Started: uint64(i + 1)}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	// The grace period also serves callbacks in the queue.
	ran := make(chan struct{})
	d.Call(func() { close(ran) })
	d.StartPoll()
	<-ran
}

func engineWaits(t *testing.T, d *rcu.Domain) {
	r := d.Register()
	defer r.Unregister()
	for range 5 {
		var inside atomic.Bool
		saw := make(chan bool, 1)
		r.Lock()
		inside.Store(true)
		before := d.Counters().Started
		d.Call(func() { saw <- inside.Load() })
		rcu.Until(func() bool { return d.Counters().Started != before || len(saw) > 0 }) // the engine has begun it
		inside.Store(false)
		rcu.Leave(r)
		rcu.Until(func() bool {
			r.Quiescent()
			return len(saw) > 0
		})
		if <-saw {
			t.Fatal("the callback ran with the reader inside")
		}
	}
}

func barrierWaitsForRunning(t *testing.T, d *rcu.Domain) {
	var finished atomic.Bool
	started, release := make(chan struct{}), make(chan struct{})
	d.Call(func() {
		close(started)
		<-release
		finished.Store(true)
	})
	<-started // the engine runs it, and the queue is empty
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
}
