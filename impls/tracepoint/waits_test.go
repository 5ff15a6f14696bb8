package tracepoint

import (
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/judge/event"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// waits counts the updater's calls that blocked for a grace period, and those that did not
// block because one had passed.
type waits struct{ waited, elided uint64 }

// cost runs work and returns its waits.
func (b *bench) cost(work func()) waits {
	before := b.domain.Counters()
	work()
	after := b.domain.Counters()
	return waits{after.Waited - before.Waited, after.Elided - before.Elided}
}

func (b *bench) expect(what string, work func(), want waits) {
	b.tb.Helper()
	if got := b.cost(work); got != want {
		b.tb.Errorf("%s: %+v, want %+v", what, got, want)
	}
}

// all makes one bulk change of all tracepoints.
func (b *bench) all(p dispatch.Probe, remove bool) {
	b.tb.Helper()
	var list []Request
	for _, tp := range b.points {
		list = append(list, Request{tp, p, remove})
	}
	judge.Check(b.tb, b.registry.Bulk(list))
}

// events is how many tracepoints a test takes: few where a grace period takes long.
func events(f rcu.Variant) int {
	if f.Slow {
		return 3
	}
	return 16
}

// byStrategy says what the strategies of claims should have cost.
type byStrategy struct {
	naive, condSync waits
	own             waits // with a snapshot for each tracepoint
}

// claims selects from byStrategy. There is no claim about a strategy that is not here.
var claims = map[string]func(byStrategy) waits{
	"indirect-iterator":  func(byStrategy) waits { return waits{} },
	"direct-static-call": func(byStrategy) waits { return waits{} },
	"bound":              func(byStrategy) waits { return waits{} },
	"naive-sync":         func(w byStrategy) waits { return w.naive },
	"rcu-cond-sync":      func(w byStrategy) waits { return w.condSync },
	"tp-cond-sync":       func(w byStrategy) waits { return w.own },
	"batched":            func(w byStrategy) waits { return w.own },
}

func (w byStrategy) of(s Variant) waits { return claims[s.Name](w) }

// forEachClaimed runs the test for every strategy in claims with every flavour.
func forEachClaimed(t *testing.T, test func(t *testing.T, s Variant, f rcu.Variant)) {
	forEach(t, func(t *testing.T, s Variant, f rcu.Variant) {
		if claims[s.Name] == nil {
			t.Skipf("no claim here about what %s waits for", s.Name)
		}
		test(t, s, f)
	})
}

// If this fails, turning all events off and on again costs another number of grace
// periods than in the kernel: the figures that this project is about.
func TestWaitsOfBulk(t *testing.T) {
	forEachClaimed(t, func(t *testing.T, s Variant, f rcu.Variant) {
		n := events(f)
		b := newBench(t, s.New, f, n)
		p := event.Probe(b.fns[0], &event.Datum{}, 0)
		enableAll := func() {
			for i := range n {
				b.add(i, p)
			}
		}
		disableAll := func() {
			for i := range n {
				b.remove(i, p)
			}
		}
		each := byStrategy{naive: waits{waited: uint64(n)}}
		all := uint64(n)
		b.expect("first enable-all", enableAll, waits{})
		b.expect("disable-all", disableAll, each.of(s))
		b.expect("enable-all right after", enableAll, byStrategy{condSync: waits{waited: 1}, own: waits{waited: 1, elided: all - 1}}.of(s))
		b.expect("disable-all again", disableAll, each.of(s))
		b.domain.Barrier()
		b.expect("enable-all after a grace period", enableAll, byStrategy{condSync: waits{elided: 1}, own: waits{elided: all}}.of(s))
		b.expect("disable-all at last", disableAll, each.of(s))
	})
}

// If this fails, a bulk change costs more patches or waits than its strategy promises.
func TestWaitsOfBulkRequests(t *testing.T) {
	forEachClaimed(t, func(t *testing.T, s Variant, f rcu.Variant) {
		n := events(f)
		b := newBench(t, s.New, f, n)
		a, c := event.Probe(b.fns[0], &event.Datum{}, 1), event.Probe(b.fns[1], &event.Datum{}, 0)
		each, rest := uint64(n), uint64(n-1)
		want := func(naive, condSync, own, batched waits) waits {
			if s.New.Together {
				return batched
			}
			return byStrategy{naive, condSync, own}.of(s)
		}
		wait := func(n uint64) waits { return waits{waited: n} }
		for _, x := range []struct {
			what   string
			probe  dispatch.Probe
			remove bool
			want   waits
		}{
			{"enable", a, false, want(wait(0), wait(0), wait(0), wait(0))},
			{"disable", a, true, want(wait(each), wait(0), wait(0), wait(0))},
			{"enable", a, false, want(wait(0), wait(1), waits{1, rest}, wait(1))},
			{"1->2", c, false, want(wait(0), wait(0), wait(0), wait(0))},
			{"2->1, first leaves", a, true, want(wait(each), wait(each), wait(each), wait(1))},
			{"disable", dispatch.Probe{}, true, want(wait(each), wait(0), wait(0), wait(0))},
		} {
			before := textpoke.Totals().Syncs
			b.expect(x.what, func() { b.all(x.probe, x.remove) }, x.want)
			if syncs := textpoke.Totals().Syncs - before; s.New.Together && syncs != 3 {
				t.Errorf("%s: %d core syncs for %d events, want 3", x.what, syncs, n)
			}
		}
	})
}

// If this fails, a bulk change does not wait for the last of its tracepoints' moments.
func TestWaitsOfBulkForTheLast(t *testing.T) {
	b := newBench(t, strategy(t, "batched").New, flavour(t, "memb"), 2)
	p, last := event.Probe(b.fns[0], &event.Datum{}, 0), event.Probe(b.fns[1], &event.Datum{}, -1)
	for first := range 2 {
		b.domain.Barrier()
		b.all(p, false)
		b.remove(first, p)
		b.domain.Barrier()
		b.remove(1-first, p)
		b.expect("a moment that has passed and one that has not", func() { b.all(p, false) }, waits{waited: 1})
		for i := range 2 {
			b.expect("a moment that is over", func() { b.add(i, last); b.remove(i, last) }, waits{})
		}
		b.all(p, true)
	}
}

// If this fails, a bulk change remembers its moment only for some of its tracepoints. The next
// change of another of them then does not wait for its readers.
func TestWaitsAfterBulkForEach(t *testing.T) {
	for _, name := range []string{"tp-cond-sync", "batched"} {
		for i := range 3 {
			b := newBench(t, strategy(t, name).New, flavour(t, "memb"), 3)
			a, c, d := event.Probe(b.fns[0], &event.Datum{}, 1), event.Probe(b.fns[1], &event.Datum{}, 0), event.Probe(b.fns[2], &event.Datum{}, -1)
			b.all(a, false)
			b.all(a, true)
			b.expect("0->1 after a bulk 1->0", func() { b.add(i, a) }, waits{waited: 1})
			b.remove(i, a)

			b.all(a, false)
			b.all(c, false)
			b.all(d, false)
			b.domain.Barrier()
			b.all(a, true)
			b.expect("2->1 after a bulk 3->2", func() { b.remove(i, d) }, waits{waited: 1})
		}
	}
}

// If this fails, a bulk change with four different transitions waits more than once.
func TestWaitsOfMixedBulk(t *testing.T) {
	b := newBench(t, strategy(t, "batched").New, flavour(t, "memb"), 4)
	a, c, d := event.Probe(b.fns[0], &event.Datum{}, 2), event.Probe(b.fns[1], &event.Datum{}, 1), event.Probe(b.fns[2], &event.Datum{}, 0)
	b.add(0, a) // 0->1 below, with a moment remembered
	b.remove(0, a)
	b.add(1, a)
	b.add(2, a, c)
	b.add(3, a)
	b.expect("0->1, 1->2, 2->1 and 1->0", func() {
		judge.Check(t, b.registry.Bulk([]Request{
			{b.points[0], c, false}, {b.points[1], d, false}, {b.points[2], a, true}, {b.points[3], a, true},
		}))
	}, waits{waited: 1, elided: 1})
	for i, probes := range [][]dispatch.Probe{{c}, {a, d}, {c}, nil} {
		b.compare(i, probes)
	}
}

// If this fails, disabling one event and enabling one by turns costs another number of grace
// periods: on the same event (PingPong), or on two unrelated events (Churn), which the
// kernel's two snapshots cannot tell apart.
func TestWaitsOfAlternation(t *testing.T) {
	forEachClaimed(t, func(t *testing.T, s Variant, f rcu.Variant) {
		k := events(f)
		for _, c := range []struct {
			name    string
			on      func(i int) int // the event that round i enables; it disables event i
			related bool
		}{
			{"ping-pong", func(i int) int { return i }, true},
			{"churn", func(i int) int { return i + k }, false},
		} {
			for _, between := range []struct {
				name string
				do   func(b *bench)
				want byStrategy
			}{
				{"nothing", func(*bench) {}, byStrategy{waits{waited: uint64(k)}, waits{waited: uint64(k)}, waits{waited: uint64(k)}}},
				{"a grace period", func(b *bench) { b.domain.Barrier() }, byStrategy{waits{waited: uint64(k)}, waits{elided: uint64(k)}, waits{elided: uint64(k)}}},
			} {
				t.Run(c.name+"/"+between.name, func(t *testing.T) {
					want := between.want
					if !c.related {
						want.own = waits{} // another event's snapshot does not matter
					}
					b := newBench(t, s.New, f, 2*k)
					p := event.Probe(b.fns[0], &event.Datum{}, 0)
					for i := range k {
						b.add(i, p)
					}
					b.expect(c.name, func() {
						for i := range k {
							b.remove(i, p)
							between.do(b)
							b.add(c.on(i), p)
						}
					}, want.of(s))
				})
			}
		}
	})
}

// shrinks are ways back to one probe, in the words of a scenario, and "gp" is a grace period
// that passes.
var shrinks = []struct {
	name, start, ops string
	want             byStrategy
}{
	{"2->1, first leaves", "AB", "-A", byStrategy{one, one, one}},
	{"2->1, last leaves", "AB", "-B", byStrategy{one, none, none}},
	{"3->2->1, first leaves, then last: N_2_1 is pending", "ABC", "-A -C", byStrategy{one, one, one}},
	{"3->2->1, each time the last leaves", "ABC", "-C -B", byStrategy{one, none, none}},
	{"3->2, grace period, 2->1", "ABC", "-A gp -C", byStrategy{one, waits{elided: 1}, waits{elided: 1}}},
	{"1->2->1 by a first probe that comes and leaves", "A", "+H -H", byStrategy{one, one, one}},
	{"1->2->1 by a first probe that comes and stays", "A", "+H -A", byStrategy{one, one, one}},
	{"1->2->1 by a last probe that comes and leaves", "A", "+C -C", byStrategy{one, none, none}},
	{"2->3->2->1 by a first probe that comes and stays", "AB", "+H -A -B", byStrategy{one, one, one}},
	{"2->1 with one function and two data: the data counts", "Aa", "-A", byStrategy{one, one, one}},
	{"2->1 with two functions and one data", "Ab", "-A", byStrategy{one, none, none}},
	{"2->1 twice: a moment is waited for once", "AB", "-A +C -C", byStrategy{waits{waited: 2}, one, one}},
	{"2->0 at once", "AB", "-*", byStrategy{one, none, none}},
	{"2->1, first leaves, on one event; last on another: no longer pending", "AB", "y+A y+B | -A y-B", byStrategy{waits{waited: 2}, one, one}},
	{"3->2, first leaves, on one event; 2->1, last, on another: snapshots are global", "ABC", "y+A y+B | -A y-B", byStrategy{one, one, none}},
	{"2->1 does not wait for a pending 1_0_1", "A", "y+A y+B | -A y-B", byStrategy{waits{waited: 2}, none, none}},
	{"0->1 does not wait for a pending N_2_1", "ABC", "-A y+A", byStrategy{}},
}

var one, none = waits{waited: 1}, waits{}

// If this fails, going back to one probe waits although no reader can hold the wrong data, or
// does not wait although one can.
func TestWaitsOfShrink(t *testing.T) {
	forEachClaimed(t, func(t *testing.T, s Variant, f rcu.Variant) {
		for _, x := range shrinks {
			t.Run(x.name, func(t *testing.T) {
				b := newBench(t, s.New, f, 2)
				before, counted, ok := strings.Cut(x.ops, "|")
				if !ok {
					before, counted = "", x.ops
				}
				do := func(ops string) {
					for op := range strings.FieldsSeq(ops) {
						if op == "gp" {
							b.domain.Barrier()
							continue
						}
						judge.Check(t, b.registry.Bulk(b.requests(op)))
					}
				}
				for i := range x.start {
					b.add(0, b.letter(x.start[i]))
				}
				do(before)
				b.expect(x.ops, func() { do(counted) }, x.want.of(s))
			})
		}
	})
}
