package rcu

import (
	"runtime"
	"testing"
	"time"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
)

// This file has what the tests of this package share. export_test.go exports it to the
// conformance tests.

// eachFlavour runs test over every sound flavour, on a Domain of its own whose engine starts a
// grace period only when it is asked to.
func eachFlavour(t *testing.T, test func(t *testing.T, d *Domain)) {
	t.Helper()
	for _, v := range impls.OnlySound(Variants()) {
		t.Run(v.Name, func(t *testing.T) {
			judge.Need(t, v.Supported(), "rcu", v.Name)
			d := v.New(Options{Lazy: OnlyBarrier})
			defer d.Close()
			test(t, d)
		})
	}
}

// until yields the CPU until cond holds. If it never does, the test hangs, and the limit of go
// test reports that with the stack of every goroutine.
func until(cond func() bool) {
	for spins := 0; !cond(); spins++ {
		if spins < 100 {
			runtime.Gosched()
		} else {
			time.Sleep(20 * time.Microsecond)
		}
	}
}

// closed reports whether done is closed.
func closed(done chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// leave ends the reader's section so that every flavour notices.
func leave(r *Reader) {
	r.Unlock()
	r.Quiescent()
}

// begin runs f in a goroutine and returns when a grace period has begun: sections that are
// entered from now on are later than it. It also returns when f has, without a grace period. done
// is closed when f has returned.
func begin(d *Domain, f func()) (done chan struct{}) {
	before := d.Counters().Started
	done = make(chan struct{})
	go func() {
		f()
		close(done)
	}()
	until(func() bool { return d.Counters().Started != before || closed(done) })
	return done
}

// An OpenGracePeriod has begun and cannot end: a reader is in a section from before it.
type OpenGracePeriod struct {
	leave func()        // ends the section and unregisters the reader
	Done  chan struct{} // closed when the Synchronize that began it has returned
}

// A holder is the kind of reader that holds a grace period open.
type holder int

const (
	watched    holder = iota
	idle              // for flavours that watch idle readers
	handedOver        // its section of SRCU is left by another Reader; it is unregistered
)

// holders returns the kinds of readers that the Domain promises to wait for.
func holders(d *Domain) []holder {
	list := []holder{watched}
	if d.WatchesIdle() {
		list = append(list, idle)
	}
	if d.HasSRCU() {
		list = append(list, handedOver)
	}
	return list
}

// holdOpen begins a grace period by a Synchronize and holds it open.
func holdOpen(d *Domain) *OpenGracePeriod { return holdOpenBy(d, watched) }

func holdOpenBy(d *Domain, how holder) *OpenGracePeriod {
	r := d.Register()
	h := &OpenGracePeriod{}
	switch how {
	case handedOver:
		index := r.DownRead()
		r.Unregister()
		h.leave = func() {
			other := d.Register()
			other.UpRead(index)
			other.Unregister()
		}
	case idle:
		r.EnterIdle()
		fallthrough
	default:
		r.Lock()
		h.leave = func() {
			leave(r)
			r.Unregister()
		}
	}
	h.Done = begin(d, d.Synchronize)
	return h
}

// End ends the reader's section and returns when the Synchronize has.
func (h *OpenGracePeriod) End() {
	h.leave()
	<-h.Done
}

// StaysOpen gives the grace period time to end, which it must not.
func (h *OpenGracePeriod) StaysOpen(t *testing.T) {
	t.Helper()
	for range 200 {
		runtime.Gosched()
	}
	if closed(h.Done) {
		t.Error("a grace period ended with the reader inside")
	}
}

// waitsFor begins a grace period, which must not end before leave is called.
func waitsFor(t *testing.T, d *Domain, leave func()) {
	t.Helper()
	h := &OpenGracePeriod{leave, begin(d, d.Synchronize)}
	h.StaysOpen(t)
	h.End()
}
