package rcu

import (
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/tpbench/tpbench/impls/torture"
)

// An updater is one updater's thread.
type updater struct {
	*flavourAttack
	id  int
	rnd *rand.Rand

	called uint64        // deferred calls so far
	ran    atomic.Uint64 // those that have run; written by callbacks, one at a time
}

// mostCalls is how many deferred calls an updater makes before it waits for them.
const mostCalls = 32

func (t *updater) run() error {
	defer t.updating.Add(-1)
	for !t.Over() {
		if err := t.replace(); err != nil {
			t.Fail("updater %d: %v", t.id, err)
		}
		if t.rnd.IntN(4) == 0 {
			torture.Spin(t.rnd.Uint32N(1 << t.rnd.IntN(16)))
		}
		if t.rnd.IntN(64) == 0 {
			time.Sleep(50 * time.Microsecond) // so that a reader gets the CPU
		}
	}
	t.barrier()
	return nil
}

// replace publishes a new object in place of another, and frees the other after one grace
// period or two.
func (t *updater) replace() error {
	next, err := t.create()
	if err != nil {
		return err
	}
	w, again, call := waits[t.rnd.IntN(len(waits))], t.rnd.IntN(4) == 0, t.rnd.IntN(8) == 0
	o := t.published.Swap(next)
	if again || !call {
		w.wait(t)
		t.older(o, w.name)
	}
	if again && !call {
		w.wait(t)
		t.older(o, w.name)
	}
	t.Changed(1)
	if call {
		t.call(o)
	} else {
		t.objects.Free(o[:])
	}
	return nil
}

// older counts a grace period that has passed since the object was removed.
func (t *updater) older(o *[1]object, form string) {
	t.removals.Store(o, removal{o[0].generation, t.id, form})
	atomic.AddUint64(&o[0].age, 1)
}

// waits are the ways to wait for a whole grace period.
var waits = []struct {
	name string
	wait func(*updater)
}{
	{"Synchronize", func(t *updater) { t.domain.Synchronize() }},
	{"GetState and CondSync", func(t *updater) {
		s := t.domain.GetState()
		torture.Spin(t.rnd.Uint32N(1 << t.rnd.IntN(14)))
		t.domain.CondSync(s)
	}},
	{"GetState and Poll, while the other updater's grace periods end", func(t *updater) {
		s := t.domain.GetState()
		for range 100 {
			if t.domain.Poll(s) {
				return
			}
			torture.Spin(300)
		}
		t.domain.CondSync(s)
	}},
	{"StartPoll and Poll", func(t *updater) {
		s := t.domain.StartPoll()
		for !t.domain.Poll(s) {
			if t.Over() {
				t.domain.CondSync(s)
				return
			}
			torture.Spin(300)
			runtime.Gosched()
		}
	}},
}

// call has a callback free the object. Callbacks run once, in order (G3).
func (t *updater) call(o *[1]object) {
	t.called++
	n := t.called
	t.domain.Call(func() {
		if ran := t.ran.Load(); ran != n-1 {
			t.Fail("G3: updater %d's callback %d ran when %d had: twice, or out of order", t.id, n, ran)
			return
		}
		t.ran.Store(n)
		t.older(o, "Call")
		t.objects.Free(o[:])
	})
	if n-t.ran.Load() > mostCalls || t.rnd.IntN(32) == 0 {
		t.barrier()
	}
}

// barrier waits for all callbacks of the updater, which must have run then (G3).
func (t *updater) barrier() {
	t.domain.Barrier()
	if ran := t.ran.Load(); ran != t.called {
		t.Fail("G3: Barrier returned when %d of updater %d's %d callbacks had run", ran, t.id, t.called)
	}
}
