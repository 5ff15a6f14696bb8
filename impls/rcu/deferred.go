package rcu

import (
	"sync"
	"time"
)

// deferred is the engine behind Call: a queue, and a goroutine that runs what has
// had its grace period.
//
//  1. Call queues with the snapshot of that moment, and wakes the engine if the
//     queue was empty.
//  2. The engine naps for lazy. Whoever synchronizes in the meantime pays for
//     its callbacks as well.
//  3. What has had its grace period runs, in order.
//  4. If something is left, the engine naps again while somebody's grace period is
//     under way (it will be joined, not delayed, by what is left), and starts one
//     of its own if there is none.
type deferred struct {
	// mu protects queue and closed. Innermost.
	mu     sync.Mutex
	queue  []callback
	closed bool

	// runMu is held while callbacks run, so that Barrier cannot return while
	// the engine is in the middle of some. It is taken before Domain.mu.
	runMu sync.Mutex

	lazy time.Duration
	wake chan struct{} // capacity 1: the queue is no longer empty, or closed
	now  chan struct{} // capacity 1: do not nap
	done chan struct{} // closed when the engine has gone
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
	// The snapshot is taken under mu: the queue is in the order of snapshots, and
	// its last one is what drain has to wait for.
	c.queue = append(c.queue, callback{d.GetState(), f})
	first := len(c.queue) == 1
	c.mu.Unlock()
	if first {
		signal(c.wake)
	}
}

// Barrier returns when every callback queued before it has run. It must not be
// called by one.
func (d *Domain) Barrier() { d.calls.drain(d) }

// kickNow ends the engine's nap, or keeps it from the next one.
func (c *deferred) kickNow() {
	signal(c.now)
	signal(c.wake)
}

func (c *deferred) engine(d *Domain) {
	defer close(c.done)
	for {
		<-c.wake
		asked := c.nap()
		for c.runReady(d) > 0 || asked {
			if !asked && (d.underWay() || c.lazy == OnlyBarrier) {
				asked = c.nap()
				continue
			}
			if c.isClosed() {
				return
			}
			d.gracePeriod()
			asked = false
		}
		if c.isClosed() {
			return
		}
	}
}

// nap reports whether a grace period was asked for in so many words.
func (c *deferred) nap() bool {
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
	clear(run) // what they hold may go
	d.callbacks.Add(uint64(len(run)))
	return left
}

// drain waits for whatever grace period the queue still needs and runs it all.
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
	c.runReady(d) // with nothing pending, this still waits for the engine's batch
}

func (c *deferred) stop(d *Domain) {
	c.drain(d)
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.kickNow()
	<-c.done
}

// signal leaves one token in a channel of capacity 1.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
