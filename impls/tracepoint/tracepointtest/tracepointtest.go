package tracepointtest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/dispatch/probestest"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/tracepoint"
)

// A testCase is one promise, with what it would mean if it were broken.
type testCase struct {
	name        string
	explanation string
	test        func(b *bench)
}

// Run runs all cases against a strategy that waits by a flavour.
func Run(t *testing.T, v tracepoint.Variant, f rcu.Variant) {
	judge.Need(t, v.Supported(), "tracepoint", v.Name)
	judge.Need(t, f.Supported(), "rcu", f.Name)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, v, f)
			defer b.close()
			defer func() {
				if t.Failed() {
					t.Logf("%s It had done: %v", c.explanation, b.history[max(0, len(b.history)-12):])
				}
			}()
			c.test(b)
		})
	}
}

// cases run with all tracepoints off, and may leave them as they like.
var cases = []testCase{
	{
		"T3 T4 T5: every transition from and to 0 to 4 probes",
		"If a transition were wrong for some number of probes before and after, or for some place of the one that comes or goes, an event would lose probes or keep them.",
		transitionMatrix,
	},
	{
		"T3 T4 T5: random transitions",
		"If the outcome depended on how a tracepoint came to its probes, some history would make it call others than were asked for.",
		randomTransitions,
	},
	{
		"T3 T4 T5: bulk changes",
		"If a bulk change came to anything else than its requests one by one, or did some of them when one cannot be done, whoever switches many events would not know which are on.",
		bulkChanges,
	},
	{
		"T3: more than eight probes",
		"If arrays had a largest size, or kept something of their last use, a busy event would lose probes, or call what was freed.",
		manyProbes,
	},
	{
		"T3: a probe fires tracepoints",
		"If a site could not be passed inside a probe of another or of its own, a tracer that traces itself would crash, or stop tracing.",
		nestedFiring,
	},
	{
		"T5: a function out of reach",
		"If Register noticed only half-way that no call reaches the function, it would leave a tracepoint of which one half is on.",
		unreachableFunction,
	},
	{
		"T2: after Unregister and Synchronize",
		"If Synchronize did not wait for a reader in a probe, or the probe were called after it, whoever frees the probe's data would free it under that reader; if the reader lost its array, it would miss the probes that are still there.",
		synchronizeEndsProbes,
	},
	{
		"a site changes hands",
		"If a Registry took over what another strategy had left in the site, its first probe would be called as the former one's.",
		siteChangesHands,
	},
}

// An event is a tracepoint and what it should do.
type event struct {
	site  *dispatch.Site
	tp    *tracepoint.Tracepoint
	model model
}

// A bench is a Registry with its own Domain, which starts no grace period that nobody
// asked for, and two tracepoints: one in this binary's text, one in mapped memory.
type bench struct {
	*testing.T
	strategy tracepoint.Variant
	flavour  rcu.Variant
	domain   *rcu.Domain
	registry *tracepoint.Registry
	text     *event
	mapped   *event
	fns      []dispatch.Func
	history  []string

	freedCalls uint64 // dispatch.FreedCalls before
}

func newBench(t *testing.T, v tracepoint.Variant, f rcu.Variant) *bench {
	t.Helper()
	sites, err := dispatch.Events(dispatch.TextSites + 1)
	judge.Need(t, err, "dispatch")
	d := f.New(rcu.Options{Lazy: rcu.OnlyBarrier})
	b := &bench{T: t, strategy: v, flavour: f, domain: d, registry: tracepoint.New(v.New, d), freedCalls: dispatch.FreedCalls()}
	b.text = b.event("text", sites[0])
	b.mapped = b.event("mapped", sites[dispatch.TextSites])
	b.fns = probestest.Funcs(t, 5)
	return b
}

func (b *bench) event(name string, site *dispatch.Site) *event {
	b.Helper()
	tp, err := b.registry.Add(name, site)
	judge.Check(b, err)
	return &event{site: site, tp: tp}
}

// close takes all probes away. No reader is inside any more: the sites may be added
// elsewhere.
func (b *bench) close() {
	for _, e := range []*event{b.text, b.mapped} {
		if len(e.model) > 0 {
			judge.Check(b, b.registry.Unregister(e.tp, dispatch.Probe{}))
		}
	}
	b.domain.Close()
}

func (b *bench) slow() bool { return Slow(b.flavour) }

// Slow says that the flavour's grace periods take so long that a case should do with few of
// them.
func Slow(f rcu.Variant) bool {
	return slices.Contains([]string{"rude", "paced", "kernelgp", "chain"}, f.Name)
}

// register and unregister tell the tracepoint and its model, and compare what comes of
// it. The model alone decides which error is right.
func (b *bench) register(e *event, p dispatch.Probe) {
	b.Helper()
	b.compare(e, "register "+b.describe(p), b.registry.Register(e.tp, p), e.model.register(p))
}

func (b *bench) unregister(e *event, p dispatch.Probe) {
	b.Helper()
	b.compare(e, "unregister "+b.describe(p), b.registry.Unregister(e.tp, p), e.model.unregister(p))
}

// clear unregisters all probes at once.
func (b *bench) clear(e *event) {
	b.Helper()
	b.unregister(e, dispatch.Probe{})
}

func (b *bench) describe(p dispatch.Probe) string {
	return fmt.Sprintf("%v at %d", probestest.FiringOf(b.fns, p), p.Prio)
}

// compare compares the outcome of what was done to a tracepoint with the model's.
func (b *bench) compare(e *event, what string, got, want error) {
	b.Helper()
	b.history = append(b.history, fmt.Sprintf("%s, now %v", what, e.model.calls(b.fns)))
	if !errors.Is(got, want) {
		b.Fatalf("T5: %s: error %v, want %v", what, got, want)
	}
	b.fires(e)
}

// fires passes a tracepoint once, and compares with its model.
func (b *bench) fires(e *event) {
	b.Helper()
	if got, want := b.fire(e), e.model.calls(b.fns); !slices.Equal(got, want) {
		b.Fatalf("T3: firing called %v, want %v", got, want)
	}
	if n := dispatch.FreedCalls() - b.freedCalls; n > 0 {
		b.Fatalf("T2: %d probes of freed arrays were called", n)
	}
	_, disable := dispatch.KeyChanges([]*dispatch.Site{e.site})
	for _, c := range disable {
		if off := c.Site.Insn() == c.To; off != (len(e.model) == 0) {
			b.Fatalf("T4: with %d probes the key is %v", len(e.model), c.Site.Insn())
		}
	}
}

// fire passes a tracepoint once and returns the probes' calls. The reader exists
// for only as long, so that no flavour waits for it afterwards.
func (b *bench) fire(e *event) []probestest.Firing {
	r := b.domain.Register()
	defer r.Unregister()
	probestest.Calls = nil
	e.tp.Fire(r)
	return probestest.Calls
}
