package tracepoint

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/judge/event"
	"github.com/tpbench/tpbench/impls/internal/probes"
	"github.com/tpbench/tpbench/impls/internal/slab"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// forEach runs the test for every strategy with every flavour.
func forEach(t *testing.T, test func(t *testing.T, s Variant, f rcu.Variant)) {
	event.ForEach(t, "tracepoint", Variants(), test)
}

func strategy(tb testing.TB, name string) Variant {
	tb.Helper()
	v, err := impls.Find("strategy", Variants(), name)
	judge.Check(tb, err)
	judge.Need(tb, v.Supported(), "tracepoint", v.Name)
	return v
}

func flavour(tb testing.TB, name string) rcu.Variant {
	tb.Helper()
	v, err := impls.Find("flavour", rcu.Variants(), name)
	judge.Check(tb, err)
	judge.Need(tb, v.Supported(), "rcu", v.Name)
	return v
}

// A bench is a Registry with tracepoints and a Domain of its own, which starts no grace
// period by itself.
type bench struct {
	tb       testing.TB
	domain   *rcu.Domain
	registry *Registry
	points   []*Tracepoint
	fns      []dispatch.Func
}

// newBench adds n tracepoints to a new Registry. When the test ends, their probes are
// unregistered and no reader is in their sites, so the sites may be added to another Registry.
func newBench(tb testing.TB, p *Policy, f rcu.Variant, n int) *bench {
	tb.Helper()
	sites, err := dispatch.Events(n)
	judge.Need(tb, err, "tracepoint")
	return newBenchOf(tb, p, f, sites)
}

func newBenchOf(tb testing.TB, p *Policy, f rcu.Variant, sites []*dispatch.Site) *bench {
	tb.Helper()
	b := &bench{tb: tb, fns: event.Funcs(tb, 4)}
	b.domain = f.New(rcu.Options{Lazy: rcu.OnlyBarrier})
	b.registry = New(p, b.domain)
	for i, s := range sites {
		tp, err := b.registry.Add(fmt.Sprint("event", i), s)
		judge.Check(tb, err)
		b.points = append(b.points, tp)
	}
	tb.Cleanup(b.close)
	return b
}

// clear unregisters all probes.
func (b *bench) clear() {
	for _, tp := range b.points {
		if len(tp.funcs) > 0 {
			judge.Check(b.tb, b.registry.Unregister(tp, dispatch.Probe{}))
		}
	}
}

// close also finds arrays that were never released. A slab panics if one is released twice.
func (b *bench) close() {
	b.clear()
	b.domain.Barrier()
	if arrays, entries := b.registry.arrays.InUse(); arrays > 0 {
		b.tb.Errorf("T2: %d arrays of %d entries are left", arrays, entries)
	}
	b.domain.Close()
}

func (b *bench) add(tp int, probes ...dispatch.Probe) {
	b.tb.Helper()
	for _, p := range probes {
		judge.Check(b.tb, b.registry.Register(b.points[tp], p))
	}
}

func (b *bench) remove(tp int, probes ...dispatch.Probe) {
	b.tb.Helper()
	for _, p := range probes {
		judge.Check(b.tb, b.registry.Unregister(b.points[tp], p))
	}
}

// compare checks that firing a tracepoint calls these probes.
func (b *bench) compare(tp int, probes []dispatch.Probe) {
	b.tb.Helper()
	if got, want := event.Pass(b.domain, b.points[tp].Fire), event.CallsOf(b.fns, probes); !slices.Equal(got, want) {
		b.tb.Fatalf("firing called %v, want %v", got, want)
	}
	if off := slices.Equal(b.key(tp), nop); off != (len(probes) == 0) {
		b.tb.Fatalf("with %d probes the key is % x", len(probes), b.key(tp))
	}
}

// key returns the bytes of a tracepoint's key.
func (b *bench) key(tp int) []byte {
	return textpoke.Text(keyOf(b.points[tp].site).PC(), textpoke.Size)
}

func keyOf(s *dispatch.Site) *textpoke.Site {
	_, disable := dispatch.KeyChanges([]*dispatch.Site{s})
	return disable[0].Site
}

func callOf(s *dispatch.Site) *textpoke.Site { return s.CallChanges(0)[0].Site }

var nop = []byte{0x0F, 0x1F, 0x44, 0x00, 0x5A}

// If this fails, the old array is never freed, or it is freed while a reader may still walk
// it, or a freed array does not hold poison.
func TestT2ArrayIsReleased(t *testing.T) {
	forEach(t, func(t *testing.T, s Variant, f rcu.Variant) {
		b := newBench(t, s.New, f, 1)
		a, c := event.Probe(b.fns[0], &event.Datum{Owner: 0}, 0), event.Probe(b.fns[1], &event.Datum{Owner: 1}, 0)
		b.add(0, a)
		one := b.points[0].funcs
		b.add(0, c)
		two := b.points[0].funcs
		b.remove(0, a)
		freed := func(funcs []dispatch.Entry) bool {
			slot := funcs[:cap(funcs)] // a reader walks it up to its zero entry
			for _, e := range probes.Of(slot) {
				if e != dispatch.Poison() {
					return false
				}
			}
			return slot[len(slot)-1] == dispatch.Entry{}
		}
		if freed(one) || freed(two) {
			t.Error("an array was freed before its callback could run")
		}
		b.domain.Barrier()
		if !freed(one) || !freed(two) {
			t.Errorf("after a grace period the old arrays are %v and %v", one, two)
		}
		if freed(b.points[0].funcs) {
			t.Error("the array in force was freed")
		}
		if got := b.domain.Counters().Callbacks; got != 2 {
			t.Errorf("%d arrays released, want 2", got)
		}
	})
}

// If this fails, a change that runs out of memory does a part of its transition, or a bulk
// change a part of its requests (T5); or it leaks what it had allocated. Each allocation of a
// bulk change fails once.
func TestT5NoMemory(t *testing.T) {
	for _, s := range Variants() {
		t.Run(s.Name, func(t *testing.T) {
			judge.Need(t, s.Supported(), "tracepoint", s.Name)
			b := newBench(t, s.New, flavour(t, "qsbr"), 3)
			a, c := event.Probe(b.fns[0], &event.Datum{}, 1), event.Probe(b.fns[1], &event.Datum{}, 0)
			d := event.Probe(b.fns[2], nil, 0)
			b.add(1, a)
			b.add(2, a, c)
			thunks := dispatch.Thunks()
			arrays, entries := b.registry.arrays.InUse()
			requests := []Request{
				{b.points[0], a, false}, {b.points[0], c, false}, {b.points[0], d, false}, {b.points[0], a, true},
				{b.points[2], c, true}, {b.points[1], a, true}, {b.points[2], c, false},
			}
			for succeed := range 6 { // every request but 1->0 allocates
				b.registry.arrays.FailAfter(succeed)
				if err := b.registry.Bulk(requests); !errors.Is(err, slab.ErrNoMem) {
					t.Fatalf("with memory for %d arrays Bulk = %v, want ErrNoMem", succeed, err)
				}
				for i, probes := range [][]dispatch.Probe{nil, {a}, {a, c}} {
					b.compare(i, probes)
				}
				if a, e := b.registry.arrays.InUse(); a != arrays || e != entries || dispatch.Thunks() != thunks {
					t.Errorf("%d arrays, %d entries and %d thunks more than before", a-arrays, e-entries, dispatch.Thunks()-thunks)
				}
			}
			judge.Check(t, b.registry.Bulk(requests)) // the Registry, too, had the probes from before
			for i, probes := range [][]dispatch.Probe{{c, d}, nil, {a, c}} {
				b.compare(i, probes)
			}
		})
	}
}

// If this fails, thunks are never freed, or freed while a reader may be in one.
func TestT2ThunkIsReleased(t *testing.T) {
	before := dispatch.Thunks()
	b := newBench(t, strategy(t, "bound").New, flavour(t, "memb"), 1)
	a, c := event.Probe(b.fns[0], &event.Datum{}, 1), event.Probe(b.fns[1], &event.Datum{}, 0)
	for i, x := range []struct {
		what string
		do   func()
		held int // before a grace period, and after it
		left int
	}{
		{"0->1", func() { b.add(0, a) }, 1, 1},
		{"1->2", func() { b.add(0, c) }, 1, 0},
		{"2->1", func() { b.remove(0, a) }, 1, 1},
		{"1->0", func() { b.remove(0, c) }, 1, 0},
		{"0->1 and 1->0", func() { b.add(0, a); b.remove(0, a) }, 1, 0},
		{"0->1->0->1", func() { b.add(0, a); b.remove(0, a); b.add(0, c) }, 2, 1},
	} {
		x.do()
		if got := dispatch.Thunks() - before; got != x.held {
			t.Errorf("%d: %s: %d thunks, want %d", i, x.what, got, x.held)
		}
		b.domain.Barrier()
		if got := dispatch.Thunks() - before; got != x.left {
			t.Errorf("%d: %s, and a grace period: %d thunks, want %d", i, x.what, got, x.left)
		}
	}
}

// If this fails, some change leaves a static call that goes neither to the iterator nor where
// the dispatch says; or the call stays with the iterator although a step of the list makes it
// direct, which is right but slow, and benchmarks would measure another call than they name.
// A strategy whose lists have no such step may stay with the iterator.
func TestStaticCallFollows(t *testing.T) {
	for _, s := range []Step{callFirst, callsFirst, turnOn} {
		if !s.follows {
			t.Errorf("%s does not have its field follows set: the rest of this test would check nothing", s.Name)
		}
	}
	for _, s := range Variants() {
		t.Run(s.Name, func(t *testing.T) {
			judge.Need(t, s.Supported(), "tracepoint", s.Name)
			b := newBench(t, s.New, flavour(t, "qsbr"), 4)
			rnd := judge.Rand(t)
			p := []dispatch.Probe{event.Probe(b.fns[0], &event.Datum{}, 0), event.Probe(b.fns[1], &event.Datum{}, 0)}
			var follows [4]bool // by tracepoint: the list that led to its one probe
			for range 200 {
				var requests []Request
				for _, tp := range b.points {
					q := Request{tp, p[rnd.IntN(2)], false}
					q.Remove = probes.Find(probes.Of(tp.funcs), q.Probe) >= 0
					requests = append(requests, q)
				}
				if rnd.IntN(2) == 0 {
					requests = requests[rnd.IntN(4):][:1]
				}
				var before [4]int
				for i, tp := range b.points {
					before[i] = len(probes.Of(tp.funcs))
				}
				judge.Check(t, b.registry.Bulk(requests))
				for i, tp := range b.points {
					list := probes.Of(tp.funcs)
					if n := len(list); n != before[i] {
						steps := *s.New.lists()[listOf(before[i], n)]
						follows[i] = slices.ContainsFunc(steps, func(s Step) bool { return s.follows })
					}
					iterator := s.New.Dispatch.Iterator()
					want := iterator
					switch {
					case len(list) == 0:
						continue // without probes the call may go anywhere
					case len(list) == 1 && s.New.Dispatch.Bound:
						want = tp.target.PC
					case len(list) == 1 && s.New.Dispatch.Direct:
						want = list[0].Fn
					}
					got := callOf(tp.site).Insn().Target()
					if got != want && (got != iterator || follows[i]) {
						t.Fatalf("with %d probes the call goes to %#x, want %#x, or the iterator at %#x where no step follows", len(list), got, want, iterator)
					}
				}
			}
		})
	}
}

// If this fails, a new thunk may stand in the slot to which the tracepoint's call went before.
// Then 0->1 does not patch the call, no CPU syncs before it executes the thunk, and the core
// syncs that benchmarks count are too few.
func TestT2ThunkIsNotWhereTheCallIs(t *testing.T) {
	b := newBench(t, strategy(t, "bound").New, flavour(t, "memb"), 1)
	a := event.Probe(b.fns[0], &event.Datum{}, 0)
	b.add(0, a)
	funcs, old := slices.Clone(b.points[0].funcs), b.points[0].target.PC
	b.remove(0, a)
	b.domain.Barrier()
	// until makes thunks and frees them, up to the one in the slot of old, and returns how
	// many. A slab uses its freed slots in turn.
	until := func() (n int) {
		for pc := uintptr(0); pc != old; n++ {
			target, err := b.registry.policy.Dispatch.Target(funcs)
			judge.Check(t, err)
			pc = target.PC
			target.Release()
		}
		return n
	}
	until()
	for range until() - 1 {
		target, err := b.registry.policy.Dispatch.Target(funcs)
		judge.Check(t, err)
		target.Release()
	}
	thunks, before := dispatch.Thunks(), textpoke.Totals().Syncs
	b.add(0, a) // the slot of old comes next, and must not be used
	if syncs := textpoke.Totals().Syncs - before; syncs != 6 || b.points[0].target.PC == old {
		t.Errorf("0->1 with %d core syncs, want three for the call and three for the key", syncs)
	}
	if got := dispatch.Thunks() - thunks; got != 1 {
		t.Errorf("%d thunks for one event", got)
	}
}

// If this fails, a change whose thunk cannot be made leaks what it had allocated, or is done
// in part (T5). The site's call reaches the function far, and the thunk's jump does not. far
// is never called.
func TestT5NoThunk(t *testing.T) {
	thunks := dispatch.Thunks()
	near := newBench(t, strategy(t, "bound").New, flavour(t, "qsbr"), 1)
	near.add(0, event.Probe(near.fns[0], nil, 0)) // maps memory for thunks, nearer to the text than sites made later
	if jump := textpoke.Text(near.points[0].target.PC, 32)[10]; jump != 0xE9 {
		t.Skip("in this build thunks jump to a hook, which is always in reach")
	}
	sites, err := dispatch.Events(dispatch.TextSites + 1000) // more than any other test here makes
	judge.Check(t, err)
	site := sites[len(sites)-1]
	b := newBenchOf(t, strategy(t, "bound").New, flavour(t, "qsbr"), []*dispatch.Site{site})
	far := event.Probe(dispatch.Func(keyOf(site).PC()+1<<31-256), nil, 1)
	judge.Check(t, site.Reach(far.Fn))
	held := dispatch.Thunks() - thunks
	expect := func(what string, err error, probes ...dispatch.Probe) {
		t.Helper()
		arrays, entries := b.registry.arrays.InUse()
		if err == nil || arrays != min(1, len(probes)) || entries != min(1, len(probes))*(len(probes)+1) || dispatch.Thunks()-thunks != held {
			t.Errorf("%s: %v; %d arrays, %d entries, %d thunks", what, err, arrays, entries, dispatch.Thunks()-thunks)
		}
		b.compare(0, probes)
	}
	a := event.Probe(b.fns[0], &event.Datum{}, 0)
	expect("0->1", b.registry.Register(b.points[0], far))
	expect("0->1 twice", b.registry.Bulk([]Request{{b.points[0], a, false}, {b.points[0], a, true}, {b.points[0], far, false}}))
}
