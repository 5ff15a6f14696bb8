package harness

import (
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

	// A sample is made of sampleBatches batches, or of fewer, but not below
	// sampleLeast, once it has lasted sampleTime ns.
	sampleBatches = 101
	sampleLeast   = 5
	sampleTime    = 100e6

	// noisyShare of a sample's batches may be noisy: its median is still a quiet one's.
	noisyShare = 0.25

	// sampleLimit is how long a sample may take beyond the patience for a quiet
	// core. It is an error not to have sampleLeast batches by then.
	sampleLimit = 2 * time.Second
)

// ErrStandstill is returned when the threads beside the measuring one, or the
// measuring one itself, were kept off their CPUs too often: the machine is too busy.
var ErrStandstill = errors.New("the machine was too busy: threads were kept off their CPUs in most batches")

// A phase accumulates what one name of a Case is about.
type phase struct {
	ns     float64
	counts []Count // what the timed parts added
	rated  Count   // of Op.Rate, likewise
}

// rate is in millions per second.
func (p *phase) rate() float64 { return float64(p.rated.N) / p.ns * 1e3 }

// tscTimer is the Timer of samples. It implements Timer by the fenced TSC.
type tscTimer struct {
	clock  *clock.Clock
	counts func() []Count
	rated  func() Count
	phases []phase

	current int
	before  []Count
	rating  uint64 // Op.Rate's before
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
	t.rating = t.rated().N
	t.begin = clock.Start()
}

func (t *tscTimer) Stop() {
	end := clock.Stop()
	p := &t.phases[t.current]
	rated := t.rated()
	p.rated = Count{rated.Unit, p.rated.N + rated.N - t.rating}
	p.ns += max(0, t.clock.NS(end-t.begin)-t.clock.Overhead().Median)
	for i, after := range t.counts() {
		p.counts[i].N += after.N - t.before[i].N
	}
}

// A sample is what one phase came to.
type sample struct {
	ops    int // timed operations behind it
	values []Value
	noisy  bool // the core was not ours alone; see quiet
}

// measure takes a sample of each of the case's phases. It waits for a quiet core for
// as long as patience, and after that takes what it gets.
func measure(c *clock.Clock, cs *Case, op *Op, env *Env, patience time.Duration) ([]sample, error) {
	until := time.Now().Add(patience)
	if cs.Ops == 0 {
		return batches(c, op, env, until)
	}
	for !quiet() && time.Now().Before(until) {
	}
	for {
		samples, err := once(c, cs, op, env)
		if err == nil || time.Since(until) > sampleLimit {
			return samples, err
		}
	}
}

// once times cs.Ops operations together. Its error is ErrStandstill.
func once(c *clock.Clock, cs *Case, op *Op, env *Env) ([]sample, error) {
	t := newTimer(c, op, len(cs.Names))
	before := quiet()
	w := env.watch()
	op.Run(cs.Ops, t)
	if !w.moved() {
		return nil, ErrStandstill
	}
	noisy := !before || !quiet()
	var own []Value
	if op.Values != nil {
		own = op.Values()
	}
	samples := make([]sample, len(t.phases))
	for i, p := range t.phases {
		ops := cs.Ops * max(1, op.Unit)
		s := sample{ops: ops, noisy: noisy}
		if p.ns > 0 {
			s.values = perOp(op, p.ns/float64(ops), p.counts, ops)
			s.values = append(s.values, perSecond(p.rated, p.rate())...)
		}
		s.values = append(s.values, own...)
		samples[i] = s
	}
	return samples, nil
}

// batches times as many operations as the clock needs, many times over.
func batches(c *clock.Clock, op *Op, env *Env, until time.Time) ([]sample, error) {
	batch := func(n int) *tscTimer {
		t := newTimer(c, op, 1)
		op.Run(n, t)
		return t
	}
	least := max(batchMin, batchSteps*c.Precision())
	n := 1
	for batch(n).phases[0].ns < least {
		n *= 2
	}
	var (
		ns     []float64
		rates  []float64
		rated  Count
		counts []Count
		total  float64
		shared int // batches among ns in which the core was not ours alone
	)
	for len(ns) < sampleBatches && (len(ns) < sampleLeast || total < sampleTime) {
		if time.Since(until) > sampleLimit {
			if len(ns) < sampleLeast {
				return nil, ErrStandstill
			}
			break
		}
		switches, err := host.Switches()
		if err != nil {
			return nil, err
		}
		ours := quiet()
		w := env.watch()
		p := batch(n).phases[0]
		moved := w.moved()
		ours = ours && quiet()
		after, err := host.Switches()
		if err != nil {
			return nil, err
		}
		if !ours && time.Now().Before(until) {
			continue
		}
		if after != switches || !moved {
			continue
		}
		if !ours {
			shared++
		}
		total += p.ns
		ns = append(ns, p.ns)
		rates, rated = append(rates, p.rate()), p.rated
		if counts == nil {
			counts = p.counts
			continue
		}
		for i := range counts {
			counts[i].N += p.counts[i].N
		}
	}
	median, err := stats.Median(ns)
	if err != nil {
		return nil, fmt.Errorf("harness: %w", err)
	}
	rate, err := stats.Median(rates)
	if err != nil {
		return nil, fmt.Errorf("harness: %w", err)
	}
	unit := n * max(1, op.Unit)
	s := sample{ops: len(ns) * unit, noisy: float64(shared) > noisyShare*float64(len(ns))}
	s.values = perOp(op, median/float64(unit), counts, s.ops)
	s.values = append(s.values, perSecond(rated, rate)...)
	if op.Values != nil {
		s.values = append(s.values, op.Values()...)
	}
	return []sample{s}, nil
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
