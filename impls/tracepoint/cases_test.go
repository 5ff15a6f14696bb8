package tracepoint_test

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/judge/event"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/tracepoint"
)

// A walk is one way to go through the matrix of transitions: what its probes have in common,
// and where in the order a probe is added or removed.
type walk struct {
	sameFunction bool
	sameData     bool
	samePriority bool // so an added probe is the last
	place        place
}

// A place is where in a tracepoint's order a probe is added or removed.
type place int

const (
	first place = iota
	middle
	last
)

// of returns the index of the place among n probes.
func (p place) of(n int) int {
	switch p {
	case first:
		return 0
	case middle:
		return n / 2
	}
	return n - 1
}

// walks lists all of them.
func walks() (list []walk) {
	for _, same := range [][2]bool{{false, false}, {true, false}, {false, true}} {
		for _, samePriority := range []bool{false, true} {
			for _, at := range []place{first, middle, last} {
				list = append(list, walk{same[0], same[1], samePriority, at})
			}
		}
	}
	return list
}

// transitionMatrix goes from each number of probes to each other, one probe at a time, and
// then to none at once. Where both numbers are the same it tries what must change nothing,
// and replaces one probe.
func transitionMatrix(b *bench) {
	list, events := walks(), []*pair{b.text, b.mapped}
	if b.flavour.Slow {
		list, events = list[:1], events[:1]
	}
	for _, w := range list {
		data := []*event.Datum{{Name: "d0"}, {Name: "d1"}, {Name: "d2"}, {Name: "d3"}, {Name: "d4"}}
		for from := range 5 {
			for to := range 5 {
				b.history = []string{fmt.Sprintf("%+v, from %d to %d", w, from, to)}
				for _, e := range events {
					w.grow(b, e, data, from)
					if from == to {
						refuse(b, e)
						w.replace(b, e, data)
					}
					w.grow(b, e, data, to)
					w.shrink(b, e, to)
					if to > 0 {
						b.clear(e)
					}
				}
			}
		}
	}
}

// grow registers probes until there are n.
func (w walk) grow(b *bench, e *pair, data []*event.Datum, n int) {
	b.Helper()
	for len(e.Model) < n {
		at := w.place.of(len(e.Model) + 1)
		p := w.another(b, e, data)
		p.Prio = w.priority(e.Model, at)
		b.register(e, p)
		if w.samePriority {
			at = len(e.Model) - 1
		}
		if e.Model[at] != p {
			b.Fatalf("the model did not put the probe at %d", at)
		}
	}
}

// shrink unregisters probes until there are n.
func (w walk) shrink(b *bench, e *pair, n int) {
	b.Helper()
	for len(e.Model) > n {
		b.unregister(e, e.Model[w.place.of(len(e.Model))])
	}
}

// replace removes one probe and adds another.
func (w walk) replace(b *bench, e *pair, data []*event.Datum) {
	b.Helper()
	n := len(e.Model)
	if n == 0 {
		return
	}
	another := w.another(b, e, data)
	at := w.place.of(n)
	another.Prio = e.Model[at].Prio
	b.unregister(e, e.Model[at])
	b.register(e, another)
}

// another returns a probe that e does not have: the first in the order of functions and data.
func (w walk) another(b *bench, e *pair, data []*event.Datum) dispatch.Probe {
	b.Helper()
	for i := range data {
		fn, d := b.fns[i], data[i]
		if w.sameFunction {
			fn = b.fns[0]
		}
		if w.sameData {
			d = nil
		}
		if p := event.Probe(fn, d, 0); e.Model.Find(p) < 0 {
			return p
		}
	}
	b.Fatal("all probes are registered")
	return dispatch.Probe{}
}

// priority returns one that puts a probe at index at.
func (w walk) priority(m event.Model, at int) int {
	const far = 1 << 10
	switch n := len(m); {
	case w.samePriority || n == 0:
		return 0
	case at == 0:
		return m[0].Prio + far
	case at == n:
		return m[n-1].Prio - far
	default:
		return (m[at-1].Prio + m[at].Prio) / 2
	}
}

// refuse tries what returns an error and changes nothing.
func refuse(b *bench, e *pair) {
	b.Helper()
	for _, p := range e.Model {
		p.Prio++ // the priority does not matter
		b.register(e, p)
	}
	b.register(e, event.Probe(0, &event.Datum{Name: "of no function"}, 0))
	b.unregister(e, event.Probe(b.fns[0], &event.Datum{Name: "not registered"}, 0))
	b.unregister(e, event.Probe(b.fns[len(b.fns)-1], &event.Datum{Name: "not registered"}, 0))
	if len(e.Model) == 0 {
		b.unregister(e, dispatch.Probe{})
	}
}

// randomTransitions takes two tracepoints of one Registry through random histories.
func randomTransitions(b *bench) {
	steps := 600
	if b.flavour.Slow {
		steps = 30
	}
	rnd := judge.Rand(b)
	data := []*event.Datum{nil, {Name: "d1"}, {Name: "d2"}}
	for range steps {
		e, other := b.text, b.mapped
		if rnd.IntN(2) == 0 {
			e, other = other, e
		}
		p := event.Probe(b.fns[rnd.IntN(len(b.fns))], data[rnd.IntN(len(data))], rnd.IntN(5)-2)
		if len(e.Model) > 0 && rnd.IntN(3) == 0 {
			p = e.Model[rnd.IntN(len(e.Model))] // one that is registered
		}
		if rnd.IntN(20) == 0 {
			p.Fn = 0
		}
		if rnd.IntN(2) == 0 {
			b.register(e, p)
		} else {
			b.unregister(e, p)
		}
		other.CompareCalls()
		if rnd.IntN(8) == 0 {
			b.domain.Barrier()
		}
	}
}

// bulkChanges makes random bulk changes of both tracepoints, in which a tracepoint may come
// more than once. Copies of the models do the requests one by one. They become the models if
// no request returned an error.
func bulkChanges(b *bench) {
	times := 300
	if b.flavour.Slow {
		times = 20
	}
	rnd := judge.Rand(b)
	data := []*event.Datum{{Name: "d0"}, {Name: "d1"}, {Name: "d2"}}
	events := []*pair{b.text, b.mapped}
	for range times {
		models := [2]event.Model{slices.Clone(b.text.Model), slices.Clone(b.mapped.Model)}
		var requests []tracepoint.Request
		var want error
		for range 1 + rnd.IntN(5) {
			i := rnd.IntN(2)
			p := event.Probe(b.fns[rnd.IntN(len(b.fns))], data[rnd.IntN(len(data))], rnd.IntN(5)-2)
			remove := rnd.IntN(2) == 0
			if n := len(models[i]); remove && n > 0 {
				p = models[i][rnd.IntN(n)]
			}
			if rnd.IntN(16) == 0 {
				p.Fn = 0
			}
			requests = append(requests, tracepoint.Request{Tracepoint: events[i].tp, Probe: p, Remove: remove})
			if want != nil {
				continue
			}
			if remove {
				want = models[i].Unregister(&family, p)
			} else {
				want = models[i].Register(&family, p, true)
			}
		}
		if want == nil {
			b.text.Model, b.mapped.Model = models[0], models[1]
		}
		b.text.Compare(fmt.Sprintf("bulk change of %d requests", len(requests)), b.registry.Bulk(requests), want)
		b.mapped.CompareCalls()
		if rnd.IntN(8) == 0 {
			b.domain.Barrier()
		}
	}
	judge.Check(b, b.registry.Bulk(nil))
}

// manyProbes adds and removes many probes, so often that arrays are used again.
func manyProbes(b *bench) {
	most := 40
	if b.flavour.Slow {
		most = 17
	}
	for range 3 {
		for i := range most {
			b.register(b.text, event.Probe(b.fns[i%len(b.fns)], &event.Datum{Name: fmt.Sprint("d", i)}, i*7%5))
		}
		b.domain.Barrier()
		for i := 0; len(b.text.Model) > most/4; i++ {
			b.unregister(b.text, b.text.Model[i*11%len(b.text.Model)])
		}
		b.domain.Barrier()
		b.clear(b.text)
	}
}

// nestedFiring makes each tracepoint's first probe fire the other tracepoint, five deep.
func nestedFiring(b *bench) {
	var r *rcu.Reader
	depth := 0
	other := map[*pair]*pair{b.text: b.mapped, b.mapped: b.text}
	var want []event.Call
	for i, e := range []*pair{b.text, b.mapped} {
		fires := &event.Datum{Name: "fires"}
		b.register(e, event.Probe(b.fns[i], fires, 2))
		b.register(e, event.Probe(b.fns[i+2], nil, 1)) // called when the deeper ones have returned
		fires.Do = func() {
			if depth < 4 { // text, mapped, text, mapped, text
				depth++
				other[e].tp.Fire(r)
			}
		}
		want = append(want, event.Call{Fn: i, Data: fires}, event.Call{Fn: i + 2})
	}
	text, mapped, textThen, mappedThen := want[0], want[2], want[1], want[3]
	r = b.domain.Register()
	event.Calls = nil
	b.text.tp.Fire(r)
	got := event.Calls
	r.Unregister() // panics inside a section
	want = []event.Call{text, mapped, text, mapped, text, textThen, mappedThen, textThen, mappedThen, textThen}
	if !slices.Equal(got, want) {
		b.Errorf("T3: firing called %v, want %v", got, want)
	}
}

// unreachableFunction tries to register a probe that no direct call reaches, beside zero to
// three others. The probe is never called.
func unreachableFunction(b *bench) {
	far := event.Probe(1<<46, nil, 5)
	for i := range 4 {
		err := b.registry.Register(b.text.tp, far)
		if err == nil {
			b.Fatal("T5: registered a function out of reach")
		}
		if errors.Is(err, tracepoint.ErrExist) || errors.Is(err, tracepoint.ErrInvalid) {
			b.Errorf("T5: a function out of reach is refused as another mistake: %v", err)
		}
		b.text.CompareCalls()
		b.unregister(b.text, far) // is not registered
		b.register(b.text, event.Probe(b.fns[i], &event.Datum{Name: fmt.Sprint("d", i)}, i))
	}
}

// synchronizeEndsProbes holds a reader in the probe that is unregistered, beside up to two
// others.
func synchronizeEndsProbes(b *bench) {
	for n := range 3 {
		for _, e := range []*pair{b.text, b.mapped} {
			for _, p := range []dispatch.Probe{event.Probe(b.fns[1], nil, 0), event.Probe(b.fns[2], nil, 2)}[:n] { // called after it, and before
				b.register(e, p)
			}
			e.RemoveUnderReader(b.flavour,
				func(p dispatch.Probe) error { return b.registry.Register(e.tp, p) },
				func(p dispatch.Probe) error {
					err := b.registry.Unregister(e.tp, p)
					b.registry.Synchronize()
					return err
				})
			if n > 0 {
				b.clear(e)
			}
		}
	}
}

// siteChangesHands takes the sites from Registries of other strategies.
func siteChangesHands(b *bench) {
	formers := tracepoint.Variants()
	if b.flavour.Slow {
		formers = []tracepoint.Variant{b.strategy}
	}
	for _, v := range formers {
		for _, probes := range []int{1, 2} {
			b.history = append(b.history, fmt.Sprintf("a Registry of %s with %d probes", v.Name, probes))
			former := newBench(b.T, v, b.flavour)
			for i := range probes {
				former.register(former.text, event.Probe(b.fns[i], nil, i))
				former.register(former.mapped, event.Probe(b.fns[i], nil, i))
			}
			former.clear(former.text)
			former.clear(former.mapped)
			former.registry.Synchronize()
			former.close()

			b.text = b.pair("text", b.text.Site)
			b.mapped = b.pair("mapped", b.mapped.Site)
			for _, e := range []*pair{b.text, b.mapped} {
				e.CompareCalls()
				b.register(e, event.Probe(b.fns[2], &event.Datum{Name: "new"}, 0))
				b.clear(e)
			}
			b.registry.Synchronize()
		}
	}
}
