package torture

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tpbench/tpbench/impls/rcu"
)

const (
	mostReaders = 3
	mostThreads = 2*mostReaders + 1 // an intruder for each reader, and one updater
)

// An Attack is one run on a subject.
type Attack struct {
	seed  uint64
	lasts time.Duration
	cpus  []int // the threads are pinned to these in turn

	ready atomic.Int32  // threads that wait at the gate
	began time.Time     // when the gate was opened; written before that
	took  time.Duration // from then until all threads had ended

	stopped atomic.Bool
	failure atomic.Pointer[failure]

	// passes has a counter for each reader, on a line of its own.
	passes  [mostReaders]paddedCounter
	changes atomic.Uint64

	// domain, if not nil, is the one whose grace periods are counted. Stored by the attack,
	// read by reportProgress.
	domain atomic.Pointer[rcu.Domain]
}

type paddedCounter struct {
	atomic.Uint64
	_ [56]byte
}

type failure struct {
	what  string
	after time.Duration
}

// A Thread is one thread of an attack.
type Thread struct {
	CPU         int          // which of the attack's CPUs, modulo their number
	Run         func() error // what it does once all are ready
	Interrupted bool         // an intruder shares its CPU
}

// Launch runs the threads, and their intruders, and returns when all have ended. Each is a
// thread of the kernel on one CPU. None runs before all are ready, and the time of the attack
// starts then:
//
//	Launch                      thread 0           thread 1, on a busy CPU
//	starts the threads
//	waits for both              moves to its CPU
//	                            ready, waits       ...
//	                                               moves to its CPU
//	                                               ready, waits
//	the time starts
//	opens the gate              runs               runs
//
// Without the gate thread 0 spends the attack's time alone. What takes long to prepare is
// done before Launch, by a thread that may use any CPU. A thread that waits here must not
// be a reader yet: a grace period could wait for it without end.
//
// When one thread ends, the attack is over for all. If a thread cannot be pinned, none
// runs.
func (a *Attack) Launch(threads ...Thread) error {
	for i, t := range threads {
		if t.Interrupted {
			threads = append(threads, Thread{CPU: t.CPU, Run: a.intruder(mostThreads + i)})
		}
	}
	if len(threads) > mostThreads {
		return fmt.Errorf("%d threads, of which at most %d have a P", len(threads), mostThreads)
	}
	var (
		gate    atomic.Bool // whether it is open
		failed  error       // of a thread that could not be pinned; written before the gate is opened
		errs    = make([]error, len(threads))
		running sync.WaitGroup
	)
	for i, t := range threads {
		running.Go(func() {
			errs[i] = a.pin(t.CPU)
			a.ready.Add(1)
			for !gate.Load() {
				// No channel: a thread must wake as soon as the kernel gives it its CPU, not
				// when Go's scheduler runs on another one.
				Nap(100 * time.Microsecond)
			}
			if failed == nil {
				defer a.stop()
				errs[i] = t.Run()
			}
		})
	}
	for a.ready.Load() < int32(len(threads)) {
		Nap(100 * time.Microsecond)
	}
	failed = errors.Join(errs...)
	a.began = time.Now()
	defer time.AfterFunc(a.lasts, a.stop).Stop()
	gate.Store(true)
	running.Wait()
	a.took = time.Since(a.began)
	return errors.Join(errs...)
}

// intruder takes the CPU that it shares with a reader away again and again, for microseconds
// to fractions of a millisecond, wherever the reader is. The updater, on another CPU, has that
// long to meet a window that is a nanosecond wide. generator is its number for [Attack.Rand].
func (a *Attack) intruder(generator int) func() error {
	rnd := a.Rand(generator)
	return func() error {
		for !a.Over() {
			Nap(time.Duration(rnd.IntN(int(200 * time.Microsecond))))
			Busy(rnd, time.Microsecond, 300*time.Microsecond)
		}
		return nil
	}
}

// Readers is how many readers an attack with one updater has: the updater has a CPU, and
// each reader has another where there are enough.
func (a *Attack) Readers() int { return min(max(1, len(a.cpus)-1), mostReaders) }

// Over reports whether threads should end.
func (a *Attack) Over() bool { return a.stopped.Load() }

// stop ends the threads.
func (a *Attack) stop() { a.stopped.Store(true) }

// Fail notes a violation, of which only the first counts, and ends the run. The text begins
// with the invariant and a colon. What led to the violation follows a semicolon.
func (a *Attack) Fail(format string, args ...any) {
	f := &failure{fmt.Sprintf(format, args...), time.Since(a.began)}
	a.failure.CompareAndSwap(nil, f)
	a.stop()
}

// Failed reports whether a violation was noted.
func (a *Attack) Failed() bool { return a.failure.Load() != nil }

// Rand returns the generator of one thread.
func (a *Attack) Rand(thread int) *rand.Rand {
	return rand.New(rand.NewPCG(a.seed, uint64(thread)))
}

// Passed counts passes of one reader.
func (a *Attack) Passed(reader int, passes uint64) { a.passes[reader].Add(passes) }

// Changed counts changes that were made.
func (a *Attack) Changed(changes int) { a.changes.Add(uint64(changes)) }

// CountGracePeriods has the grace periods of the domain counted.
func (a *Attack) CountGracePeriods(d *rcu.Domain) { a.domain.Store(d) }

// report is what is known so far. If it has the failure, it has all that was counted before.
func (a *Attack) report() (r Report) {
	if f := a.failure.Load(); f != nil {
		r.Failure, r.After = f.what, f.after
	}
	r.Transitions = a.changes.Load()
	for i := range a.passes {
		r.Executions += a.passes[i].Load()
	}
	if d := a.domain.Load(); d != nil {
		r.GracePeriods = d.Counters().Started
	}
	return r
}

// reportProgress reports every 10 ms until the attack has ended.
func (a *Attack) reportProgress(progress func(Report), ended <-chan struct{}) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-tick.C:
			progress(a.report())
		}
	}
}
