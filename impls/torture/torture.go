package torture

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/tpbench/tpbench/impls"
)

// A Subject is one variant of one family, and the attack on it.
type Subject struct {
	Family string // "rcu", "textpoke", "dispatch", "tracepoint", "unregister", "livepatch", "uprobe"
	Name   string // the variant's
	Status impls.Status

	// Check reports why the subject cannot be tortured here, or nil.
	Check func() error

	// Attack prepares, calls [Attack.Launch] once and cleans up. An error means that the
	// subject could not be attacked. It reports what is wrong with the subject by [Attack.Fail].
	Attack func(*Attack) error
}

// Subjects makes a subject of each variant of a family.
func Subjects[T any](family string, variants []impls.Variant[T], attack func(*Attack, T) error) []Subject {
	var list []Subject
	for _, v := range variants {
		list = append(list, Subject{
			Family: family, Name: v.Name, Status: v.Status,
			Check:  v.Supported,
			Attack: func(a *Attack) error { return attack(a, v.New) },
		})
	}
	return list
}

// Options of a run.
type Options struct {
	For  time.Duration // how long to try; a failure ends the run sooner
	Seed uint64

	// Beside are CPUs to use beside those that the calling thread may use.
	Beside []int

	// Progress, if not nil, is called every hundredth of a second with the report so far.
	// If the run kills its process, this is all that is known. If a call blocks, the
	// threads still stop on time, but Torture waits for the call.
	Progress func(Report)
}

// A Tally is what a run has done so far.
type Tally struct {
	Executions   uint64 // passes of all readers
	Transitions  uint64 // changes by all updaters
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
// starts when all threads are ready. An error means that the subject could not be run.
func (s *Subject) Torture(ctx context.Context, o Options) (Report, error) {
	if err := s.Check(); err != nil {
		return Report{}, err
	}
	cpus, err := allowedCPUs()
	if err != nil {
		return Report{}, err
	}
	a := &Attack{seed: o.Seed, lasts: o.For, cpus: append(o.Beside[:len(o.Beside):len(o.Beside)], cpus...)}
	before := runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), mostThreads+3))
	defer runtime.GOMAXPROCS(before)
	defer context.AfterFunc(ctx, a.stop)()
	ended := make(chan struct{})
	var reporting sync.WaitGroup
	if o.Progress != nil {
		reporting.Go(func() { a.reportProgress(o.Progress, ended) })
	}
	err = s.Attack(a)
	close(ended)
	reporting.Wait()
	r := a.report()
	if r.Failure == "" {
		r.After = a.took
	}
	if err == nil && a.ready.Load() == 0 {
		err = errors.New("the attack launched no thread")
	}
	if err != nil {
		return r, fmt.Errorf("torture %s %s: %w", s.Family, s.Name, err)
	}
	return r, nil
}
