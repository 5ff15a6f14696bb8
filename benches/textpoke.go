package benches

import (
	"cmp"
	"sync"

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

var pokeBench = Benchmark{
	Names: []string{"Poke"},
	Doc:   "rewriting the keys of many sites, by what another core does, and how long that core's passes take",
	Roles: []string{"patching"},
	Table: "Text patching: one batch of sites",
	axes: []axis{
		variantAxis(textpoke.Variants()),
		numbers("sites", nil, 1, 64, 256, 4096),
		axisOf("beside", besideIdle, besideBusy, besideSites),
	},
	hardware: []string{"beside=" + besideBusy, "beside=" + besideSites},
	fits:     func(k keys) bool { return k.num("sites") >= 1 && k.num("sites") <= dispatch.TextSites },
	check: func(k keys) error {
		return cmp.Or(dispatch.Open(), find(textpoke.Variants(), k["impl"]).Supported())
	},
	ops: func(k keys) int {
		if find(textpoke.Variants(), k["impl"]).Slow {
			return slowPatches
		}
		return 0
	},
	open: openPoke,
}

// slowPatches is how many operations of a slow patcher make a sample. Such a patcher makes
// all threads, the reader too, give their CPUs away. The harness drops a batch in which that
// happens, and would drop all; so the operations are timed together.
const slowPatches = 200

// strategiesPatcher is the patcher by which strategies switch keys: textpoke.Int3Batch.
const strategiesPatcher = "int3-batch"

// syncsAtEverySite reports whether a patcher interrupts all CPUs for each site of a batch
// by itself. It is measured, as waitsAtEveryEvent is.
func syncsAtEverySite(patcher string) bool {
	const n = 64
	v := find(textpoke.Variants(), patcher)
	sites, err := dispatch.Events(n)
	if err != nil || v.Supported() != nil {
		return false // nor can the evidence be measured here
	}
	on, off := dispatch.KeyChanges(sites)
	before := textpoke.Totals().Syncs
	must(v.New(on))
	synced := textpoke.Totals().Syncs - before
	must(v.New(off))
	return synced >= n
}

// openPoke switches the keys between NOP and JMP. The sites have no probe, so a reader that
// enters a site's body leaves it at the NULL check. A thread that is busy elsewhere executes
// sites in mapped memory.
func openPoke(k keys, e *harness.Env) (*harness.Op, error) {
	n := k.num("sites")
	events, err := dispatch.Events(dispatch.TextSites + n)
	if err != nil {
		return nil, err
	}
	sites, others := events[:n], events[dispatch.TextSites:]
	patcher := find(textpoke.Variants(), k["impl"])
	patch := patcher.New
	on, off := dispatch.KeyChanges(sites)
	d := find(rcu.Variants(), expedited).New(rcu.Options{})
	var s *timedReader
	if k["beside"] != besideIdle {
		s = &timedReader{domain: d, sites: sites}
		if k["beside"] == besideBusy {
			s.sites = others
		}
		beside := e.Beside
		if patcher.Slow {
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

// A timedReader is the thread beside the updater: it executes its sites one after the
// other, and times every disturbSites of them. It does so between the timed batches too, so
// its percentiles are of the whole sample; its longest passes are those that patching
// interrupts.
type timedReader struct {
	domain *rcu.Domain
	sites  []*dispatch.Site

	mu      sync.Mutex // protects latency
	latency *hdrhistogram.Histogram
}

func (s *timedReader) start(beside func(open func() (pass, end func(), err error)) error) error {
	ticks, err := clock.Open()
	if err != nil {
		return err
	}
	s.latency = newLatency()
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

func (s *timedReader) values(int) []harness.Value {
	s.mu.Lock()
	defer s.mu.Unlock()
	return percentiles(s.latency)
}
