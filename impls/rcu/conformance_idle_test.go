package rcu_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/tpbench/tpbench/impls/rcu"
)

// idleReader: a reader enters a section while it is idle. A flavour that watches idle readers
// must wait for it; another one must not, which would hang.
func idleReader(t *testing.T, d *rcu.Domain) {
	r := d.Register()
	for range 3 {
		r.EnterIdle()
		d.Synchronize() // idle, and outside
		r.Lock()
		s := d.GetState()
		if !d.WatchesIdle() {
			d.Synchronize()
			if !d.Poll(s) {
				t.Error("a state is not satisfied by a grace period that overlooked the idle reader")
			}
			r.Unlock()
			r.ExitIdle()
			continue
		}
		rcu.WaitsFor(t, d, func() {
			if d.Poll(s) {
				t.Error("a state is satisfied with the idle reader inside")
			}
			r.Unlock()
		})
		r.ExitIdle()
	}
	r.Unregister()
}

// backFromIdle: a reader is idle for a moment during a grace period, which then need not wait for it
// any more. The next one must wait for the reader's next section. The failure may be a hang.
func backFromIdle(t *testing.T, d *rcu.Domain) {
	r := d.Register()
	for range 3 {
		h := rcu.HoldOpen(d)
		r.EnterIdle()
		r.ExitIdle()
		h.End()
		r.Lock()
		rcu.WaitsFor(t, d, func() { rcu.Leave(r) })
	}
	r.Unregister()
}

// leftElsewhere: a section is left on another thread than it was entered on.
func leftElsewhere(t *testing.T, d *rcu.Domain) {
	for range 3 {
		h := rcu.HoldOpen(d)
		h.StaysOpen(t)
		onThread(h.End)
	}
}

// leftByAnother: a section of SRCU is left by another Reader, after the one that entered has
// unregistered.
func leftByAnother(t *testing.T, d *rcu.Domain) {
	if !d.HasSRCU() {
		t.Skip("has no sections of SRCU")
	}
	for range 5 { // under both indices
		h := rcu.HoldOpenBy(d, rcu.HandedOver)
		h.StaysOpen(t)
		onThread(h.End)
	}
}

// onThread runs f on a thread of its own, and returns when f has.
func onThread(f func()) {
	var thread sync.WaitGroup
	thread.Go(func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		f()
	})
	thread.Wait()
}
