package harness

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/montanaflynn/stats"

	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/harness/host"
)

const (
	// batchSteps is how many steps of the clock a batch lasts at least: its
	// quantum is then 0.1 % or less.
	batchSteps = 1000

	// batchMin is how long a batch lasts at least, in ns: long enough that a
	// thread beside it makes several passes, so that its standing still shows.
	batchMin = 50_000

	// fitBatches is how many batches in a row must last long enough before their
	// number of operations is accepted.
	fitBatches = 3

	// mostOps bounds a batch's operations: an operation that times nothing would
	// double them for ever.
	mostOps = 1 << 50

	// A sample is made of sampleBatches batches, or of fewer, but not below
	// sampleLeast, once it has lasted sampleTime ns.
	sampleBatches = 101
	sampleLeast   = 5
	sampleTime    = 100e6

	// disturbedShare of a sample's batches may have been taken while a neighbour
	// shared the core: its median is still a quiet one's.
	disturbedShare = 0.25

	// sampleLimit is how long a sample may take beyond the patience for a quiet
	// core. It is an error not to have sampleLeast batches by then.
	sampleLimit = 2 * time.Second
)

// errStandstill is returned when the threads beside the measuring one, or the
// measuring one itself, were kept off their CPUs too often: the machine is too busy.
var errStandstill = errors.New("the machine was too busy: threads were kept off their CPUs in most batches")

// A phase accumulates what one name of a Case is about.
type phase struct {
	ns     float64
	counts []Count // what the timed parts added
	rated  Count   // of Op.Rate, likewise
}

// rate is in millions per second.
func (p *phase) rate() float64 { return float64(p.rated.N) / p.ns * 1e3 }

// add counts one timed part: the clock's ticks from Start to Stop, of which an empty
// pair's overhead is not the operation's, and what the counters did meanwhile.
func (p *phase) add(c *clock.Clock, ticks uint64, before, after []Count, ratedBefore, rated Count) {
	p.ns += max(0, c.NS(ticks)-c.Overhead().Median)
	p.rated = Count{rated.Unit, p.rated.N + rated.N - ratedBefore.N}
	for i := range after {
		p.counts[i].N += after[i].N - before[i].N
	}
}

// tscTimer is the Timer of samples. It implements Timer by the fenced TSC.
type tscTimer struct {
	clock  *clock.Clock
	counts func() []Count
	rated  func() Count
	phases []phase

	current int
	before  []Count
	rating  Count // Op.Rate's before
	begin   uint64
}

func newTimer(c *clock.Clock, op *Op, phases int) *tscTimer {
	t := &tscTimer{clock: c, counts: op.Counts, rated: op.Rate, phases: make([]phase, phases)}
	if t.counts == nil {
		t.counts = func() []Count { return nil }
	}
	if t.rated == nil {
		t.rated = func() Count { return Count{} }
	}
	for i := range t.phases {
		t.phases[i].counts = t.counts()
		for j := range t.phases[i].counts {
			t.phases[i].counts[j].N = 0
		}
	}
	return t
}

func (t *tscTimer) Start(phase int) {
	t.current = phase
	t.before = t.counts()
	t.rating = t.rated()
	t.begin = clock.Start()
}

func (t *tscTimer) Stop() {
	end := clock.Stop()
	t.phases[t.current].add(t.clock, end-t.begin, t.before, t.counts(), t.rating, t.rated())
}

// A batch is one run of an operation and what happened to the machine meanwhile.
type batch struct {
	phases []phase
	counts bool // the kernel took no CPU away, and the threads beside moved on
	quiet  bool // no neighbour shared the core just before and just after
}

// A sample is what one phase came to.
type sample struct {
	at     time.Time
	ops    int // timed operations behind it
	values []Value

	// Batches: timed, used, and of those used the ones beside a neighbour.
	tried, kept, shared int
}

// disturbed reports whether a neighbour had the core in too much of the sample.
func (s *sample) disturbed() bool { return float64(s.shared) > disturbedShare*float64(s.kept) }

// A sampler makes samples of batches. Its functions are the machine; tests have others.
type sampler struct {
	op       *Op
	least    float64 // ns that a batch lasts at least
	batch    func(n int) (batch, error)
	quiet    func() bool
	switches func() (int64, error) // see host.Switches
	now      func() time.Time
}

// newSampler returns the sampler of a case on this machine.
func newSampler(c *clock.Clock, cs *Case, op *Op, env *Env) *sampler {
	s := &sampler{op: op, least: max(batchMin, batchSteps*c.Precision()), quiet: quiet, switches: host.Switches, now: time.Now}
	s.batch = func(n int) (batch, error) {
		t := newTimer(c, op, len(cs.Names))
		before, err := s.switches()
		if err != nil {
			return batch{}, err
		}
		b := batch{phases: t.phases, quiet: s.quiet()}
		w := env.watch()
		op.Run(n, t)
		b.counts = w.moved()
		b.quiet = s.quiet() && b.quiet
		after, err := s.switches()
		if cs.Ops == 0 { // others may sleep as part of what they do
			b.counts = b.counts && after == before
		}
		return b, err
	}
	return s
}

// measure takes a sample of each of the case's phases. It waits for a quiet core for
// as long as patience, and after that takes what it gets.
func (s *sampler) measure(ctx context.Context, cs *Case, patience time.Duration) ([]sample, error) {
	until := s.now().Add(patience)
	for !s.quiet() && s.now().Before(until) {
	}
	at, deadline := s.now(), s.now().Add(sampleLimit)
	var samples []sample
	var err error
	if cs.Ops == 0 {
		samples, err = s.batches(ctx, deadline)
	} else {
		samples, err = s.once(ctx, cs.Ops, deadline)
	}
	for i := range samples {
		samples[i].at = at
		if s.op.Values != nil {
			samples[i].values = append(samples[i].values, s.op.Values()...)
		}
	}
	return samples, err
}

// once times so many operations together, again until they count. Its error is
// errStandstill, or ctx's.
func (s *sampler) once(ctx context.Context, n int, deadline time.Time) ([]sample, error) {
	for tried := 1; ; tried++ {
		b, err := s.batch(n)
		switch {
		case err != nil:
			return nil, err
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case !b.counts && s.now().After(deadline):
			return nil, errStandstill
		case !b.counts:
			continue
		}
		ops := n * max(1, s.op.Unit)
		samples := make([]sample, len(b.phases))
		for i, p := range b.phases {
			samples[i] = sample{ops: ops, tried: tried, kept: 1}
			if !b.quiet {
				samples[i].shared = 1
			}
			if p.ns > 0 {
				samples[i].values = append(perOp(s.op, p.ns/float64(ops), p.counts, ops), perSecond(p.rated, p.rate())...)
			}
		}
		return samples, nil
	}
}

// fit returns a number of operations, n or more, of which batches last long enough. A
// batch that is too short shows that at once: what disturbs a batch makes it longer.
// That a batch is long enough is believed only of batches that count, several in a row.
func (s *sampler) fit(ctx context.Context, n int, deadline time.Time) (int, error) {
	for long := 0; long < fitBatches; {
		if n > mostOps {
			return 0, fmt.Errorf("harness: %d operations take less than %v ns: the operation times nothing", n, s.least)
		}
		b, err := s.batch(n)
		switch {
		case err != nil:
			return 0, err
		case ctx.Err() != nil:
			return 0, ctx.Err()
		case b.phases[0].ns < s.least:
			n, long = 2*n, 0
		case b.counts:
			long++
		case s.now().After(deadline):
			return 0, errStandstill
		}
	}
	return n, nil
}

// batches times as many operations as the clock needs, many times over. What a batch
// took is never a reason to drop it.
func (s *sampler) batches(ctx context.Context, deadline time.Time) ([]sample, error) {
	for n := 1; ; n *= 2 {
		var err error
		if n, err = s.fit(ctx, n, deadline); err != nil {
			return nil, err
		}
		one, median, err := s.collect(ctx, n, deadline)
		if err != nil {
			return nil, err
		}
		// The machine may have been slow while n was fitted, and fast now.
		if median >= s.least {
			return []sample{one}, nil
		}
	}
}

// collect makes a sample of batches of n operations, and returns their median in ns too.
func (s *sampler) collect(ctx context.Context, n int, deadline time.Time) (sample, float64, error) {
	var (
		one    sample
		sum    phase
		ns     []float64
		rates  []float64
		failed = func(err error) (sample, float64, error) { return sample{}, 0, err }
	)
	for len(ns) < sampleBatches && (len(ns) < sampleLeast || sum.ns < sampleTime) {
		if s.now().After(deadline) {
			if len(ns) < sampleLeast {
				return failed(errStandstill)
			}
			break
		}
		b, err := s.batch(n)
		if err = errors.Join(err, ctx.Err()); err != nil {
			return failed(err)
		}
		one.tried++
		if !b.counts {
			continue
		}
		one.kept++
		if !b.quiet {
			one.shared++
		}
		p := b.phases[0]
		ns, rates = append(ns, p.ns), append(rates, p.rate())
		sum.ns += p.ns
		sum.rated = p.rated
		if sum.counts == nil {
			sum.counts = p.counts
			continue
		}
		for i := range sum.counts {
			sum.counts[i].N += p.counts[i].N
		}
	}
	median, err := stats.Median(ns)
	if err != nil {
		return failed(fmt.Errorf("harness: %w", err))
	}
	rate, err := stats.Median(rates)
	if err != nil {
		return failed(fmt.Errorf("harness: %w", err))
	}
	unit := n * max(1, s.op.Unit)
	one.ops = one.kept * unit
	one.values = append(perOp(s.op, median/float64(unit), sum.counts, one.ops), perSecond(sum.rated, rate)...)
	return one, median, nil
}

// perSecond words a rate as a benchmark-format value, if the operation has one.
func perSecond(c Count, rate float64) []Value {
	if c.Unit == "" {
		return nil
	}
	return []Value{{"M" + c.Unit + "/s", rate}}
}

// perOp words a phase as benchmark-format values.
func perOp(op *Op, nsPerOp float64, counts []Count, ops int) []Value {
	values := []Value{{"ns/op", nsPerOp}}
	for _, d := range op.Divide {
		values = append(values, Value{"ns/" + d.Unit, nsPerOp / float64(d.N)})
	}
	for _, c := range counts {
		values = append(values, Value{c.Unit + "/op", float64(c.N) / float64(ops)})
	}
	return values
}
