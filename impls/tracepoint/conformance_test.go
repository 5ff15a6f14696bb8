package tracepoint_test

import (
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/judge/event"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/tracepoint"
)

// If this fails, a strategy does something else than what it was asked for, although no
// other thread does anything at the time. The case says what.
//
// Busted strategies pass as well: each breaks only under a reader that is in the site while
// something changes. Replays and package torture show that.
func TestConformance(t *testing.T) {
	event.ForEach(t, "tracepoint", tracepoint.Variants(), func(t *testing.T, v tracepoint.Variant, f rcu.Variant) {
		if v.Status == impls.Busted && f.Slow {
			t.Skip("faster flavours show that a busted strategy does what it was asked for")
		}
		judge.Run(t, cases, func(t *testing.T, test func(*bench)) {
			b := newBench(t, v, f)
			defer b.close()
			defer judge.LogLast(t, &b.history)
			test(b)
		})
	})
}

// cases begin with all tracepoints off, and need not turn them off at their end.
var cases = []judge.Case[func(*bench)]{
	{
		Name:        "T3 T4 T5: every transition from and to 0 to 4 probes",
		Explanation: "If a transition were wrong for some number of probes before and after, or for some place of the probe that is added or removed, an event would lose probes or keep them.",
		Test:        transitionMatrix,
	},
	{
		Name:        "T3 T4 T5: random transitions",
		Explanation: "If the outcome depended on the order of earlier operations, some history would make a tracepoint call probes that are not registered.",
		Test:        randomTransitions,
	},
	{
		Name:        "T3 T4 T5: bulk changes",
		Explanation: "If a bulk change had another result than its requests one by one, or did some of them when one cannot be done, its caller would not know which events are on.",
		Test:        bulkChanges,
	},
	{
		Name:        "T3: more than eight probes",
		Explanation: "If arrays had a largest size, or kept something of their last use, an event with many probes would lose some, or call freed ones.",
		Test:        manyProbes,
	},
	{
		Name:        "T3: a probe fires tracepoints",
		Explanation: "If a probe could not fire another tracepoint or its own, a tracer that traces itself would crash, or stop tracing.",
		Test:        nestedFiring,
	},
	{
		Name:        "T5: a function out of reach",
		Explanation: "If Register found out in the middle of its steps that no call reaches the function, it would leave a tracepoint half on.",
		Test:        unreachableFunction,
	},
	{
		Name:        "T2: after Unregister and Synchronize",
		Explanation: "If Synchronize did not wait for a reader in a probe, or the probe were called after it, the caller would free the probe's data while it is used; if the reader lost its array, it would miss the probes that stay registered.",
		Test:        synchronizeEndsProbes,
	},
	{
		Name:        "a site changes hands",
		Explanation: "If a Registry kept the static call that another strategy had left in the site, its first probe would be called with the wrong data or not at all.",
		Test:        siteChangesHands,
	},
}

// family is package tracepoint, for its models.
var family = event.Family{
	Invalid: tracepoint.ErrInvalid, Exist: tracepoint.ErrExist, NotFound: tracepoint.ErrNotFound,
	Freed: "T2", Order: "T3", Key: "T4", Whole: "T5",
}

// A pair is a tracepoint and its model.
type pair struct {
	*event.Event
	tp *tracepoint.Tracepoint
}

// A bench is a Registry with a Domain of its own and two tracepoints: one in this binary's
// text, one in mapped memory. The Domain starts no grace period by itself.
type bench struct {
	*testing.T
	strategy tracepoint.Variant
	flavour  rcu.Variant
	domain   *rcu.Domain
	registry *tracepoint.Registry
	text     *pair
	mapped   *pair
	fns      []dispatch.Func
	history  []string
}

func newBench(t *testing.T, v tracepoint.Variant, f rcu.Variant) *bench {
	t.Helper()
	sites, err := dispatch.Events(dispatch.TextSites + 1)
	judge.Need(t, err, "dispatch")
	d := f.New(rcu.Options{Lazy: rcu.OnlyBarrier})
	b := &bench{T: t, strategy: v, flavour: f, domain: d, registry: tracepoint.New(v.New, d), fns: event.Funcs(t, 5)}
	b.text = b.pair("text", sites[0])
	b.mapped = b.pair("mapped", sites[dispatch.TextSites])
	return b
}

func (b *bench) pair(name string, site *dispatch.Site) *pair {
	b.Helper()
	tp, err := b.registry.Add(name, site)
	judge.Check(b, err)
	return &pair{event.New(event.Event{
		TB: b, Family: &family, Domain: b.domain, Site: site, Fns: b.fns, Fire: tp.Fire, History: &b.history,
	}), tp}
}

// close unregisters all probes. No reader is in a site any more, so the sites may be added
// to another Registry.
func (b *bench) close() {
	for _, e := range []*pair{b.text, b.mapped} {
		if len(e.Model) > 0 {
			judge.Check(b, b.registry.Unregister(e.tp, dispatch.Probe{}))
		}
	}
	b.domain.Close()
}

// register and unregister do the same to the tracepoint and to its model, and compare.
func (b *bench) register(e *pair, p dispatch.Probe) {
	b.Helper()
	got := b.registry.Register(e.tp, p)
	e.Compare("register "+e.Describe(p), got, e.Model.Register(&family, p, true))
}

func (b *bench) unregister(e *pair, p dispatch.Probe) {
	b.Helper()
	got := b.registry.Unregister(e.tp, p)
	e.Compare("unregister "+e.Describe(p), got, e.Model.Unregister(&family, p))
}

// clear unregisters all probes at once.
func (b *bench) clear(e *pair) {
	b.Helper()
	b.unregister(e, dispatch.Probe{})
}
