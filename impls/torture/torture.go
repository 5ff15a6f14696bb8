package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A Subject is one variant of one family, with the way to torture it.
type Subject struct {
	Family string // "rcu", "textpoke", "dispatch", "tracepoint", "unregister", "livepatch", "uprobe"
	Name   string // the variant's
	Doc    string
	Status impls.Status

	// Check reports why it cannot be tortured here, or nil.
	Check func() error

	// Kills says that the way in which it fails may end the process.
	Kills bool

	attack func(*attack) error
}

// Subjects lists everything there is to torture, family by family.
func Subjects() []Subject {
	return slices.Concat(rcuSubjects(), textpokeSubjects(), dispatchSubjects(), tracepointSubjects(), unregisterSubjects(), livepatchSubjects(), uprobeSubjects())
}

// Options of a run.
type Options struct {
	For  time.Duration // how long to try; a failure ends it sooner
	Seed uint64

	// Beside are CPUs to use beside those that the calling thread may.
	Beside []int

	// Progress, if not nil, is called every hundredth of a second with what is known
	// so far, which is all there will be if the run kills its process. If a call blocks,
	// the threads still stop on time, but Torture waits for the call.
	Progress func(Report)
}

// A Tally is what a run has done so far.
type Tally struct {
	Executions   uint64 // sites passed, or read sections entered, by all readers
	Transitions  uint64 // changes made under them
	GracePeriods uint64 // grace periods begun meanwhile
}

// A Report is how a run ended.
type Report struct {
	Tally
	Failure string // the first violation: its invariant and what led to it; "" if none

	// After is when the failure was noticed; without a failure, how long the run took.
	// It counts from when all threads were ready.
	After time.Duration
}

// Torture runs the subject until it fails, the time is over, or ctx is done. The time
// starts when all threads are ready. The error says that the subject could not be run
// at all.
func (s *Subject) Torture(ctx context.Context, o Options) (Report, error) {
	if err := s.Check(); err != nil {
		return Report{}, err
	}
	cpus, err := allowedCPUs()
	if err != nil {
		return Report{}, err
	}
	a := &attack{seed: o.Seed, lasts: o.For, cpus: append(o.Beside[:len(o.Beside):len(o.Beside)], cpus...)}
	before := runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), mostThreads+3))
	defer runtime.GOMAXPROCS(before)
	defer context.AfterFunc(ctx, a.stop)()
	ended := make(chan struct{})
	var telling sync.WaitGroup
	if o.Progress != nil {
		telling.Go(func() { a.tell(o.Progress, ended) })
	}
	err = s.attack(a)
	close(ended)
	telling.Wait()
	r := a.report()
	if r.Failure == "" {
		r.After = a.took
	}
	if err != nil {
		return r, fmt.Errorf("torture %s %s: %w", s.Family, s.Name, err)
	}
	return r, nil
}

const (
	mostReaders = 3
	mostThreads = 2*mostReaders + 1 // an intruder beside each reader, and one updater
)

// An attack is one run under way.
type attack struct {
	seed  uint64
	lasts time.Duration
	cpus  []int // that threads are pinned to in turn

	ready atomic.Int32  // threads that wait at the gate
	began time.Time     // when the gate was opened; written before that
	took  time.Duration // from then until all threads had ended

	stopped atomic.Bool
	failure atomic.Pointer[failure]

	// passes has a counter for each reader, on a line of its own.
	passes      [mostReaders]paddedCounter
	transitions atomic.Uint64

	// domain, if the attack has one, is where its readers stand. Stored by the
	// attack, read by tell.
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

// A thread is one of those that an attack consists of.
type thread struct {
	cpu int          // which of the attack's CPUs, modulo their number
	run func() error // what it does behind the gate
}

// launch runs the threads and returns when all have ended. Each is a thread of the kernel
// on one CPU. None runs before all are ready, and the time of the attack starts then:
//
//	launch                      thread 0           thread 1, on a busy CPU
//	starts the threads
//	waits for both              moves to its CPU
//	                            ready, waits       ...
//	                                               moves to its CPU
//	                                               ready, waits
//	the time starts
//	opens the gate              runs               runs
//
// Without the gate thread 0 spends the attack's time alone. What takes long to prepare is
// done before launch, by a thread that may use any CPU. A thread that waits here must not
// be a reader yet: nothing says when it will be quiescent.
//
// When one thread ends, the attack is over for all. If a thread cannot be pinned, none
// runs.
func (a *attack) launch(list ...thread) error {
	const closed, open, locked = 0, 1, 2
	var gate atomic.Int32
	errs := make([]error, len(list))
	var running sync.WaitGroup
	for i, t := range list {
		running.Go(func() {
			errs[i] = a.pin(t.cpu)
			a.ready.Add(1)
			for gate.Load() == closed {
				// No channel: each thread is to wake by itself as soon as it gets its CPU,
				// and not when Go's scheduler gets others.
				nap(100 * time.Microsecond)
			}
			if gate.Load() == open {
				defer a.stop()
				errs[i] = t.run()
			}
		})
	}
	for a.ready.Load() < int32(len(list)) {
		nap(100 * time.Microsecond)
	}
	if err := errors.Join(errs...); err != nil {
		gate.Store(locked)
		running.Wait()
		return err
	}
	a.began = time.Now()
	defer time.AfterFunc(a.lasts, a.stop).Stop()
	gate.Store(open)
	running.Wait()
	a.took = time.Since(a.began)
	return errors.Join(errs...)
}

// over reports whether threads should end.
func (a *attack) over() bool { return a.stopped.Load() }

// stop tells them to.
func (a *attack) stop() { a.stopped.Store(true) }

// fail notes a violation; only the first one counts. It ends the run.
func (a *attack) fail(format string, args ...any) {
	f := &failure{fmt.Sprintf(format, args...), time.Since(a.began)}
	a.failure.CompareAndSwap(nil, f)
	a.stop()
}

// rand returns the generator of one thread.
func (a *attack) rand(thread int) *rand.Rand {
	return rand.New(rand.NewPCG(a.seed, uint64(thread)))
}

func (a *attack) tally() Tally {
	t := Tally{Transitions: a.transitions.Load()}
	for i := range a.passes {
		t.Executions += a.passes[i].Load()
	}
	if d := a.domain.Load(); d != nil {
		t.GracePeriods = d.Counters().Started
	}
	return t
}

// report is what is known so far.
func (a *attack) report() Report {
	if f := a.failure.Load(); f != nil {
		return Report{a.tally(), f.what, f.after}
	}
	return Report{Tally: a.tally()}
}

// tell reports again and again until the attack has ended.
func (a *attack) tell(progress func(Report), ended <-chan struct{}) {
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
