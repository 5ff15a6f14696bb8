package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/montanaflynn/stats"

	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/harness/host"
)

const (
	// A batch lasts at least batchSteps steps of the clock, so that one step is 0.1 % of it.
	batchSteps = 1000

	// A batch lasts at least batchMin ns, so that a thread beside it makes several passes,
	// and none only if it stands still.
	batchMin = 50_000

	// fitBatches is how many batches in a row must last long enough before their
	// number of operations is accepted.
	fitBatches = 3

	// mostOps bounds the operations of a batch. Without it an operation that times nothing
	// would double them without end.
	mostOps = 1 << 50

	// A sample is made of sampleBatches batches. Once it has lasted sampleTime ns,
	// sampleLeast are enough.
	sampleBatches = 101
	sampleLeast   = 5
	sampleTime    = 100e6

	// disturbedShare is the share of a sample's batches that may be shared: the median of
	// the sample is then still that of a batch which is not.
	disturbedShare = 0.25

	// sampleLimit is how long a sample may take, without the time in which it waits for a
	// quiet core. It is an error not to have sampleLeast batches by then.
	sampleLimit = 2 * time.Second
)

// errStandstill is returned when too many batches did not count, because the measuring
// thread or one beside it was kept off its CPU.
var errStandstill = errors.New("the machine was too busy: threads were kept off their CPUs in most batches")

// A batch is one call of Op.Run, with what the machine did meanwhile.
type batch struct {
	phases []phase
	counts bool // the kernel took no CPU away, and each thread beside made a pass
	quiet  bool // no neighbour used the core just before and just after
}

// A sample is the measurement of one phase.
type sample struct {
	at     time.Time
	ops    int // operations in the batches that count
	values []Value

	// Numbers of batches: timed; that count; that count and are shared.
	tried, kept, shared int
}

// disturbed reports whether a neighbour used the core in too many batches.
func (s *sample) disturbed() bool { return float64(s.shared) > disturbedShare*float64(s.kept) }

// A sampler makes samples of batches. Its functions read the machine; tests replace them.
type sampler struct {
	op       *Op
	least    float64   // how long a batch lasts at least, in ns
	virtual  bool      // the clock counts the instructions of a guest
	slower   *slowdown // of all batches, or nil
	batch    func(n int) (batch, error)
	quiet    func() bool
	switches func() (int64, error) // see host.Switches
	now      func() time.Time
}

// newSampler returns the sampler of a case on this machine. See Planned.Slower.
func newSampler(c *clock.Clock, cs *Case, op *Op, env *Env, slower float64) *sampler {
	virtual := clock.Virtual()
	s := &sampler{
		op: op, least: max(batchMin, batchSteps*c.Precision()), slower: newSlowdown(slower, c, len(cs.Names)),
		virtual: virtual, quiet: canary(virtual), switches: host.Switches, now: time.Now,
	}
	s.batch = func(n int) (batch, error) {
		t := newTimer(c, s.slower, op, len(cs.Names))
		before, err := s.switches()
		if err != nil {
			return batch{}, err
		}
		b := batch{phases: t.phases, quiet: s.quiet()}
		moved := env.watch()
		op.Run(n, t)
		b.counts = moved()
		b.quiet = s.quiet() && b.quiet
		after, err := s.switches()
		if cs.Ops == 0 { // an operation whose case fixes its number may sleep
			b.counts = b.counts && after == before
		}
		return b, err
	}
	return s
}

// measure takes a sample of each of the case's phases. Before that it waits for a quiet core,
// but no longer than patience.
func (s *sampler) measure(ctx context.Context, cs *Case, patience time.Duration) ([]sample, error) {
	until := s.now().Add(patience)
	for !s.quiet() && s.now().Before(until) {
	}
	most := 1
	if s.virtual && cs.Ops > 0 {
		// Nothing interrupts a batch, however long it is. The first one also pays for code and memory that it is the first to use.
		if _, err := s.batch(cs.Ops); err != nil {
			return nil, err
		}
		most = sampleBatches
	}
	at, deadline := s.now(), s.now().Add(sampleLimit)
	var samples []sample
	var err error
	if cs.Ops == 0 {
		samples, err = s.batches(ctx, deadline)
	} else {
		samples, _, err = s.collect(ctx, cs.Ops, 1, most, deadline)
	}
	for i := range samples {
		samples[i].at = at
		if cs.Untimed {
			samples[i].shared = 0
		}
		if s.op.Values != nil {
			samples[i].values = append(samples[i].values, s.op.Values(i)...)
		}
	}
	return samples, err
}

// fit returns a number of operations, n or more, with which a batch lasts long enough. One
// batch that is too short is enough to reject a number, because a disturbance makes a batch
// longer, not shorter. To accept it, several batches that count must be long enough, in a row.
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

// batches makes a sample of many batches that are long enough. How long a batch took is never a
// reason to drop it.
func (s *sampler) batches(ctx context.Context, deadline time.Time) ([]sample, error) {
	for n := 1; ; n *= 2 {
		var err error
		if n, err = s.fit(ctx, n, deadline); err != nil {
			return nil, err
		}
		samples, batch, err := s.collect(ctx, n, sampleLeast, sampleBatches, deadline)
		if err != nil {
			return nil, err
		}
		// If the machine was slower during fit than it is now, n is too small.
		if batch >= s.least {
			return samples, nil
		}
	}
}

// collect makes a sample of each phase from batches of n operations that count: most of them, or
// least and more once they have lasted long enough or the deadline has passed. It also returns the
// median batch of the first phase in ns. Its error is errStandstill, ctx's, or that of a batch.
func (s *sampler) collect(ctx context.Context, n, least, most int, deadline time.Time) ([]sample, float64, error) {
	var (
		one    sample
		kept   []batch
		lasted float64
	)
	for len(kept) < most && (len(kept) < least || lasted < sampleTime) {
		if s.now().After(deadline) {
			if len(kept) < least {
				return nil, 0, errStandstill
			}
			break
		}
		b, err := s.batch(n)
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, 0, err
		}
		one.tried++
		if !b.counts {
			continue
		}
		kept = append(kept, b)
		lasted += b.phases[0].ns
		if !b.quiet {
			one.shared++
		}
	}
	unit := n * max(1, s.op.Unit)
	one.kept, one.ops = len(kept), len(kept)*unit
	samples := make([]sample, len(kept[0].phases))
	var batch float64
	for i := range samples {
		ns, rates, sum := gather(kept, i)
		if i == 0 {
			batch = median(ns)
		}
		samples[i] = one
		if median(ns) > 0 {
			samples[i].values = perOp(s.op, median(ns)/float64(unit), sum, one.ops, median(rates))
		}
	}
	return samples, batch, nil
}

// gather returns the times and the rates of one phase in batches, and the sums of its counts.
func gather(batches []batch, i int) (ns, rates []float64, sum phase) {
	for _, b := range batches {
		p := b.phases[i]
		ns, rates = append(ns, p.ns), append(rates, p.rate())
		if sum.counts == nil {
			sum = phase{counts: slices.Clone(p.counts), rated: p.rated}
			continue
		}
		for j, c := range p.counts {
			sum.counts[j].N += c.N
		}
	}
	return ns, rates, sum
}

// median returns the median of one value or more.
func median(values []float64) float64 {
	m, _ := stats.Median(values) // the error is that there are no values
	return m
}
