package unregister

import (
	"errors"
	"slices"
	"testing"
	"unsafe"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/judge/event"
	"github.com/tpbench/tpbench/impls/internal/probes"
	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A bench is a Point with a Domain of its own, which starts no grace period by itself, and
// the probes A to D.
type bench struct {
	testing.TB
	status impls.Status
	domain *rcu.Domain
	point  *Point
	data   []*event.Datum
	probes []dispatch.Probe
}

// newBench makes a Point that has the first n probes.
func newBench(tb testing.TB, v Variant, flavour string, n int) *bench {
	tb.Helper()
	f, err := impls.Find("flavour", rcu.Variants(), flavour)
	judge.Check(tb, err)
	judge.Need(tb, v.Supported(), "unregister", v.Name)
	judge.Need(tb, f.Supported(), "rcu", f.Name)
	sites, err := dispatch.Events(1)
	judge.Need(tb, err, "dispatch")
	b := &bench{TB: tb, status: v.Status, domain: f.New(rcu.Options{Lazy: rcu.OnlyBarrier})}
	b.point, err = New(v.New, b.domain, sites[0])
	judge.Check(tb, err)
	for i, fn := range event.Funcs(tb, 4) {
		d := &event.Datum{Name: string(rune('A' + i)), Owner: i, Do: func() { step.At("probe: called") }}
		b.data = append(b.data, d)
		b.probes = append(b.probes, event.Probe(fn, d, 0))
	}
	for i := range n {
		b.add(i)
	}
	tb.Cleanup(func() {
		b.point.FailAfter(-1)
		if b.point.funcs != nil {
			judge.Check(tb, b.point.Unregister(dispatch.Probe{}))
		}
		b.domain.Close()
	})
	return b
}

func (b *bench) add(i int) {
	b.Helper()
	b.point.FailAfter(-1)
	judge.Check(b, b.point.Register(b.probes[i]))
}

// remove removes a probe, with memory or without, and reports whether it is gone: the removal
// of a busted variant may fail without memory.
func (b *bench) remove(i int, memory bool) bool {
	b.Helper()
	b.point.FailAfter(-1)
	if !memory {
		b.point.FailAfter(0)
	}
	err := b.point.Unregister(b.probes[i])
	if memory || b.status == impls.Sound || !errors.Is(err, ErrNoMem) {
		judge.Check(b, err)
	}
	return err == nil
}

func forEach(t *testing.T, test func(t *testing.T, v Variant)) {
	for _, v := range Variants() {
		t.Run(v.Name, func(t *testing.T) { test(t, v) })
	}
}

// forEachWithDead runs the test for every variant that leaves dead entries.
func forEachWithDead(t *testing.T, test func(t *testing.T, v Variant)) {
	forEach(t, func(t *testing.T, v Variant) {
		if v.New.Dead == nil {
			t.Skip("has no dead entries")
		}
		test(t, v)
	})
}

const entrySize = int(unsafe.Sizeof(dispatch.Entry{}))

// If this fails, Held does not report the memory of the array in force and of the released
// arrays whose readers may not have left.
func TestM5BytesHeld(t *testing.T) {
	type claim struct{ removed, later, next int } // entries after two of four were removed, a grace period later, after the next add
	claims := map[string][2]claim{                // with memory, without
		"fail":              {{5 + 4 + 3, 3, 4}, {5, 5, 5}}, // without memory it removes nothing
		"sentinel":          {{5 + 4 + 3, 3, 4}, {5, 5, 4}},
		"stub":              {{5 + 4 + 3, 3, 4}, {5, 5, 4}},
		"double-array":      {{10, 10, 8}, {10, 10, 8}},
		"double-array-sync": {{10, 10, 8}, {10, 10, 8}},
	}
	forEach(t, func(t *testing.T, v Variant) {
		claims, ok := claims[v.Name]
		if !ok {
			t.Skipf("no claim here about what %s holds", v.Name)
		}
		for i, want := range claims {
			memory := i == 0
			b := newBench(t, v, "qsbr", 4)
			b.domain.Barrier()
			held := func(what string, entries int) {
				t.Helper()
				if _, bytes := b.point.Held(); bytes != entries*entrySize {
					t.Errorf("memory %v, %s: %d bytes, want %d entries", memory, what, bytes, entries)
				}
			}
			b.remove(0, memory)
			b.remove(2, memory)
			held("two of four removed", want.removed)
			b.domain.Barrier()
			held("a grace period later", want.later)
			if len(b.point.live()) == 2 {
				b.add(0)
			}
			b.domain.Barrier()
			held("after the next add", want.next)
			judge.Check(t, b.point.Unregister(dispatch.Probe{}))
			b.domain.Barrier()
			held("empty", 0)
		}
	})
}

// If this fails, a released array is freed while a reader may still walk it, or never, or a
// freed array does not hold poison.
func TestM1ArrayIsReleased(t *testing.T) {
	forEach(t, func(t *testing.T, v Variant) {
		b := newBench(t, v, "qsbr", 2)
		b.domain.Barrier() // the array of the first
		two := b.point.array
		whole := two[:cap(two)]
		before := slices.Clone(probes.Of(b.point.funcs))
		b.add(2)
		if !slices.Equal(whole[:2], before) {
			t.Error("an array was changed before its grace period")
		}
		b.domain.Barrier()
		for i, e := range whole {
			if want := (dispatch.Entry{}); i < len(whole)-1 && e != dispatch.Poison() || i == len(whole)-1 && e != want {
				t.Errorf("after a grace period entry %d of the old array is %v", i, e)
			}
		}
		if got := b.domain.Counters().Callbacks; got != 2 {
			t.Errorf("%d arrays released, want 2", got)
		}
	})
}

// If this fails, a reader that has loaded the function of an entry that dies gets other data
// than that function's (M3); or it walks past the end of its array, or stops early (M2).
func TestM3DyingEntryKeepsItsData(t *testing.T) {
	forEachWithDead(t, func(t *testing.T, v Variant) {
		for at := range 3 {
			b := newBench(t, v, "qsbr", 3)
			want := slices.Clone(b.point.funcs)
			funcs := b.point.funcs
			b.remove(at, false)
			want[at].Fn = uintptr(v.New.Dead())
			if !slices.Equal(funcs, want) || &b.point.funcs[0] != &funcs[0] {
				t.Errorf("removal of probe %d: the array in force is %v, want %v in place", at, b.point.funcs, want)
			}
			judge.Check(t, b.point.Unregister(dispatch.Probe{})) // the next bench has the same site
		}
	})
}

// If this fails, dead entries stay after the next change that finds memory, and every firing
// loses time with them.
func TestNextChangeCompacts(t *testing.T) {
	forEachWithDead(t, func(t *testing.T, v Variant) {
		for _, change := range []struct {
			name string
			do   func(b *bench)
			want int // probes
		}{
			{"add", func(b *bench) { b.add(0) }, 3},
			{"remove", func(b *bench) { b.remove(2, true) }, 1},
		} {
			t.Run(change.name, func(t *testing.T) {
				b := newBench(t, v, "qsbr", 4)
				b.remove(0, false)
				b.remove(1, false)
				if n := len(b.point.funcs); n != 5 {
					t.Fatalf("%d entries beside two dead ones, want 5", n)
				}
				change.do(b)
				if n := len(b.point.funcs); n != change.want+1 || len(b.point.live()) != change.want {
					t.Errorf("%d entries, %d alive, want %d and the end", n, len(b.point.live()), change.want)
				}
			})
		}
	})
}

// If this fails, a removal waits although no reader can be in the half that it fills, or does
// not wait although one can.
func TestWaitsOfRemovals(t *testing.T) {
	type cost struct{ waited, elided uint64 }
	for _, c := range []struct {
		name    string
		between func(b *bench, removed int)
		sync    cost // of double-array-sync
	}{
		{"in a row", func(*bench, int) {}, cost{waited: 2}},
		{"a grace period between", func(b *bench, _ int) { b.domain.Barrier() }, cost{elided: 2}},
		{"an add between, which brings two new halves", func(b *bench, removed int) { b.add(removed) }, cost{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			claims := map[string]cost{"fail": {}, "sentinel": {}, "stub": {}, "double-array": {}, "double-array-sync": c.sync}
			forEach(t, func(t *testing.T, v Variant) {
				want, ok := claims[v.Name]
				if !ok {
					t.Skipf("no claim here about what %s waits for", v.Name)
				}
				for _, memory := range []bool{true, false} {
					b := newBench(t, v, "qsbr", 4)
					before := b.domain.Counters()
					for i := range 3 {
						if b.remove(i, memory) {
							c.between(b, i)
						}
					}
					judge.Check(t, b.point.Unregister(dispatch.Probe{})) // removal of the last never waits
					after := b.domain.Counters()
					if got := (cost{after.Waited - before.Waited, after.Elided - before.Elided}); got != want {
						t.Errorf("memory %v: %+v, want %+v", memory, got, want)
					}
				}
			})
		})
	}
}
