package harness

import "github.com/tpbench/tpbench/harness/clock"

// A phase adds up the timed parts of one name of a Case.
type phase struct {
	ns     float64
	counts []Count // how much they added to Op.Counts
	rated  Count   // how much they added to Op.Rate
}

// rate returns millions per second.
func (p *phase) rate() float64 { return float64(p.rated.N) / p.ns * 1e3 }

// add adds one timed part: the ticks from Start to Stop, less the clock's overhead, and how far
// the counters moved.
func (p *phase) add(c *clock.Clock, ticks uint64, before, after []Count, ratedBefore, rated Count) {
	p.ns += max(0, c.NS(ticks)-c.Overhead().Median)
	p.rated = Count{rated.Unit, p.rated.N + rated.N - ratedBefore.N}
	if p.counts == nil {
		p.counts = make([]Count, len(after))
	}
	for i, c := range after {
		p.counts[i] = Count{c.Unit, p.counts[i].N + c.N - before[i].N}
	}
}

// tscTimer is the Timer of samples: it reads package clock and the counters.
type tscTimer struct {
	clock  *clock.Clock
	counts func() []Count
	rated  func() Count
	phases []phase

	// Since Start:
	current int     // the phase
	before  []Count // what counts returned
	rating  Count   // what rated returned
	begin   uint64  // the clock
}

func newTimer(c *clock.Clock, op *Op, phases int) *tscTimer {
	t := &tscTimer{clock: c, counts: op.Counts, rated: op.Rate, phases: make([]phase, phases)}
	if t.counts == nil {
		t.counts = func() []Count { return nil }
	}
	if t.rated == nil {
		t.rated = func() Count { return Count{} }
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
