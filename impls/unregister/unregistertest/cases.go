package unregistertest

import (
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/dispatch/probestest"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
)

// removalOrders removes up to four probes one by one: in every order, and with every
// pattern of removals that find memory. Probes have equal priorities or different ones.
func removalOrders(b *bench) {
	most := 4
	if b.slow() {
		most = 3
	}
	for n := 1; n <= most; n++ {
		for order := range permutations(n) {
			for pattern := range 1 << n {
				b.history = []string{fmt.Sprintf("%d probes, removed as %v, memory %0*b", n, order, n, pattern)}
				var probes []dispatch.Probe
				for i := range n {
					probes = append(probes, probestest.Probe(b.fns[i], &probestest.Datum{Name: fmt.Sprint("d", i)}, pattern%2*i))
					b.register(probes[i], true)
				}
				for i, at := range order {
					b.unregister(probes[at], pattern>>i&1 == 1)
				}
				if len(b.model) > 0 && !b.mayRefuse() {
					b.Fatalf("M4: the model itself has %d probes left", len(b.model))
				}
				b.clear()
			}
		}
	}
	if b.mayRefuse() && b.refused == 0 {
		b.Error("fail is to break M4, and did not")
	}
}

// clear removes all probes at once, if there are any.
func (b *bench) clear() {
	b.Helper()
	if len(b.model) > 0 {
		b.unregister(dispatch.Probe{}, false) // needs no memory, whatever the variant
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

// randomChanges draws among everything one may ask of a Point, mistakes included.
func randomChanges(b *bench) {
	r := judge.Rand(b)
	rounds, barrier := 4000, 32
	if b.slow() {
		rounds, barrier = 100, 50
	}
	data := []*probestest.Datum{nil, {Name: "d1"}, {Name: "d2"}}
	for range rounds {
		p := probestest.Probe(b.fns[r.IntN(len(b.fns))], data[r.IntN(len(data))], r.IntN(3))
		memory := r.IntN(2) == 0
		switch draw := r.IntN(16); {
		case draw < 7:
			b.register(p, memory)
		case draw < 10:
			b.unregister(p, memory) // often unknown
		case draw < 14 && len(b.model) > 0:
			b.unregister(b.model[r.IntN(len(b.model))], memory)
		case draw == 14:
			b.register(probestest.Probe(0, data[1], 0), memory)
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

// noMemoryToAdd refuses each registration once, beside live probes and dead ones.
func noMemoryToAdd(b *bench) {
	var probes []dispatch.Probe
	for i := range 4 {
		p := probestest.Probe(b.fns[i], &probestest.Datum{Name: fmt.Sprint("d", i)}, i*5%3)
		b.register(p, false)
		b.register(p, true)
		b.register(p, false) // is there: that comes first
		probes = append(probes, p)
	}
	b.unregister(probes[1], false)
	b.register(probestest.Probe(b.fns[1], &probestest.Datum{Name: "new"}, 0), false)
	b.unregister(probes[2], false)
	b.register(probestest.Probe(b.fns[2], &probestest.Datum{Name: "new"}, 0), false)
	b.held()
	b.register(probestest.Probe(b.fns[2], &probestest.Datum{Name: "new"}, 0), true)
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
					probes = append(probes, probestest.Probe(b.fns[i], &probestest.Datum{Name: fmt.Sprint("d", i)}, 1))
					b.register(probes[i], true)
				}
				p := probes[at]
				b.unregister(p, false)
				if !b.mayRefuse() {
					b.unregister(p, true) // is not there
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

// deadFunctions uses what may stand in a dead entry as if it were a probe.
func deadFunctions(b *bench) {
	for _, dead := range []dispatch.Func{dispatch.Stub(), dispatch.Sentinel} {
		removed := probestest.Probe(b.fns[0], &probestest.Datum{Name: "removed"}, 0)
		b.register(removed, true)
		b.register(probestest.Probe(b.fns[1], &probestest.Datum{Name: "stays"}, 0), true)
		b.unregister(removed, false)
		p := dispatch.Probe{Fn: dead, Data: removed.Data}
		b.register(p, true)
		b.unregister(p, true) // not there, though its entry may be
		b.register(probestest.Probe(b.fns[2], &probestest.Datum{Name: "comes"}, 0), true)
		b.clear()
	}
}

// synchronizeEndsProbes holds a reader in the probe that is unregistered, with memory or
// without. The updater is to wait for it: in Unregister or in Synchronize.
func synchronizeEndsProbes(b *bench) {
	for n := range 3 { // others beside it
		for _, memory := range []bool{true, false} {
			if n > 0 && !memory && b.mayRefuse() {
				continue
			}
			entered, leave := make(chan bool), make(chan bool)
			held := probestest.Probe(b.fns[0], &probestest.Datum{Name: "held", Do: func() { entered <- true; <-leave }}, 1)
			others := []dispatch.Probe{probestest.Probe(b.fns[1], nil, 0), probestest.Probe(b.fns[2], nil, 2)}[:n] // behind it, and before
			for _, p := range others {
				b.register(p, true)
			}
			judge.Check(b, b.point.Register(held))
			with := slices.Clone(b.model)
			judge.Check(b, with.register(held, true))
			probestest.Calls = nil
			b.history = append(b.history, fmt.Sprintf("register a probe that holds its reader, with %d others, memory %v", n, memory))

			var left atomic.Bool
			gone, synchronized := make(chan bool), make(chan bool)
			go func() {
				defer close(gone)
				r := b.domain.Register()
				defer r.Unregister()
				b.point.Fire(r)
			}()
			<-entered
			started := b.domain.Counters().Started
			go func() {
				defer close(synchronized)
				b.memory(memory)
				if err := b.point.Unregister(held); err != nil {
					b.Error(err)
				}
				b.point.Synchronize()
				if !left.Load() {
					b.Error("M1: Synchronize returned with a reader in a probe that was unregistered before")
				}
			}()
			for b.domain.Counters().Started == started && !closed(synchronized) {
				runtime.Gosched()
			}
			// The grace period is under way. Those that nobody holds up, of another
			// Domain, take longer than this one would, had it not to wait.
			other := b.flavour.New(rcu.Options{})
			for range 2 {
				other.Synchronize()
			}
			other.Close()
			left.Store(true)
			leave <- true
			<-gone
			<-synchronized
			if want := with.calls(b.fns); !slices.Equal(probestest.Calls, want) {
				b.Errorf("M2: the reader that was held called %v, want %v", probestest.Calls, want)
			}
			b.fires() // without it
			b.clear()
		}
	}
}

// closed reports whether c is.
func closed(c chan bool) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// nothingLeft goes from an empty Point to a full one and back, and looks for arrays after
// each change.
func nothingLeft(b *bench) {
	most := 9
	if b.slow() {
		most = 3
	}
	for _, memory := range []func(i int) bool{
		func(int) bool { return true },
		func(int) bool { return false },
		func(i int) bool { return i%2 == 0 },
	} {
		b.held()
		for i := range most {
			p := probestest.Probe(b.fns[i%len(b.fns)], &probestest.Datum{Name: fmt.Sprint("d", i)}, i*7%5)
			b.register(p, false)
			b.register(p, true)
			b.held()
		}
		for i := 0; len(b.model) > 0 && i < most; i++ {
			b.unregister(b.model[i*11%len(b.model)], memory(i))
			b.held()
		}
		b.clear()
		b.held()
	}
}
