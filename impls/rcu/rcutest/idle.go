package rcutest

import (
	"runtime"
	"testing"

	"github.com/tpbench/tpbench/impls/rcu"
)

// idleReader has a reader enter a section while it is idle. Who promises to watch such
// readers must wait, who does not must not: that would be another flavour.
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
		done := begin(d, d.Synchronize)
		for range 100 {
			runtime.Gosched()
		}
		if closed(done) || d.Poll(s) {
			t.Error("a grace period ended with the idle reader inside")
		}
		r.Unlock()
		<-done
		r.ExitIdle()
	}
	r.Unregister()
}

// backFromIdle looks at a section of a reader that was idle just before.
func backFromIdle(t *testing.T, d *rcu.Domain) {
	r := d.Register()
	for range 3 {
		r.EnterIdle()
		r.ExitIdle()
		r.Lock()
		done := begin(d, d.Synchronize)
		for range 100 {
			runtime.Gosched()
		}
		if closed(done) {
			t.Error("a grace period ended with the reader inside")
		}
		leave(r)
		<-done
	}
	r.Unregister()
}

// leftElsewhere sleeps inside a section, and leaves it on another thread.
func leftElsewhere(t *testing.T, d *rcu.Domain) {
	for range 3 {
		h := holdOpen(d)
		if closed(h.done) {
			t.Error("a grace period ended with the reader inside")
		}
		onThread(h.end)
	}
}

// leftByAnother sleeps inside a section of SRCU that another Reader leaves, when the one
// that entered has gone.
func leftByAnother(t *testing.T, d *rcu.Domain) {
	if !d.HasSRCU() {
		t.Skip("has no sections of SRCU")
	}
	for range 5 {
		h := holdOpenBy(d, handedOver)
		if closed(h.done) {
			t.Error("a grace period ended with the section open")
		}
		onThread(h.end)
	}
}

// onThread runs f on a thread of its own, and returns when it has.
func onThread(f func()) {
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		f()
		close(done)
	}()
	<-done
}
