package harness

import "github.com/tpbench/tpbench/harness/clock"

// A phase adds up the timed parts of one name of a Case.
type phase struct {
	ns     float64
	counts []Count // how much they added to Op.Counts
	rated  Count   // how much they added to Op.Rate
}

// timed returns how many ns a timed part took that lasted for so many ticks: it is less the
// overhead of the clock, and not below 0.
func timed(c *clock.Clock, ticks uint64) float64 { return max(0, c.NS(ticks)-c.Overhead().Median) }

// rate returns millions per second.
func (p *phase) rate() float64 { return float64(p.rated.N) / p.ns * 1e3 }

// add adds one timed part: the ticks from Start to Stop, less the clock's overhead, and how far
// the counters moved.
func (p *phase) add(c *clock.Clock, ticks uint64, before, after []Count, ratedBefore, rated Count) {
	p.ns += timed(c, ticks)
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
	slower *slowdown // or nil
	counts func() []Count
	rated  func() Count
	phases []phase

	// Since Start:
	current int     // the phase
	before  []Count // what counts returned
	rating  Count   // what rated returned
	begin   uint64  // the clock
}

func newTimer(c *clock.Clock, slower *slowdown, op *Op, phases int) *tscTimer {
	t := &tscTimer{clock: c, slower: slower, counts: op.Counts, rated: op.Rate, phases: make([]phase, phases)}
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
	if t.slower != nil {
		end = t.slower.lengthen(t.current, t.begin, end)
	}
	t.phases[t.current].add(t.clock, end-t.begin, t.before, t.counts(), t.rating, t.rated())
}
