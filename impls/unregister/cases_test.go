package unregister_test

import (
	"fmt"
	"slices"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/judge/event"
)

// removalOrders removes up to four probes one by one: in every order, and with every pattern
// of removals with and without memory. Probes have equal priorities or different ones.
func removalOrders(b *bench) {
	most := 4
	if b.flavour.Slow {
		most = 3
	}
	for n := 1; n <= most; n++ {
		for order := range permutations(n) {
			for pattern := range 1 << n {
				b.history = []string{fmt.Sprintf("%d probes, removed as %v, memory %0*b", n, order, n, pattern)}
				var probes []dispatch.Probe
				for i := range n {
					probes = append(probes, event.Probe(b.Fns[i], &event.Datum{Name: fmt.Sprint("d", i)}, pattern%2*i))
					b.register(probes[i], true)
				}
				for i, at := range order {
					b.unregister(probes[at], pattern>>i&1 == 1)
				}
				if len(b.Model) > 0 && !b.mayFail() {
					b.Fatalf("M4: the model has %d probes left", len(b.Model))
				}
				b.clear()
			}
		}
	}
	if failsWithoutMemory[b.variant.Name] && b.failed == 0 {
		b.Errorf("%s is to break M4, and did not", b.variant.Name)
	}
}

// clear removes all probes at once, if there are any.
func (b *bench) clear() {
	b.Helper()
	if len(b.Model) > 0 {
		b.unregister(dispatch.Probe{}, false) // needs no memory with any variant
	}
}

// permutations yields all orders of n things.
func permutations(n int) func(yield func([]int) bool) {
	return func(yield func([]int) bool) {
		list := make([]int, n)
		for i := range list {
			list[i] = i
		}
		var walk func(at int) bool
		walk = func(at int) bool {
			if at == n {
				return yield(slices.Clone(list))
			}
			for i := at; i < n; i++ {
				list[at], list[i] = list[i], list[at]
				ok := walk(at + 1)
				list[at], list[i] = list[i], list[at]
				if !ok {
					return false
				}
			}
			return true
		}
		walk(0)
	}
}

// randomChanges makes random operations, mistakes included.
func randomChanges(b *bench) {
	r := judge.Rand(b)
	rounds, barrier := 4000, 32
	if b.flavour.Slow {
		rounds, barrier = 100, 50
	}
	data := []*event.Datum{nil, {Name: "d1"}, {Name: "d2"}}
	for range rounds {
		p := event.Probe(b.Fns[r.IntN(len(b.Fns))], data[r.IntN(len(data))], r.IntN(3))
		memory := r.IntN(2) == 0
		switch draw := r.IntN(16); {
		case draw < 7:
			b.register(p, memory)
		case draw < 10:
			b.unregister(p, memory) // often unknown
		case draw < 14 && len(b.Model) > 0:
			b.unregister(b.Model[r.IntN(len(b.Model))], memory)
		case draw == 14:
			b.register(event.Probe(0, data[1], 0), memory)
		case r.IntN(4) == 0:
			b.unregister(dispatch.Probe{}, memory)
		}
		if r.IntN(barrier) == 0 {
			b.held()
		}
	}
	b.clear()
	b.held()
}

// noMemoryToAdd makes each registration fail once, beside live probes and dead entries.
func noMemoryToAdd(b *bench) {
	var probes []dispatch.Probe
	for i := range 4 {
		p := event.Probe(b.Fns[i], &event.Datum{Name: fmt.Sprint("d", i)}, i*5%3)
		b.register(p, false)
		b.register(p, true)
		b.register(p, false) // the error is that it is registered, not that memory is short
		probes = append(probes, p)
	}
	b.unregister(probes[1], false)
	b.register(event.Probe(b.Fns[1], &event.Datum{Name: "new"}, 0), false)
	b.unregister(probes[2], false)
	b.register(event.Probe(b.Fns[2], &event.Datum{Name: "new"}, 0), false)
	b.held()
	b.register(event.Probe(b.Fns[2], &event.Datum{Name: "new"}, 0), true)
	b.held()
}

// comesBack removes a probe without memory and registers it again, as it was and with
// another priority.
func comesBack(b *bench) {
	for n := 2; n <= 4; n++ {
		for at := range n {
			for prio := range 3 {
				var probes []dispatch.Probe
				for i := range n {
					probes = append(probes, event.Probe(b.Fns[i], &event.Datum{Name: fmt.Sprint("d", i)}, 1))
					b.register(probes[i], true)
				}
				p := probes[at]
				b.unregister(p, false)
				if !b.mayFail() {
					b.unregister(p, true) // is not registered
				}
				p.Prio = prio
				b.register(p, false)
				b.register(p, true)
				b.unregister(p, false)
				b.register(p, true)
				b.clear()
			}
		}
	}
}

// deadFunctions registers and removes probes with the functions of dead entries.
func deadFunctions(b *bench) {
	for _, dead := range []dispatch.Func{dispatch.Stub(), dispatch.Sentinel} {
		removed := event.Probe(b.Fns[0], &event.Datum{Name: "removed"}, 0)
		b.register(removed, true)
		b.register(event.Probe(b.Fns[1], &event.Datum{Name: "stays"}, 0), true)
		b.unregister(removed, false)
		p := dispatch.Probe{Fn: dead, Data: removed.Data}
		b.register(p, true)
		b.unregister(p, true) // is not registered, although a dead entry may look like it
		b.register(event.Probe(b.Fns[2], &event.Datum{Name: "comes"}, 0), true)
		b.clear()
	}
}

// synchronizeEndsProbes holds a reader in the probe that is unregistered, with memory or
// without, beside up to two others.
func synchronizeEndsProbes(b *bench) {
	for n := range 3 {
		for _, memory := range []bool{true, false} {
			if n > 0 && !memory && b.mayFail() {
				continue
			}
			for _, p := range []dispatch.Probe{event.Probe(b.Fns[1], nil, 0), event.Probe(b.Fns[2], nil, 2)}[:n] { // called after it, and before
				b.register(p, true)
			}
			b.RemoveUnderReader(b.flavour, b.point.Register, func(p dispatch.Probe) error {
				b.memory(memory)
				err := b.point.Unregister(p)
				b.point.Synchronize()
				return err
			})
			b.clear()
		}
	}
}

// nothingLeft adds many probes and removes them, and counts the arrays after each change.
func nothingLeft(b *bench) {
	most := 9
	if b.flavour.Slow {
		most = 3
	}
	for _, memory := range []func(i int) bool{
		func(int) bool { return true },
		func(int) bool { return false },
		func(i int) bool { return i%2 == 0 },
	} {
		b.held()
		for i := range most {
			p := event.Probe(b.Fns[i%len(b.Fns)], &event.Datum{Name: fmt.Sprint("d", i)}, i*7%5)
			b.register(p, false)
			b.register(p, true)
			b.held()
		}
		for i := 0; len(b.Model) > 0 && i < most; i++ {
			b.unregister(b.Model[i*11%len(b.Model)], memory(i))
			b.held()
		}
		b.clear()
		b.held()
	}
}
