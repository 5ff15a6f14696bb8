package tracepoint

import (
	"testing"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/implstest"
	"github.com/tpbench/tpbench/impls/rcu"
)

// waits is what a piece of work cost the updater: the calls that blocked for a
// grace period, and those that found one past.
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

// events is how many tracepoints a flavour has the patience for.
func events(f rcu.Variant) int {
	if f.Name == "kernelgp" {
		return 3
	}
	return 16
}

// byStrategy says what each strategy should have cost.
type byStrategy struct{ naive, condSync waits }

func (w byStrategy) of(s Variant) waits {
	switch s.Name {
	case "naive-sync":
		return w.naive
	case "rcu-cond-sync":
		return w.condSync
	}
	return waits{} // the others never wait
}

// claimed skips strategies of which this file does not say what they wait for.
func claimed(t *testing.T, s Variant) {
	t.Helper()
	switch s.Name {
	case "indirect-iterator", "direct-static-call", "naive-sync", "rcu-cond-sync":
	default:
		t.Skipf("no claim here about what %s waits for", s.Name)
	}
}

// If this fails, turning all events off and on again costs another number of grace
// periods than in the kernel: the figures that this project is about.
func TestWaitsOfBulk(t *testing.T) {
	forEach(t, func(t *testing.T, s Variant, f rcu.Variant) {
		claimed(t, s)
		n := events(f)
		b := newBench(t, s.New, f, n)
		p := probe(b.fns[0], &datum{}, 0)
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
		b.expect("first enable-all", enableAll, waits{})
		b.expect("disable-all", disableAll, each.of(s))
		b.expect("enable-all right after", enableAll, byStrategy{condSync: waits{waited: 1}}.of(s))
		b.expect("disable-all again", disableAll, each.of(s))
		b.domain.Barrier()
		b.expect("enable-all after a grace period", enableAll, byStrategy{condSync: waits{elided: 1}}.of(s))
		b.expect("disable-all at last", disableAll, each.of(s))
	})
}

// If this fails, alternating a disable and an enable costs another number of grace
// periods: on one event (PingPong), or on unrelated ones (Churn), which global
// snapshots cannot tell from each other.
func TestWaitsOfAlternation(t *testing.T) {
	forEach(t, func(t *testing.T, s Variant, f rcu.Variant) {
		claimed(t, s)
		k := events(f)
		for _, c := range []struct {
			name string
			on   func(i int) int // the event that round i enables; it disables event i
		}{
			{"ping-pong", func(i int) int { return i }},
			{"churn", func(i int) int { return i + k }},
		} {
			for _, between := range []struct {
				name string
				do   func(b *bench)
				want byStrategy
			}{
				{"nothing", func(*bench) {}, byStrategy{waits{waited: uint64(k)}, waits{waited: uint64(k)}}},
				{"a grace period", func(b *bench) { b.domain.Barrier() }, byStrategy{waits{waited: uint64(k)}, waits{elided: uint64(k)}}},
			} {
				t.Run(c.name+"/"+between.name, func(t *testing.T) {
					b := newBench(t, s.New, f, 2*k)
					p := probe(b.fns[0], &datum{}, 0)
					for i := range k {
						b.add(i, p)
					}
					b.expect(c.name, func() {
						for i := range k {
							b.remove(i, p)
							between.do(b)
							b.add(c.on(i), p)
						}
					}, between.want.of(s))
				})
			}
		}
	})
}

// If this fails, going back to one probe waits where nobody can hold the wrong
// data, or does not wait where somebody can.
func TestWaitsOfShrink(t *testing.T) {
	one, none := waits{waited: 1}, waits{}
	forEach(t, func(t *testing.T, s Variant, f rcu.Variant) {
		claimed(t, s)
		fns := functions(t)
		d1, d2 := &datum{name: "d1"}, &datum{name: "d2"}
		a, b, c := probe(fns[0], d1, 3), probe(fns[1], d2, 2), probe(fns[2], &datum{name: "d3"}, 1)
		first := probe(fns[3], &datum{name: "first"}, 9)
		last := probe(fns[3], &datum{name: "last"}, -9)
		again := probe(fns[0], d2, 0) // a's function, other data
		alike := probe(fns[1], d1, 0) // a's data, another function
		for _, x := range []struct {
			name  string
			setUp func(*bench)
			do    func(*bench)
			want  byStrategy
		}{
			{"2->1, first leaves",
				func(x *bench) { x.add(0, a, b) },
				func(x *bench) { x.remove(0, a) },
				byStrategy{one, one}},
			{"2->1, last leaves",
				func(x *bench) { x.add(0, a, b) },
				func(x *bench) { x.remove(0, b) },
				byStrategy{one, none}},
			{"3->2->1, first leaves, then last: N_2_1 is pending",
				func(x *bench) { x.add(0, a, b, c) },
				func(x *bench) { x.remove(0, a); x.remove(0, c) },
				byStrategy{one, one}},
			{"3->2->1, lasts leave",
				func(x *bench) { x.add(0, a, b, c) },
				func(x *bench) { x.remove(0, c); x.remove(0, b) },
				byStrategy{one, none}},
			{"3->2, grace period, 2->1",
				func(x *bench) { x.add(0, a, b, c) },
				func(x *bench) { x.remove(0, a); x.domain.Barrier(); x.remove(0, c) },
				byStrategy{one, waits{elided: 1}}},
			{"1->2->1 by a first probe that comes and leaves",
				func(x *bench) { x.add(0, a) },
				func(x *bench) { x.add(0, first); x.remove(0, first) },
				byStrategy{one, one}},
			{"1->2->1 by a first probe that comes and stays",
				func(x *bench) { x.add(0, a) },
				func(x *bench) { x.add(0, first); x.remove(0, a) },
				byStrategy{one, one}},
			{"1->2->1 by a last probe that comes and leaves",
				func(x *bench) { x.add(0, a) },
				func(x *bench) { x.add(0, last); x.remove(0, last) },
				byStrategy{one, none}},
			{"2->3->2->1 by a first probe that comes and stays",
				func(x *bench) { x.add(0, a, b) },
				func(x *bench) { x.add(0, first); x.remove(0, a, b) },
				byStrategy{one, one}},
			{"2->1 with one function and two data: it is the data that counts",
				func(x *bench) { x.add(0, a, again) },
				func(x *bench) { x.remove(0, a) },
				byStrategy{one, one}},
			{"2->1 with two functions and one data",
				func(x *bench) { x.add(0, a, alike) },
				func(x *bench) { x.remove(0, a) },
				byStrategy{one, none}},
			{"2->0 at once",
				func(x *bench) { x.add(0, a, b) },
				func(x *bench) { implstest.Check(x.tb, x.registry.Unregister(x.points[0], dispatch.Probe{})) },
				byStrategy{one, none}},
			{"2->1, first leaves, on one event; last on another: no longer pending",
				func(x *bench) { x.add(0, a, b); x.add(1, a, b) },
				func(x *bench) { x.remove(0, a); x.remove(1, b) },
				byStrategy{waits{waited: 2}, one}},
			{"3->2, first leaves, on one event; 2->1, last, on another: snapshots are global",
				func(x *bench) { x.add(0, a, b, c); x.add(1, a, b) },
				func(x *bench) { x.remove(0, a); x.remove(1, b) },
				byStrategy{one, one}},
			{"a pending 1_0_1 is no concern of 2->1",
				func(x *bench) { x.add(0, a); x.add(1, a, b) },
				func(x *bench) { x.remove(0, a); x.remove(1, b) },
				byStrategy{waits{waited: 2}, none}},
			{"a pending N_2_1 is no concern of 0->1",
				func(x *bench) { x.add(0, a, b, c) },
				func(x *bench) { x.remove(0, a); x.add(1, a) },
				byStrategy{}},
		} {
			t.Run(x.name, func(t *testing.T) {
				bench := newBench(t, s.New, f, 2)
				x.setUp(bench)
				bench.expect("it", func() { x.do(bench) }, x.want.of(s))
			})
		}
	})
}
