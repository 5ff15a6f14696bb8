package benches

import (
	"cmp"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// What the other core does while sites are patched.
const (
	besideIdle  = "idle"  // nothing
	besideBusy  = "busy"  // executes other sites
	besideSites = "sites" // executes these
)

var pokeFamily = Family{
	Names: []string{"Poke"},
	Doc:   "rewriting the keys of many sites, by what another core does, and what that one suffers",
	axes: []axis{
		implAxis(variantNames(textpoke.Variants()), usualNames(textpoke.Variants())),
		numbers("sites", nil, 1, 64, 256, 4096),
		axisOf("beside", besideIdle, besideBusy, besideSites),
	},
	fits: func(k keys) bool { return k.num("sites") >= 1 && k.num("sites") <= dispatch.TextSites },
	check: func(k keys) error {
		return cmp.Or(dispatch.Open(), find(textpoke.Variants(), k["impl"]).Supported())
	},
	ops: func(k keys) int {
		if k["impl"] == stopper {
			return stopperOps
		}
		return 0
	},
	open: openPoke,
}

// stopper is the patcher that lets all threads, the reader too, give their CPUs away. There
// would be no batch in which nobody does, so its operations are timed together.
const (
	stopper    = "stop-readers"
	stopperOps = 200
)

// openPoke flips the keys between NOP and JMP. There is no probe behind them, so a
// reader's body ends at its NULL check. Whoever is busy elsewhere executes mapped sites.
func openPoke(k keys, e *harness.Env) (*harness.Op, error) {
	n := k.num("sites")
	events, err := dispatch.Events(dispatch.TextSites + n)
	if err != nil {
		return nil, err
	}
	sites, others := events[:n], events[dispatch.TextSites:]
	patch := find(textpoke.Variants(), k["impl"]).New
	on, off := dispatch.KeyChanges(sites)
	d := find(rcu.Variants(), "memb").New(rcu.Options{})
	var s *sufferer
	if k["beside"] != besideIdle {
		s = &sufferer{domain: d, sites: sites}
		if k["beside"] == besideBusy {
			s.sites = others
		}
		beside := e.Beside
		if k["impl"] == stopper {
			beside = e.BesideWaiting
		}
		if err := s.start(beside); err != nil {
			return nil, err
		}
	}
	next, other := on, off
	op := &harness.Op{
		Run: func(n int, t harness.Timer) {
			t.Start(0)
			for range n {
				must(patch(next))
				next, other = other, next
			}
			t.Stop()
		},
		Counts: func() []harness.Count {
			c := textpoke.Totals()
			return []harness.Count{
				{Unit: "core-syncs", N: c.Syncs},
				{Unit: "holds", N: c.Holds},
				{Unit: "stores", N: c.Stores},
				{Unit: "traps", N: c.Traps},
			}
		},
		Divide: []harness.Count{{Unit: "site", N: uint64(n)}},
		Close: func() {
			e.Stop()
			must(patch(off))
			d.Close()
		},
	}
	if s != nil {
		op.Values = s.values
	}
	return op, nil
}

// A sufferer is the thread beside the updater: it executes its sites in turn, and times
// every disturbSites of them. That goes on between the timed batches too, so its
// percentiles are of all its life; its worst is nearly always the updater's.
type sufferer struct {
	domain *rcu.Domain
	sites  []*dispatch.Site

	mu      sync.Mutex // protects latency
	latency *hdrhistogram.Histogram
}

func (s *sufferer) start(beside func(open func() (pass, end func(), err error)) error) error {
	ticks, err := clock.Open()
	if err != nil {
		return err
	}
	s.latency = hdrhistogram.New(1, int64(10*time.Second), 3)
	return beside(func() (pass, end func(), err error) {
		r := s.domain.Register()
		next := 0
		return func() {
			for range 16 {
				begin := clock.Start()
				for range disturbSites {
					s.sites[next].Fire(r)
					if next++; next == len(s.sites) {
						next = 0
					}
				}
				ns := lasted(ticks, clock.Stop()-begin)
				s.mu.Lock()
				must(s.latency.RecordValue(ns))
				s.mu.Unlock()
			}
		}, r.Unregister, nil
	})
}

func (s *sufferer) values() []harness.Value {
	s.mu.Lock()
	defer s.mu.Unlock()
	return percentiles(s.latency)
}

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
