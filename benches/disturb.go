package benches

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/impls/dispatch"
)

// Undisturbed is Disturb's control, in the place of a strategy: the reader alone, no
// thread switches events.
const Undisturbed = "none"

const (
	// disturbSites is how many sites one timed pass of a reader fires: enough that
	// the pass outweighs the clock's overhead.
	disturbSites = 64

	// disturbTime is how long a sample lasts.
	disturbTime = 100 * time.Millisecond
)

var disturbBench = Benchmark{
	Names: []string{"Disturb"},
	Doc:   "the latency of a reader's passes over 64 sites while another core switches all events, one after the other",
	Roles: []string{"reader-latency"},
	Table: "Reader latency while another core switches every event",
	axes: []axis{
		implAxis(append([]string{Undisturbed}, allStrategies...), append([]string{Undisturbed}, strategies...)),
		gpAxis, eventsAxis(256), readersAxis(1),
	},
	fits:     func(k keys) bool { return k.num("events") >= disturbSites && k.num("readers") == 1 },
	hardware: wholly,
	check:    checkStrategy,
	ops:      always(1),
	open:     openDisturb,
}

// openDisturb has the measuring thread for its reader, and the updater is the thread
// beside it. In all other benchmarks it is the other way round.
func openDisturb(k keys, e *harness.Env) (*harness.Op, error) {
	ticks, err := clock.Open()
	if err != nil {
		return nil, err
	}
	s, err := newSetup(keys{"impl": k["impl"], "gp": k["gp"], "readers": "0"}, e, k.num("events"))
	if err != nil {
		return nil, err
	}
	if k["impl"] != Undisturbed {
		if err := e.BesideWaiting(s.switchNext); err != nil {
			return nil, err
		}
	}
	reader := s.domain.Register()
	latency := newLatency()
	return &harness.Op{
		Run: func(n int, _ harness.Timer) {
			latency.Reset() // it may hold passes of a Run that did not count
			for range n {
				for end := time.Now().Add(disturbTime); time.Now().Before(end); {
					for range 100 {
						begin := clock.Start()
						dispatch.Sweep(reader, disturbSites)
						must(latency.RecordValue(lasted(ticks, clock.Stop()-begin)))
					}
					reader.Quiescent()
				}
			}
		},
		Values: func(int) []harness.Value { return percentiles(latency) },
		Close: func() {
			reader.Unregister() // first: the updater may wait for this reader
			s.close()
		},
	}, nil
}

// switchNext is the updater's pass: it registers a probe with one event. When all events have
// one, its passes unregister them, one in each pass; and so on.
func (s *setup) switchNext() (pass, end func(), err error) {
	next, on := 0, false
	return func() {
		if on {
			must(s.unregister(s.events[next], 0))
		} else {
			must(s.register(s.events[next], 0, 0))
		}
		if next++; next == len(s.events) {
			next, on = 0, !on
		}
	}, func() {}, nil
}

// newLatency makes a histogram of ns, up to 10 s, with three digits.
func newLatency() *hdrhistogram.Histogram { return hdrhistogram.New(1, int64(10*time.Second), 3) }

// lasted is how many ns a pass took, without the clock's overhead. A histogram has no 0.
func lasted(c *clock.Clock, ticks uint64) int64 {
	return max(1, int64(c.NS(ticks)-c.Overhead().Median))
}

// percentiles are what is reported of a reader's passes.
func percentiles(latency *hdrhistogram.Histogram) []harness.Value {
	return []harness.Value{
		{Unit: "p50-ns", V: float64(latency.ValueAtQuantile(50))},
		{Unit: "p90-ns", V: float64(latency.ValueAtQuantile(90))},
		{Unit: "p99-ns", V: float64(latency.ValueAtQuantile(99))},
		{Unit: "p99.9-ns", V: float64(latency.ValueAtQuantile(99.9))},
		{Unit: "max-ns", V: float64(latency.Max())},
	}
}
