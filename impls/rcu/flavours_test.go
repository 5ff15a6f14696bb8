package rcu

import (
	"runtime"
	"testing"
	"time"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
)

// eachFlavour runs test over every sound flavour, on a Domain of its own whose engine
// never starts a grace period unasked.
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

// until yields the CPU until cond holds. A cond that never does is a hang, which
// go test's own limit reports with every goroutine's stack.
func until(cond func() bool) {
	for spins := 0; !cond(); spins++ {
		if spins < 100 {
			runtime.Gosched()
		} else {
			time.Sleep(20 * time.Microsecond)
		}
	}
}

// leave ends the reader's section in the way each flavour notices.
func leave(r *Reader) {
	r.Unlock()
	r.Quiescent()
}

// An openGracePeriod is one that has begun and cannot end: a reader stands in a
// section from before it.
type openGracePeriod struct {
	d      *Domain
	reader *Reader
	done   chan struct{} // closed when the Synchronize has returned
}

// holdOpen begins a grace period by a Synchronize of its own and returns once the
// new counter is published (U2).
func holdOpen(d *Domain) *openGracePeriod {
	h := &openGracePeriod{d, d.Register(), make(chan struct{})}
	h.reader.Lock()
	before := d.ctr.Load()
	go func() {
		d.Synchronize()
		close(h.done)
	}()
	until(func() bool { return d.ctr.Load() != before })
	return h
}

// end lets the reader go, and returns when the Synchronize has.
func (h *openGracePeriod) end() {
	leave(h.reader)
	<-h.done
	h.reader.Unregister()
}
