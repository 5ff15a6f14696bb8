package tracepoint

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/slab"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// require skips the test where err is ErrUnsupported, and fails it for any other
// error, or if TPBENCH_REQUIRE says that this package must work here.
func require(tb testing.TB, err error) {
	tb.Helper()
	switch required := strings.Split(os.Getenv("TPBENCH_REQUIRE"), ","); {
	case err == nil:
	case errors.Is(err, impls.ErrUnsupported) && !slices.Contains(required, "tracepoint"):
		tb.Skip(err)
	default:
		tb.Fatal(err)
	}
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// forEach runs the test for every strategy with every flavour.
func forEach(t *testing.T, test func(t *testing.T, s Variant, f rcu.Variant)) {
	for _, s := range Variants() {
		for _, f := range impls.OnlySound(rcu.Variants()) {
			t.Run(s.Name+"/"+f.Name, func(t *testing.T) {
				require(t, s.Supported())
				require(t, f.Supported())
				test(t, s, f)
			})
		}
	}
}

func strategy(tb testing.TB, name string) Variant {
	tb.Helper()
	v, err := impls.Find("strategy", Variants(), name)
	check(tb, err)
	require(tb, v.Supported())
	return v
}

func flavour(tb testing.TB, name string) rcu.Variant {
	tb.Helper()
	v, err := impls.Find("flavour", rcu.Variants(), name)
	check(tb, err)
	require(tb, v.Supported())
	return v
}

// A bench is a Registry with its own Domain, which starts no grace period that
// nobody asked for, and tracepoints.
type bench struct {
	tb       testing.TB
	domain   *rcu.Domain
	registry *Registry
	points   []*Tracepoint
	fns      []dispatch.Func
}

// newBench adds n tracepoints to a new Registry. When the test ends they have no
// probes any more, and no reader is inside: their sites may be added elsewhere.
func newBench(tb testing.TB, p *Policy, f rcu.Variant, n int) *bench {
	tb.Helper()
	sites, err := dispatch.Events(n)
	require(tb, err)
	return newBenchOf(tb, p, f, sites)
}

func newBenchOf(tb testing.TB, p *Policy, f rcu.Variant, sites []*dispatch.Site) *bench {
	tb.Helper()
	b := &bench{tb: tb, fns: functions(tb)}
	b.domain = f.New(rcu.Options{Lazy: rcu.OnlyBarrier})
	b.registry = New(p, b.domain)
	for i, s := range sites {
		tp, err := b.registry.Add(fmt.Sprint("event", i), s)
		check(tb, err)
		b.points = append(b.points, tp)
	}
	tb.Cleanup(b.close)
	return b
}

func (b *bench) close() {
	for _, tp := range b.points {
		if len(tp.funcs) > 0 {
			check(b.tb, b.registry.Unregister(tp, dispatch.Probe{}))
		}
	}
	b.domain.Close()
}

func (b *bench) add(tp int, probes ...dispatch.Probe) {
	b.tb.Helper()
	for _, p := range probes {
		check(b.tb, b.registry.Register(b.points[tp], p))
	}
}

func (b *bench) remove(tp int, probes ...dispatch.Probe) {
	b.tb.Helper()
	for _, p := range probes {
		check(b.tb, b.registry.Unregister(b.points[tp], p))
	}
}

// fire passes a tracepoint once and returns the probes' calls. The reader exists
// for only as long, so that no flavour waits for it afterwards.
func (b *bench) fire(tp int) []firing {
	r := b.domain.Register()
	defer r.Unregister()
	seen.calls = nil
	b.points[tp].Fire(r)
	return seen.calls
}

// key returns the bytes of a tracepoint's key.
func (b *bench) key(tp int) []byte {
	return textpoke.Text(keyOf(b.points[tp].site).PC(), textpoke.Size)
}

func keyOf(s *dispatch.Site) *textpoke.Site {
	_, disable := dispatch.KeyChanges([]*dispatch.Site{s})
	return disable[0].Site
}

var nop = []byte{0x0F, 0x1F, 0x44, 0x00, 0x5A}

// random returns a source whose seed is logged, and which TPBENCH_SEED sets.
func random(tb testing.TB) *rand.Rand {
	tb.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("TPBENCH_SEED"); s != "" {
		var err error
		seed, err = strconv.ParseUint(s, 10, 64)
		check(tb, err)
	}
	tb.Logf("TPBENCH_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// If this fails, the old array lives for ever, or dies while it may still be read, or
// does not show who reads it when it is dead.
func TestT2ArrayIsReleased(t *testing.T) {
	forEach(t, func(t *testing.T, s Variant, f rcu.Variant) {
		b := newBench(t, s.New, f, 1)
		a, c := probe(b.fns[0], &datum{owner: 0}, 0), probe(b.fns[1], &datum{owner: 1}, 0)
		b.add(0, a)
		one := b.points[0].funcs
		b.add(0, c)
		two := b.points[0].funcs
		b.remove(0, a)
		freed := func(funcs []dispatch.Entry) bool {
			slot := funcs[:cap(funcs)] // a walk goes on to its zero entry
			for _, e := range probesOf(slot) {
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

// If this fails, a registration for which there is no memory does half of its
// transition (T5).
func TestT5NoMemory(t *testing.T) {
	for _, s := range Variants() {
		t.Run(s.Name, func(t *testing.T) {
			require(t, s.Supported())
			b := newBench(t, s.New, flavour(t, "qsbr"), 1)
			probes := []dispatch.Probe{probe(b.fns[0], nil, 0), probe(b.fns[1], nil, 0), probe(b.fns[2], nil, 0)}
			for i, p := range probes {
				b.registry.arrays.slab(i + 2).FailAfter(0)
				if err := b.registry.Register(b.points[0], p); !errors.Is(err, slab.ErrNoMem) {
					t.Fatalf("Register = %v, want ErrNoMem", err)
				}
				b.compare(0, probes[:i])
				b.add(0, p)
				b.compare(0, probes[:i+1])
			}
			b.registry.arrays.slab(3).FailAfter(0)
			if err := b.registry.Unregister(b.points[0], probes[0]); !errors.Is(err, slab.ErrNoMem) {
				t.Fatalf("Unregister = %v, want ErrNoMem", err)
			}
			b.compare(0, probes)
		})
	}
}

// If this fails, transitions leak old arrays, or release some twice.
func TestT2NothingLeaks(t *testing.T) {
	for _, s := range Variants() {
		t.Run(s.Name, func(t *testing.T) {
			b := newBench(t, s.New, flavour(t, "qsbr"), 1)
			r := random(t)
			released := uint64(0)
			for range 1000 {
				p := probe(b.fns[r.IntN(4)], nil, r.IntN(3))
				had := len(b.points[0].funcs) > 0
				err := b.registry.Register(b.points[0], p)
				if errors.Is(err, ErrExist) {
					err = b.registry.Unregister(b.points[0], p)
				}
				check(t, err)
				if had {
					released++
				}
			}
			b.domain.Barrier()
			if got := b.domain.Counters().Callbacks; got != released {
				t.Errorf("%d arrays released, want %d", got, released)
			}
		})
	}
}

// If this fails, a transition goes on after a step has failed, or Register says it
// succeeded. No direct call reaches the function, which is never called.
func TestT5UnreachableFunction(t *testing.T) {
	for _, name := range []string{"naive-sync", "rcu-cond-sync"} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, strategy(t, name).New, flavour(t, "qsbr"), 1)
			far := probe(1<<46, nil, 0)
			if err := b.registry.Register(b.points[0], far); err == nil {
				t.Fatal("registered a function out of reach")
			}
			if got := b.key(0); !slices.Equal(got, nop) {
				t.Errorf("after the error the key is % x", got)
			}
			if err := b.registry.Unregister(b.points[0], far); !errors.Is(err, ErrNotFound) {
				t.Errorf("after the error, Unregister = %v, want ErrNotFound", err)
			}
			near := probe(b.fns[0], nil, 0)
			b.add(0, near)
			if got := b.fire(0); !slices.Equal(got, []firing{{fn: 0}}) {
				t.Errorf("after the error, another probe's calls are %v", got)
			}
		})
	}
}

// If this fails, a probe cannot fire tracepoints itself.
func TestNestedFire(t *testing.T) {
	forEach(t, func(t *testing.T, s Variant, f rcu.Variant) {
		sites, err := dispatch.Events(dispatch.TextSites + 1)
		require(t, err)
		b := newBenchOf(t, s.New, f, []*dispatch.Site{sites[0], sites[dispatch.TextSites]})
		b.add(0, probe(b.fns[0], nil, 2))
		b.add(1, probe(b.fns[1], nil, 2))
		r := b.domain.Register()
		depth := 0
		do := func() {
			if depth < 4 { // 0, 1, 0, 1, 0
				depth++
				b.points[depth%2].Fire(r)
			}
		}
		b.add(0, nestedProbe(t, &do))
		b.add(1, nestedProbe(t, &do))
		seen.calls = nil
		b.points[0].Fire(r)
		r.Unregister() // panics inside a section
		want := []firing{{fn: 0}, {fn: 1}, {fn: 0}, {fn: 1}, {fn: 0}}
		if !slices.Equal(seen.calls, want) {
			t.Errorf("calls %v, want %v", seen.calls, want)
		}
	})
}

// If this fails, a Registry takes over what a former one of the site, with another
// strategy, left in its static call.
func TestAddAfterAnotherStrategy(t *testing.T) {
	for _, before := range Variants() {
		for _, after := range Variants() {
			t.Run(before.Name+"/"+after.Name, func(t *testing.T) {
				var f rcu.Variant
				t.Run("before", func(t *testing.T) {
					require(t, before.Supported())
					f = flavour(t, "qsbr")
					b := newBench(t, before.New, f, 1)
					b.add(0, probe(b.fns[0], nil, 0))
				})
				require(t, after.Supported())
				b := newBench(t, after.New, f, 1)
				b.compare(0, nil)
				b.add(0, probe(b.fns[1], nil, 0))
				b.compare(0, model{probe(b.fns[1], nil, 0)})
			})
		}
	}
}

func BenchmarkFire(b *testing.B) {
	for _, s := range Variants() {
		for _, probes := range []int{0, 1, 2} {
			b.Run(fmt.Sprintf("impl=%s/probes=%d", s.Name, probes), func(b *testing.B) {
				require(b, s.Supported())
				t := newBench(b, s.New, flavour(b, "qsbr"), 1)
				for i := range probes {
					t.add(0, probe(dispatch.Nop(), &datum{}, i))
				}
				r := t.domain.Register()
				defer r.Unregister()
				for b.Loop() {
					t.points[0].Fire(r)
				}
			})
		}
	}
}

func BenchmarkPingPong(b *testing.B) {
	for _, s := range Variants() {
		b.Run("impl="+s.Name, func(b *testing.B) {
			require(b, s.Supported())
			t := newBench(b, s.New, flavour(b, "memb"), 1)
			p := probe(dispatch.Nop(), nil, 0)
			for b.Loop() {
				t.add(0, p)
				t.remove(0, p)
			}
		})
	}
}
