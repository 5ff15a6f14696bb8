package benches

import (
	"fmt"
	"slices"
	"time"
	"unsafe"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/kernel"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/textpoke"
	"github.com/tpbench/tpbench/impls/tracepoint"
)

// DefaultEvents is about a third of what a distribution's kernel has.
const DefaultEvents = 1000

// A transition that waits takes milliseconds, and its counts are exact whatever
// their number; so few make a sample.
const transitionsPerSample = 5

// baseline is the busted strategy that is measured all the same: what the kernel had
// before the fix that was too slow.
const baseline = "direct-static-call"

var (
	anyStrategy = variantNames(tracepoint.Variants())
	strategies  = slices.DeleteFunc(slices.Clone(anyStrategy), func(name string) bool {
		return name != baseline && find(tracepoint.Variants(), name).Status == impls.Busted
	})
)

func eventsAxis(n int) axis {
	return numbers("events", func(p Params) []int { return p.Events }, n)
}

var bulkFamily = Family{
	Names: []string{"DisableAll", "EnableAll"},
	Doc:   "one bulk change that unregisters the probe of every event, and one that registers it again at once",
	axes:  []axis{bulkImpls, gpAxis(), eventsAxis(DefaultEvents), numbers("probes", nil, 1), readersAxis(0)},
	fits:  func(k keys) bool { return k["impl"] != kernel.Name || k["gp"] == "kernelgp" },
	slow:  func(k keys) time.Duration { return time.Duration(k.num("events")) * slowestGracePeriod },
	check: checkBulk,
	ops:   always(1),
	open:  openBulk,
}

// slowestGracePeriod is how long one grace period of a loaded kernel may take, and more.
const slowestGracePeriod = 200 * time.Millisecond

// bulkImpls are the strategies and, only where it is named, the running kernel.
var bulkImpls = implAxis(append(slices.Clone(anyStrategy), kernel.Name), strategies)

var churnFamily = Family{
	Names: []string{"Churn"},
	Doc:   "disable one event, enable one that was not disabled lately",
	axes:  []axis{implAxis(anyStrategy, strategies), gpAxis(), readersAxis(0)},
	check: checkStrategy,
	ops:   always(transitionsPerSample),
	open: func(k keys, e *harness.Env) (*harness.Op, error) {
		const half = transitionsPerSample
		b, err := newBed(k, e, 2*half)
		if err != nil {
			return nil, err
		}
		// The first probe that an event ever has makes its static call leave the
		// iterator. That is not what is asked about.
		for i, tp := range b.points {
			if err := b.register(tp, 0, 0); err != nil {
				return nil, err
			}
			if i >= half {
				if err := b.unregister(tp, 0); err != nil {
					return nil, err
				}
			}
		}
		op := b.op(nil)
		next := 0 // the first of half events that are on; the others are off
		op.Run = func(n int, t harness.Timer) {
			for n > 0 {
				b.domain.Barrier() // what an earlier sample disabled is not lately
				some := min(n, half)
				t.Start(0)
				for range some {
					must(b.unregister(b.points[next], 0))
					must(b.register(b.points[(next+half)%len(b.points)], 0, 0))
					next = (next + 1) % len(b.points)
				}
				t.Stop()
				n -= some
			}
		}
		return op, nil
	},
}

var pingPongFamily = Family{
	Names: []string{"PingPong"},
	Doc:   "one event 1->0->1, with another probe each time",
	axes:  []axis{implAxis(anyStrategy, strategies), gpAxis(), readersAxis(0)},
	check: checkStrategy,
	ops:   always(transitionsPerSample),
	open: func(k keys, e *harness.Env) (*harness.Op, error) {
		b, err := newBed(k, e, 1)
		if err != nil {
			return nil, err
		}
		tp, probe := b.points[0], 0
		if err := b.register(tp, probe, 0); err != nil {
			return nil, err
		}
		return b.op(func(n int) error {
			for range n {
				if err := b.unregister(tp, probe); err != nil {
					return err
				}
				probe = 1 - probe
				if err := b.register(tp, probe, 0); err != nil {
					return err
				}
			}
			return nil
		}), nil
	},
}

var shrinkFamily = Family{
	Names: []string{"Shrink"},
	Doc:   "2->1 on one event: the first probe removed, or the last",
	axes:  []axis{implAxis(anyStrategy, strategies), gpAxis(), axisOf("removed", "first", "last"), readersAxis(0)},
	check: checkStrategy,
	ops:   always(transitionsPerSample),
	open: func(k keys, e *harness.Env) (*harness.Op, error) {
		b, err := newBed(k, e, 1)
		if err != nil {
			return nil, err
		}
		tp := b.points[0]
		prio := []int{1, 0} // probe 0 comes first
		victim := 0
		if k["removed"] == "last" {
			victim = 1
		}
		for probe := range prio {
			if err := b.register(tp, probe, prio[probe]); err != nil {
				return nil, err
			}
		}
		op := b.op(nil)
		op.Run = func(n int, t harness.Timer) {
			for range n {
				t.Start(0)
				err := b.unregister(tp, victim)
				t.Stop()
				must(err)
				must(b.register(tp, victim, prio[victim]))
			}
		}
		return op, nil
	},
}

// checkStrategy reports why a strategy or a flavour cannot run here.
func checkStrategy(k keys) error {
	if impl := k["impl"]; impl != undisturbed {
		if err := find(tracepoint.Variants(), impl).Supported(); err != nil {
			return err
		}
	}
	return find(rcu.Variants(), k["gp"]).Supported()
}

// A bed is a registry of events, and readers that fire them.
type bed struct {
	domain   *rcu.Domain
	registry *tracepoint.Registry
	points   []*tracepoint.Tracepoint
	env      *harness.Env

	// data is what probe i is registered with. Each has its own, so that the
	// strategies cannot take two for the same.
	data [2]*uint64
}

func newBed(k keys, e *harness.Env, events int) (*bed, error) {
	b := &bed{
		domain: find(rcu.Variants(), k["gp"]).New(rcu.Options{}),
		env:    e,
		data:   [2]*uint64{new(uint64), new(uint64)},
	}
	sites, err := dispatch.Events(events)
	if err != nil {
		return nil, err
	}
	b.registry = tracepoint.New(find(tracepoint.Variants(), k["impl"]).New, b.domain)
	for i, site := range sites {
		tp, err := b.registry.Add(fmt.Sprintf("event%d", i), site)
		if err != nil {
			return nil, err
		}
		b.points = append(b.points, tp)
	}
	for range k.num("readers") {
		if err := e.Beside(b.reader); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// reader fires all events in text in turn, again and again, in passes of some
// microseconds. Beyond dispatch.TextSites events it leaves the mapped ones alone.
func (b *bed) reader() (pass, end func(), err error) {
	r := b.domain.Register()
	n := min(len(b.points), dispatch.TextSites)
	repeat := max(1, 256/n)
	return func() {
		for range repeat {
			dispatch.Sweep(r, n)
		}
		r.Quiescent()
	}, r.Unregister, nil
}

func (b *bed) probe(i int) dispatch.Probe {
	return dispatch.Probe{Fn: dispatch.Nop(), Data: unsafe.Pointer(b.data[i])}
}

func (b *bed) register(tp *tracepoint.Tracepoint, probe, prio int) error {
	p := b.probe(probe)
	p.Prio = prio
	return b.registry.Register(tp, p)
}

func (b *bed) unregister(tp *tracepoint.Tracepoint, probe int) error {
	return b.registry.Unregister(tp, b.probe(probe))
}

// op makes an operation of a function that performs n of them.
func (b *bed) op(run func(n int) error) *harness.Op {
	return &harness.Op{
		Run: func(n int, t harness.Timer) {
			t.Start(0)
			err := run(n)
			t.Stop()
			must(err)
		},
		Counts: b.counts,
		Close:  b.close,
	}
}

func (b *bed) counts() []harness.Count {
	gp, text := b.domain.Counters(), textpoke.Totals()
	return []harness.Count{
		{Unit: "gp-waits", N: gp.Waited},
		{Unit: "gp-elided", N: gp.Elided},
		{Unit: "core-syncs", N: text.Syncs},
	}
}

// close leaves the sites as the next bed expects them: off. In a worker there is no next
// one, and naive-sync would wait for as many grace periods as were measured.
func (b *bed) close() {
	b.env.Stop()
	if !b.env.Pinned {
		for _, tp := range b.points {
			// A probe without a function stands for all; none there is fine too.
			_ = b.registry.Unregister(tp, dispatch.Probe{})
		}
	}
	b.domain.Close()
}

// must ends a measurement whose own steps failed: its number would be nonsense. In a
// worker that costs one sample.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// checkBulk is checkStrategy that also knows the running kernel.
func checkBulk(k keys) error {
	if k["impl"] != kernel.Name {
		return checkStrategy(k)
	}
	if err := kernel.Check(); err != nil {
		return err
	}
	if have := kernel.Events(); have != k.num("events") {
		return &impls.UnsupportedError{
			What: fmt.Sprintf("switching %d events of the running kernel", k.num("events")),
			Why:  fmt.Sprintf("it has %d, and one write switches all", have),
			Do:   fmt.Sprintf("say --events %d", have),
		}
	}
	return nil
}

// openKernel is openBulk on the running kernel's own events. A reader beside it only
// keeps its CPU busy: the events are on everybody's paths.
func openKernel(k keys, e *harness.Env) (*harness.Op, error) {
	instance, err := kernel.Open()
	if err != nil {
		return nil, err
	}
	for range k.num("readers") {
		if err := e.Beside(spin); err != nil {
			return nil, err
		}
	}
	if err := instance.Switch(true); err != nil {
		return nil, err
	}
	return &harness.Op{
		Divide: []harness.Count{{Unit: "event", N: uint64(k.num("events"))}},
		Run: func(n int, t harness.Timer) {
			for range n {
				t.Start(0)
				err := instance.Switch(false)
				t.Stop()
				must(err)
				t.Start(1)
				err = instance.Switch(true)
				t.Stop()
				must(err)
			}
		},
		Close: func() {
			e.Stop()
			must(instance.Close())
		},
	}, nil
}

// spin keeps a CPU busy.
func spin() (pass, end func(), err error) {
	return func() {
		for end := time.Now().Add(100 * time.Microsecond); time.Now().Before(end); {
		}
	}, func() {}, nil
}

// openBulk arms every event. One operation disables all and enables all again.
func openBulk(k keys, e *harness.Env) (*harness.Op, error) {
	if k["impl"] == kernel.Name {
		return openKernel(k, e)
	}
	events := k.num("events")
	b, err := newBed(k, e, events)
	if err != nil {
		return nil, err
	}
	for _, tp := range b.points {
		if err := b.register(tp, 0, 0); err != nil {
			return nil, err
		}
	}
	b.domain.Barrier() // the grace periods of arming are not the operation's
	op := b.op(nil)
	op.Divide = []harness.Count{{Unit: "event", N: uint64(events)}}
	var off, on []tracepoint.Request
	for _, tp := range b.points {
		off = append(off, tracepoint.Request{Tracepoint: tp, Probe: b.probe(0), Remove: true})
		on = append(on, tracepoint.Request{Tracepoint: tp, Probe: b.probe(0)})
	}
	op.Run = func(n int, t harness.Timer) {
		for range n {
			t.Start(0)
			err := b.registry.Bulk(off)
			t.Stop()
			must(err)
			t.Start(1)
			err = b.registry.Bulk(on)
			t.Stop()
			must(err)
		}
	}
	return op, nil
}

// flip is the thread that disturbs: it registers a probe with every event in turn, then
// unregisters them, and so on, one in each pass.
func (b *bed) flip() (pass, end func(), err error) {
	next, armed := 0, false
	return func() {
		if armed {
			must(b.unregister(b.points[next], 0))
		} else {
			must(b.register(b.points[next], 0, 0))
		}
		if next++; next == len(b.points) {
			next, armed = 0, !armed
		}
	}, func() {}, nil
}

// undisturbed is Disturb's control: nobody flips anything.
const undisturbed = "none"

const (
	// disturbSites is what one timed pass of Disturb's reader fires: enough that
	// the pass outweighs the clock's overhead.
	disturbSites = 64

	// disturbTime is how long a sample lasts.
	disturbTime = 100 * time.Millisecond
)

var disturbFamily = Family{
	Names: []string{"Disturb"},
	Doc:   "the latency of a reader's passes over 64 sites while another core flips all events",
	axes:  []axis{implAxis(append([]string{undisturbed}, anyStrategy...), append([]string{undisturbed}, strategies...)), gpAxis(), eventsAxis(256), readersAxis(1)},
	fits:  func(k keys) bool { return k.num("events") >= disturbSites && k.num("readers") == 1 },
	check: checkStrategy,
	ops:   always(1),
	open:  openDisturb,
}

// openDisturb turns the roles round: the measuring thread is the reader, and the one
// beside it the updater.
func openDisturb(k keys, e *harness.Env) (*harness.Op, error) {
	ticks, err := clock.Open()
	if err != nil {
		return nil, err
	}
	flips := k["impl"] != undisturbed
	own := keys{"impl": k["impl"], "gp": k["gp"], "readers": "0"}
	if !flips {
		own["impl"] = strategies[0]
	}
	b, err := newBed(own, e, k.num("events"))
	if err != nil {
		return nil, err
	}
	if flips {
		if err := e.BesideWaiting(b.flip); err != nil {
			return nil, err
		}
	}
	reader := b.domain.Register()
	latency := hdrhistogram.New(1, int64(10*time.Second), 3)
	op := b.op(nil)
	op.Counts = nil
	op.Run = func(n int, _ harness.Timer) {
		latency.Reset() // of a run that did not count
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
	}
	op.Values = func() []harness.Value { return percentiles(latency) }
	op.Close = func() {
		reader.Unregister() // first: the updater may be waiting for it
		b.close()
	}
	return op, nil
}
