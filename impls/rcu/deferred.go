package rcu

import (
	"sync"
	"time"
)

// deferred is the engine behind Call: a queue of callbacks, and a goroutine that runs those
// whose grace period has passed.
//
//  1. Call queues the callback with a snapshot, and wakes the engine if the queue was empty.
//  2. The engine sleeps for lazy. A grace period that a caller of Synchronize starts meanwhile
//     serves the callbacks too.
//  3. The engine runs the callbacks whose grace period has passed, in order.
//  4. If callbacks remain, and a grace period is under way, the engine sleeps again: one more
//     would delay callers (docs/adr/0003). If none is under way, the engine starts one.
type deferred struct {
	// mu protects queue and closed. Innermost.
	mu     sync.Mutex
	queue  []callback
	closed bool

	// runMu is held while callbacks run, so that Barrier cannot return while the engine
	// runs one. It is taken before Domain.mu.
	runMu sync.Mutex

	lazy time.Duration
	wake chan struct{} // capacity 1: the queue is no longer empty, or closed
	now  chan struct{} // capacity 1: do not sleep
	done chan struct{} // closed when the engine has returned
}

type callback struct {
	due State
	f   func()
}

func (c *deferred) start(d *Domain, lazy time.Duration) {
	c.lazy = lazy
	c.wake = make(chan struct{}, 1)
	c.now = make(chan struct{}, 1)
	c.done = make(chan struct{})
	go c.engine(d)
}

// Call runs f after a grace period, on the engine's goroutine or on one that is in
// Barrier or Close.
func (d *Domain) Call(f func()) {
	c := &d.calls
	c.mu.Lock()
	// The snapshot is taken under mu, so the queue is in the order of snapshots: if the
	// last one is satisfied, all are.
	c.queue = append(c.queue, callback{d.GetState(), f})
	first := len(c.queue) == 1
	c.mu.Unlock()
	if first {
		signal(c.wake)
	}
}

// Barrier returns when every callback queued before it has run. A callback must not call it.
func (d *Domain) Barrier() { d.calls.drain(d) }

// startSoon has the engine start a grace period: it ends the engine's sleep, or skips the next
// one.
func (c *deferred) startSoon() {
	signal(c.now)
	signal(c.wake)
}

func (c *deferred) engine(d *Domain) {
	defer close(c.done)
	for {
		<-c.wake
		wanted := c.sleep()
		for c.runReady(d) > 0 || wanted {
			if !wanted && (d.underWay() || c.lazy == OnlyBarrier) {
				wanted = c.sleep()
				continue
			}
			if c.isClosed() {
				return
			}
			d.gracePeriod()
			wanted = false
		}
		if c.isClosed() {
			return
		}
	}
}

// sleep sleeps for lazy, and reports whether StartPoll ended the sleep.
func (c *deferred) sleep() bool {
	if c.isClosed() {
		return false
	}
	select {
	case <-time.After(c.lazy):
		return false
	case <-c.now:
		return !c.isClosed()
	}
}

func (c *deferred) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// runReady runs the callbacks whose grace period has passed and returns how many
// are left.
func (c *deferred) runReady(d *Domain) int {
	c.runMu.Lock()
	defer c.runMu.Unlock()
	c.mu.Lock()
	ready := 0
	for ready < len(c.queue) && d.Poll(c.queue[ready].due) {
		ready++
	}
	run := c.queue[:ready:ready]
	c.queue = c.queue[ready:]
	left := len(c.queue)
	c.mu.Unlock()
	for _, cb := range run {
		cb.f()
	}
	clear(run) // lets the collector free what the callbacks refer to
	d.callbacks.Add(uint64(len(run)))
	return left
}

// drain waits for a grace period if the queue needs one, and runs all callbacks in the queue.
func (c *deferred) drain(d *Domain) {
	c.mu.Lock()
	pending := len(c.queue) > 0
	var last State
	if pending {
		last = c.queue[len(c.queue)-1].due
	}
	c.mu.Unlock()
	if pending && !d.Poll(last) {
		d.gracePeriod()
	}
	c.runReady(d) // also waits for callbacks that the engine is running
}

func (c *deferred) stop(d *Domain) {
	c.drain(d)
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.startSoon()
	<-c.done
}

// signal leaves one token in a channel of capacity 1.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
