package unregistertest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/dispatch/probestest"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/unregister"
)

// A testCase is one promise, with what it would mean if it were broken.
type testCase struct {
	name        string
	explanation string
	test        func(b *bench)
}

// Run runs all cases against a variant that waits by a flavour.
func Run(t *testing.T, v unregister.Variant, f rcu.Variant) {
	judge.Need(t, v.Supported(), "unregister", v.Name)
	judge.Need(t, f.Supported(), "rcu", f.Name)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, where := range []int{0, dispatch.TextSites} {
				b := newBench(t, v, f, where)
				defer b.close()
				defer func() {
					if t.Failed() {
						t.Logf("%s It had done: %v", c.explanation, b.history[max(0, len(b.history)-12):])
					}
				}()
				c.test(b)
			}
		})
	}
}

// cases run with the Point off, and may leave it as they like.
var cases = []testCase{
	{
		"M2 M4 M5: removals in every order, with every pattern of memory",
		"If a removal without memory were wrong for some number of dead entries before it, or for some place among them, a probe would be lost or kept, or its removal refused.",
		removalOrders,
	},
	{
		"M2 M4 M5: random changes",
		"If the outcome depended on how a Point came to its array, some history would make it call others than were asked for.",
		randomChanges,
	},
	{
		"M4: registration without memory",
		"If a registration that finds no memory did half of its work, its caller, who is told that it failed, would have a probe on.",
		noMemoryToAdd,
	},
	{
		"M2 M4: a probe that was removed without memory comes back",
		"If a dead entry were taken for the probe that it was, that could not be registered again, or be removed twice, or lose its place in the order.",
		comesBack,
	},
	{
		"M4: probes that mark dead entries",
		"If who is dead could be registered, a probe would vanish at the next change; if it could be removed, a dead entry would die again.",
		deadFunctions,
	},
	{
		"M1 M4: after Unregister and Synchronize",
		"If Synchronize did not wait for a reader in a probe, or the probe were called after it, whoever frees the probe's data would free it under that reader; if the reader lost its array, it would miss the probes that are still there.",
		synchronizeEndsProbes,
	},
	{
		"M5: nothing is left behind",
		"If arrays, or halves of them, were lost on some way from a full Point to an empty one, a machine that traces for long would run out of memory, which is how removals get into this in the first place.",
		nothingLeft,
	},
}

// A bench is a Point with its own Domain, which starts no grace period that nobody asked
// for.
type bench struct {
	*testing.T
	variant unregister.Variant
	flavour rcu.Variant
	domain  *rcu.Domain
	site    *dispatch.Site
	point   *unregister.Point
	model   model
	fns     []dispatch.Func
	history []string
	refused int // removals that broke M4

	freedCalls uint64 // dispatch.FreedCalls before
}

// newBench makes a Point of the event of that number.
func newBench(t *testing.T, v unregister.Variant, f rcu.Variant, event int) *bench {
	t.Helper()
	sites, err := dispatch.Events(event + 1)
	judge.Need(t, err, "dispatch")
	b := &bench{T: t, variant: v, flavour: f, site: sites[event], freedCalls: dispatch.FreedCalls()}
	b.domain = f.New(rcu.Options{Lazy: rcu.OnlyBarrier})
	b.point, err = unregister.New(v.New, b.domain, b.site)
	judge.Check(t, err)
	b.fns = probestest.Funcs(t, 4)
	return b
}

// close takes all probes away. No reader is inside any more: the site may be somebody
// else's.
func (b *bench) close() {
	if len(b.model) > 0 {
		judge.Check(b, b.point.Unregister(dispatch.Probe{}))
	}
	b.domain.Close()
}

// slow says that grace periods take so long that a case should do with few of them.
func (b *bench) slow() bool {
	return slices.Contains([]string{"rude", "paced", "kernelgp", "chain"}, b.flavour.Name)
}

// mayRefuse says that the variant is the one that breaks M4.
func (b *bench) mayRefuse() bool { return b.variant.Name == "fail" && b.variant.Status == impls.Busted }

// register and unregister tell the Point and its model, and compare what comes of it. The
// next allocation succeeds or fails as memory says. The model alone decides which error is
// right.
func (b *bench) register(p dispatch.Probe, memory bool) {
	b.Helper()
	b.memory(memory)
	b.compare(fmt.Sprintf("register %s, memory %v", b.describe(p), memory), b.point.Register(p), b.model.register(p, memory))
}

func (b *bench) unregister(p dispatch.Probe, memory bool) {
	b.Helper()
	b.memory(memory)
	what := fmt.Sprintf("unregister %s, memory %v", b.describe(p), memory)
	got := b.point.Unregister(p)
	if !memory && errors.Is(got, unregister.ErrNoMem) && b.mayRefuse() {
		b.refused++
		b.compare(what+": refused", nil, nil)
		return
	}
	b.compare(what, got, b.model.unregister(p))
}

// memory lets the next allocation succeed or not.
func (b *bench) memory(there bool) {
	if there {
		b.point.FailAfter(-1)
	} else {
		b.point.FailAfter(0)
	}
}

func (b *bench) describe(p dispatch.Probe) string {
	return fmt.Sprintf("%v at %d", probestest.FiringOf(b.fns, p), p.Prio)
}

// compare compares the outcome of what was done with the model's.
func (b *bench) compare(what string, got, want error) {
	b.Helper()
	b.history = append(b.history, fmt.Sprintf("%s, now %v", what, b.model.calls(b.fns)))
	if !errors.Is(got, want) {
		b.Fatalf("M4: %s: error %v, want %v", what, got, want)
	}
	b.fires()
}

// fires passes the Point once, and compares with the model.
func (b *bench) fires() {
	b.Helper()
	if got, want := b.fire(), b.model.calls(b.fns); !slices.Equal(got, want) {
		b.Fatalf("M2: firing called %v, want %v", got, want)
	}
	if n := dispatch.FreedCalls() - b.freedCalls; n > 0 {
		b.Fatalf("M1: %d probes of freed arrays were called", n)
	}
	_, disable := dispatch.KeyChanges([]*dispatch.Site{b.site})
	for _, c := range disable {
		if off := c.Site.Insn() == c.To; off != (len(b.model) == 0) {
			b.Fatalf("M5: with %d probes the key is %v", len(b.model), c.Site.Insn())
		}
	}
}

// fire passes the Point once and returns the probes' calls. The reader exists for only as
// long, so that no flavour waits for it afterwards.
func (b *bench) fire() []probestest.Firing {
	r := b.domain.Register()
	defer r.Unregister()
	probestest.Calls = nil
	b.point.Fire(r)
	return probestest.Calls
}

// held compares what is held, after the grace period of all that was released, with what
// the number of probes allows.
func (b *bench) held() {
	b.Helper()
	b.domain.Barrier()
	want := min(1, len(b.model))
	if arrays, bytes := b.point.Held(); arrays != want || (bytes > 0) != (want > 0) {
		b.Fatalf("M5: with %d probes, %d arrays of %d bytes are held", len(b.model), arrays, bytes)
	}
}
