package torture

import (
	"context"
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

	// Progress, if not nil, is told the totals every hundredth of a second: what
	// is known of a run that kills its process.
	Progress func(Tally)
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
	Failure string        // the first violation: its invariant and what led to it; "" if none
	After   time.Duration // when it was noticed; without a failure, how long the run took
}

// Torture runs the subject until it fails, the time is over, or ctx is done. The error
// says that it could not be run at all.
func (s *Subject) Torture(ctx context.Context, o Options) (Report, error) {
	if err := s.Check(); err != nil {
		return Report{}, err
	}
	cpus, err := allowedCPUs()
	if err != nil {
		return Report{}, err
	}
	a := &attack{seed: o.Seed, began: time.Now(), cpus: append(o.Beside[:len(o.Beside):len(o.Beside)], cpus...)}
	before := runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), 2*threads+2))
	defer runtime.GOMAXPROCS(before)
	ctx, cancel := context.WithTimeout(ctx, o.For)
	defer cancel()
	var watching sync.WaitGroup
	watching.Go(func() { a.watch(ctx, o.Progress) })
	err = s.attack(a)
	cancel()
	watching.Wait()
	r := Report{Tally: a.tally(), After: time.Since(a.began)}
	if f := a.failure.Load(); f != nil {
		r.Failure, r.After = f.what, f.after
	}
	if err != nil {
		return r, fmt.Errorf("torture %s %s: %w", s.Family, s.Name, err)
	}
	return r, nil
}

// threads is the most that an attack starts.
const threads = 4

// An attack is one run under way.
type attack struct {
	seed  uint64
	began time.Time
	cpus  []int // that threads are pinned to in turn

	stopped atomic.Bool
	failure atomic.Pointer[failure]

	// passes has a counter for each reader, on a line of its own.
	passes      [threads]paddedCounter
	transitions atomic.Uint64

	// domain, if the attack has one, is where its readers stand. Stored by the
	// attack, read by watch.
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

// over reports whether threads should end.
func (a *attack) over() bool { return a.stopped.Load() }

// fail notes a violation; only the first one counts. It ends the run.
func (a *attack) fail(format string, args ...any) {
	f := &failure{fmt.Sprintf(format, args...), time.Since(a.began)}
	a.failure.CompareAndSwap(nil, f)
	a.stopped.Store(true)
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

// watch ends the run when ctx is done.
func (a *attack) watch(ctx context.Context, progress func(Tally)) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			a.stopped.Store(true)
			return
		case <-tick.C:
			if progress != nil {
				progress(a.tally())
			}
		}
	}
}
