package tracepoint

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/rcu"
)

// model is what a tracepoint does, said as plainly as possible: its probes in the
// order in which they are called.
type model []dispatch.Probe

func (m *model) register(p dispatch.Probe) error {
	switch {
	case p.Fn == 0:
		return ErrInvalid
	case m.find(p) >= 0:
		return ErrExist
	}
	*m = append(*m, p)
	slices.SortStableFunc(*m, func(a, b dispatch.Probe) int { return b.Prio - a.Prio })
	return nil
}

func (m *model) unregister(p dispatch.Probe) error {
	at := m.find(p)
	switch {
	case len(*m) > 0 && p.Fn == 0:
		*m = nil
	case at < 0:
		return ErrNotFound
	default:
		*m = slices.Delete(*m, at, at+1)
	}
	return nil
}

func (m *model) find(p dispatch.Probe) int {
	return slices.IndexFunc(*m, func(q dispatch.Probe) bool { return q.Fn == p.Fn && q.Data == p.Data })
}

// calls is what firing calls.
func (m model) calls(fns []dispatch.Func) []firing {
	var list []firing
	for _, p := range m {
		list = append(list, firing{slices.Index(fns, p.Fn), dataOf(p)})
	}
	return list
}

// compare checks a tracepoint against its model.
func (b *bench) compare(tp int, m model) {
	b.tb.Helper()
	if got, want := b.fire(tp), m.calls(b.fns); !slices.Equal(got, want) {
		b.tb.Fatalf("T3: firing called %v, want %v", got, want)
	}
	if off := slices.Equal(b.key(tp), nop); off != (len(m) == 0) {
		b.tb.Fatalf("T4: with %d probes the key is % x", len(m), b.key(tp))
	}
}

// If this fails, some sequence of registrations makes a tracepoint call other
// probes than were asked for (T3), leaves its key on or off (T4), or answers a
// mistake with another error, or does half of it (T5).
func TestT3T4T5AgainstModel(t *testing.T) {
	forEach(t, func(t *testing.T, s Variant, f rcu.Variant) {
		steps := 600
		if f.Name == "kernelgp" {
			steps = 20
		}
		rnd := random(t)
		b := newBench(t, s.New, f, 2)
		data := []*datum{nil, {name: "d1"}, {name: "d2"}}
		models := make([]model, len(b.points))
		var history []string
		defer func() {
			if t.Failed() {
				t.Logf("the last steps: %v", history[max(0, len(history)-12):])
			}
		}()
		for range steps {
			tp := rnd.IntN(len(models))
			m := &models[tp]
			p := probe(b.fns[rnd.IntN(len(b.fns))], data[rnd.IntN(len(data))], rnd.IntN(5)-2)
			if len(*m) > 0 && rnd.IntN(3) == 0 {
				p = (*m)[rnd.IntN(len(*m))] // registered for sure
			}
			if rnd.IntN(20) == 0 {
				p.Fn = 0
			}
			var got, want error
			what := "register"
			if rnd.IntN(2) == 0 {
				got, want = b.registry.Register(b.points[tp], p), m.register(p)
			} else {
				what = "unregister"
				got, want = b.registry.Unregister(b.points[tp], p), m.unregister(p)
			}
			history = append(history, fmt.Sprintf("%s f%d(%p) %d at %d: %v", what, slices.Index(b.fns, p.Fn), p.Data, p.Prio, tp, want))
			if !errors.Is(got, want) {
				t.Fatalf("T5: %s = %v, want %v", what, got, want)
			}
			for i := range models {
				b.compare(i, models[i])
			}
			if rnd.IntN(8) == 0 {
				b.domain.Barrier()
			}
		}
	})
}

// If this fails, a transition is wrong for some number of probes before and after,
// whichever of them comes or goes.
func TestT3TransitionMatrix(t *testing.T) {
	forEach(t, func(t *testing.T, s Variant, f rcu.Variant) {
		if f.Name == "kernelgp" {
			t.Skip("TestT3T4T5AgainstModel has it; here it would only wait")
		}
		b := newBench(t, s.New, f, 1)
		tp := b.points[0]
		// The added or removed probe comes first, in the middle, or last.
		for before := range 5 {
			for at := range before + 1 {
				m := model{}
				for i := range before {
					p := probe(b.fns[i%4], &datum{name: fmt.Sprint("d", i)}, 10*(before-i))
					check(t, m.register(p))
					b.add(0, p)
				}
				b.compare(0, m)
				added := probe(b.fns[0], nil, 10*(before-at)+5)
				check(t, m.register(added))
				b.add(0, added)
				if m[at] != added {
					t.Fatalf("the model put it at %d, want %d", m.find(added), at)
				}
				b.compare(0, m)
				check(t, m.unregister(added))
				b.remove(0, added)
				b.compare(0, m)
				if before > 0 {
					gone := m[at%before]
					check(t, m.unregister(gone))
					b.remove(0, gone)
					b.compare(0, m)
				}
				if len(m) > 0 {
					check(t, b.registry.Unregister(tp, dispatch.Probe{})) // N->0
				}
				b.compare(0, nil)
			}
		}
	})
}
