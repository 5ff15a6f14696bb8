package benches

import (
	"fmt"
	"slices"
	"time"
	"unsafe"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/textpoke"
	"github.com/tpbench/tpbench/impls/tracepoint"
)

// DefaultEvents is about a third of what a distribution's kernel has.
const DefaultEvents = 1000

// transitionsPerSample is how many operations of Churn, PingPong or Shrink make a sample where
// a grace period is slow. They are few: one that waits takes milliseconds, and counts such as
// gp-waits are exact for any number.
const transitionsPerSample = 5

// baseline is what the kernel had in v5.10: direct calls without the waits that make them safe. A
// busted strategy (wrong on purpose) is measured only if --impl names it; this one always is,
// since it shows what the waits cost.
const baseline = "direct-static-call"

// allStrategies are the values that --impl can name; strategies are those that are measured
// without --impl.
var (
	allStrategies = variantNames(tracepoint.Variants())
	strategies    = slices.DeleteFunc(slices.Clone(allStrategies), func(name string) bool {
		return name != baseline && find(tracepoint.Variants(), name).Status == impls.Busted
	})
)

func eventsAxis(n int) axis {
	return numbers("events", func(p Params) []int { return p.Events }, n)
}

var bulkBench = Benchmark{
	Names: []string{"DisableAll", "EnableAll"},
	Doc:   "one bulk change that unregisters the probe of every event, and one that registers it again at once",
	Roles: []string{"disable", "enable"},
	axes: []axis{
		implAxis(allStrategies, strategies), gpAxis, eventsAxis(DefaultEvents), numbers("probes", nil, 1), readersAxis(0),
	},
	slow:  func(k keys) time.Duration { return time.Duration(k.num("events")) * slowestGracePeriod },
	check: checkStrategy,
	ops: func(k keys) int {
		if k.num("events") <= shortBulk {
			return fewIfSlow(1)(k)
		}
		return 1
	},
	open: openBulk,
}

// shortBulk is up to how many events a bulk change is repeated within a sample. A longer one is a
// sample by itself: with some strategies it lasts milliseconds, as a time slice of the kernel does,
// so on a busy machine most of them are interrupted, and batches that are interrupted do not
// count.
const shortBulk = 128

// slowestGracePeriod is more than one grace period of a loaded kernel takes.
const slowestGracePeriod = 200 * time.Millisecond

var churnBench = singleTransition(Benchmark{
	Names: []string{"Churn"},
	Doc:   "disable one event, and enable another one, of which no reader can hold data any more",
	Short: "disable one event, enable an unrelated one",
}, 2*transitionsPerSample, func(_ keys, s *setup) (func(int, harness.Timer), error) {
	// The first probe that an event ever has costs more: its static call leaves the
	// iterator. So each event gets a probe here, and half of the events lose it again.
	for i, tp := range s.events {
		if err := s.register(tp, 0, 0); err != nil {
			return nil, err
		}
		if i >= transitionsPerSample {
			if err := s.unregister(tp, 0); err != nil {
				return nil, err
			}
		}
	}
	next := 0 // this event and the transitionsPerSample-1 after it are on, the others off
	return func(n int, t harness.Timer) {
		for n > 0 {
			s.domain.Barrier() // no reader holds data of the events that are off now
			some := min(n, transitionsPerSample)
			t.Start(0)
			for range some {
				must(s.unregister(s.events[next], 0))
				must(s.register(s.events[(next+transitionsPerSample)%len(s.events)], 0, 0))
				next = (next + 1) % len(s.events)
			}
			t.Stop()
			n -= some
		}
	}, nil
})

var pingPongBench = singleTransition(Benchmark{
	Names: []string{"PingPong"},
	Doc:   "one event 1->0->1, with another probe each time",
	Short: "replace an event's only probe",
}, 1, func(_ keys, s *setup) (func(int, harness.Timer), error) {
	tp, probe := s.events[0], 0
	return func(n int, t harness.Timer) {
		t.Start(0)
		for range n {
			must(s.unregister(tp, probe))
			probe = 1 - probe
			must(s.register(tp, probe, 0))
		}
		t.Stop()
	}, s.register(tp, probe, 0)
})

var shrinkBench = singleTransition(Benchmark{
	Names: []string{"Shrink"},
	Doc:   "2->1 on one event: the first probe removed, or the last",
	Short: "remove the first of two",
	Shown: "removed=first",
}, 1, func(k keys, s *setup) (func(int, harness.Timer), error) {
	tp := s.events[0]
	prio := []int{1, 0} // probe 0 is called first
	removed := 0
	if k["removed"] == "last" {
		removed = 1
	}
	for probe := range prio {
		if err := s.register(tp, probe, prio[probe]); err != nil {
			return nil, err
		}
	}
	return func(n int, t harness.Timer) {
		for range n {
			t.Start(0)
			err := s.unregister(tp, removed)
			t.Stop()
			must(err)
			must(s.register(tp, removed, prio[removed]))
		}
	}, nil
}, axisOf("removed", "first", "last"))

// singleTransition completes a benchmark of single transitions (changes of one event's number of
// probes). It opens so many events without probes. prepare registers the probes that the
// operation begins with, and returns the operation.
func singleTransition(b Benchmark, events int, prepare func(keys, *setup) (func(n int, t harness.Timer), error), more ...axis) Benchmark {
	b.Roles, b.Table = []string{"transition"}, "Single transitions"
	b.axes = slices.Concat([]axis{implAxis(allStrategies, strategies), gpAxis}, more, []axis{readersAxis(0)})
	b.check = checkStrategy
	b.ops = fewIfSlow(transitionsPerSample)
	b.open = func(k keys, e *harness.Env) (*harness.Op, error) {
		s, err := newSetup(k, e, events)
		if err != nil {
			return nil, err
		}
		run, err := prepare(k, s)
		return s.op(run), err
	}
	return b
}

// checkStrategy reports why a strategy or a flavour cannot run here.
func checkStrategy(k keys) error {
	if impl := k["impl"]; impl != Undisturbed {
		if err := find(tracepoint.Variants(), impl).Supported(); err != nil {
			return err
		}
	}
	return checkFlavour(k)
}

// A setup is a registry of events, and readers that fire them.
type setup struct {
	domain   *rcu.Domain
	registry *tracepoint.Registry
	events   []*tracepoint.Tracepoint
	env      *harness.Env

	// data is what probe i is registered with. The two differ, because strategies do
	// without a wait where a probe's data stays the same.
	data [2]*uint64
}

// newSetup opens a domain of the flavour k["gp"], adds the given number of events to a registry
// of the strategy k["impl"], and starts k["readers"] readers. For Undisturbed, the control of
// Disturb, there is a domain and sites, and no registry.
func newSetup(k keys, e *harness.Env, events int) (*setup, error) {
	s := &setup{
		domain: find(rcu.Variants(), k["gp"]).New(rcu.Options{}),
		env:    e,
		data:   [2]*uint64{new(uint64), new(uint64)},
	}
	sites, err := dispatch.Events(events)
	if err != nil || k["impl"] == Undisturbed {
		return s, err
	}
	s.registry = tracepoint.New(find(tracepoint.Variants(), k["impl"]).New, s.domain)
	for i, site := range sites {
		tp, err := s.registry.Add(fmt.Sprintf("event%d", i), site)
		if err != nil {
			return nil, err
		}
		s.events = append(s.events, tp)
	}
	if err := k.beside(e, s.reader); err != nil {
		return nil, err
	}
	return s, nil
}

// reader returns a pass that fires events one after the other, 256 times or each once, which takes
// some microseconds; the harness repeats it. Events beyond dispatch.TextSites are left out: their
// sites have another shape, and would take another time.
func (s *setup) reader() (pass, end func(), err error) {
	r := s.domain.Register()
	n := min(len(s.events), dispatch.TextSites)
	repeat := max(1, 256/n)
	return func() {
		for range repeat {
			dispatch.Sweep(r, n)
		}
		r.Quiescent()
	}, r.Unregister, nil
}

func (s *setup) probe(i int) dispatch.Probe {
	return dispatch.Probe{Fn: dispatch.Nop(), Data: unsafe.Pointer(s.data[i])}
}

func (s *setup) register(tp *tracepoint.Tracepoint, probe, prio int) error {
	p := s.probe(probe)
	p.Prio = prio
	return s.registry.Register(tp, p)
}

func (s *setup) unregister(tp *tracepoint.Tracepoint, probe int) error {
	return s.registry.Unregister(tp, s.probe(probe))
}

// requests asks for one change of every event: probe 0 removed, or registered.
func (s *setup) requests(remove bool) []tracepoint.Request {
	var all []tracepoint.Request
	for _, tp := range s.events {
		all = append(all, tracepoint.Request{Tracepoint: tp, Probe: s.probe(0), Remove: remove})
	}
	return all
}

// op makes an operation of its Run.
func (s *setup) op(run func(n int, t harness.Timer)) *harness.Op {
	return &harness.Op{Run: run, Counts: s.counts, Close: s.close}
}

func (s *setup) counts() []harness.Count {
	gp, text := s.domain.Counters(), textpoke.Totals()
	return []harness.Count{
		{Unit: "gp-waits", N: gp.Waited},
		{Unit: "gp-elided", N: gp.Elided},
		{Unit: "core-syncs", N: text.Syncs},
	}
}

// close switches the sites off, as the next setup expects them. A worker process, which measures
// one sample on a pinned CPU, has no next setup, and switching off may take as long as the sample.
func (s *setup) close() {
	s.env.Stop()
	if !s.env.Pinned {
		for _, tp := range s.events {
			// A probe without a function stands for all probes; it is no error if there is none.
			_ = s.registry.Unregister(tp, dispatch.Probe{})
		}
	}
	s.domain.Close()
}

// must panics if a step of a measurement failed: its result would be wrong. The panic ends the
// worker process, and the run goes on without this sample.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// openBulk registers a probe with every event. One operation disables all (phase 0) and
// enables all again (phase 1).
func openBulk(k keys, e *harness.Env) (*harness.Op, error) {
	s, err := newSetup(k, e, k.num("events"))
	if err != nil {
		return nil, err
	}
	off, on := s.requests(true), s.requests(false)
	if err := s.registry.Bulk(on); err != nil {
		return nil, err
	}
	op := s.op(s.settled(switches(
		func() error { return s.registry.Bulk(off) },
		func() error { return s.registry.Bulk(on) })))
	op.Divide = perEvent(k)
	return op, nil
}

// settled makes a Run of operations before each of which nothing of an earlier change is left to
// do: its grace periods have passed and its arrays are freed, which would otherwise happen on
// another CPU while the operation is timed.
func (s *setup) settled(run func(n int, t harness.Timer)) func(n int, t harness.Timer) {
	return func(n int, t harness.Timer) {
		for range n {
			s.domain.Barrier()
			run(1, t)
		}
	}
}

// switches makes a Run of what disables and what enables all events.
func switches(disable, enable func() error) func(n int, t harness.Timer) {
	return func(n int, t harness.Timer) {
		for range n {
			for phase, change := range []func() error{disable, enable} {
				t.Start(phase)
				err := change()
				t.Stop()
				must(err)
			}
		}
	}
}

func perEvent(k keys) []harness.Count {
	return []harness.Count{{Unit: "event", N: uint64(k.num("events"))}}
}

// waitsAtEveryEvent reports whether a strategy waits for a grace period at every event that one bulk
// change disables. `tpbench evidence` measures such strategies fewer times: each sample takes
// seconds. The answer is found by trying with a fast flavour, which takes microseconds. If
// each strategy had to declare it, a forgotten declaration would cost half an hour.
func waitsAtEveryEvent(strategy string) bool {
	const events = 3
	k := keys{"impl": strategy, "gp": expedited, "readers": "0"}
	if checkStrategy(k) != nil {
		return false // the strategy cannot run on this machine, so the answer has no effect
	}
	s, err := newSetup(k, &harness.Env{}, events)
	must(err)
	defer s.close()
	must(s.registry.Bulk(s.requests(false)))
	before := s.domain.Counters().Waited
	must(s.registry.Bulk(s.requests(true)))
	return s.domain.Counters().Waited-before >= events
}
