package benches

import (
	"errors"
	"slices"
	"unsafe"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/unregister"
)

var unregisterFamily = Family{
	Names: []string{"Unregister", "Compact"},
	Doc:   "removing half of a tracepoint's probes, one after the other, when none, every second or all allocations fail; and the registration after that",
	axes: []axis{
		implAxis(variantNames(unregister.Variants()), usualNames(unregister.Variants())),
		gpAxis(),
		axisOf("fail", "none", "some", "all"),
		numbers("probes", nil, 8),
		readersAxis(0),
	},
	fits: func(k keys) bool { return k.num("probes") >= 2 },
	check: func(k keys) error {
		return errors.Join(find(unregister.Variants(), k["impl"]).Supported(), checkFlavor(k))
	},
	ops:  always(transitionsPerSample),
	open: openUnregister,
}

func openUnregister(k keys, e *harness.Env) (*harness.Op, error) {
	sites, err := dispatch.Events(1)
	if err != nil {
		return nil, err
	}
	domain := find(rcu.Variants(), k["gp"]).New(rcu.Options{})
	point, err := unregister.New(find(unregister.Variants(), k["impl"]).New, domain, sites[0])
	if err != nil {
		return nil, err
	}
	for range k.num("readers") {
		err := e.Beside(func() (pass, end func(), err error) {
			r := domain.Register()
			return func() {
				for range 256 {
					dispatch.Sweep(r, 1)
				}
				r.Quiescent()
			}, r.Unregister, nil
		})
		if err != nil {
			return nil, err
		}
	}
	// Each has data of its own: no two are the same. One more than there are at a time.
	probes := make([]dispatch.Probe, k.num("probes")+1)
	for i := range probes {
		probes[i] = dispatch.Probe{Fn: dispatch.Nop(), Data: unsafe.Pointer(new(uint64))}
	}
	spare, probes := probes[0], probes[1:]
	register := func() {
		for _, p := range probes {
			if err := point.Register(p); !errors.Is(err, unregister.ErrExist) {
				must(err)
			}
		}
		domain.Barrier() // what that released is not the operation's
	}
	register()
	var refused uint64
	var held, compact int
	return &harness.Op{
		Run: func(n int, t harness.Timer) {
			for range n {
				t.Start(0)
				for i, p := range probes[:len(probes)/2] {
					if k["fail"] == "all" || k["fail"] == "some" && i%2 == 1 {
						point.FailAfter(0)
					}
					if err := point.Unregister(p); errors.Is(err, unregister.ErrNoMem) {
						refused++
					} else {
						must(err)
					}
				}
				t.Stop()
				point.FailAfter(-1) // who removes may not have allocated
				domain.Barrier()
				_, held = point.Held()
				t.Start(1)
				err := point.Register(spare)
				t.Stop()
				must(err)
				domain.Barrier()
				_, compact = point.Held()
				must(point.Unregister(spare))
				register()
			}
		},
		Counts: func() []harness.Count {
			return []harness.Count{
				{Unit: "gp-waits", N: domain.Counters().Waited},
				{Unit: "refused", N: refused},
			}
		},
		Values: func() []harness.Value {
			return []harness.Value{
				{Unit: "bytes-held", V: float64(held)},
				{Unit: "bytes-compact", V: float64(compact)},
			}
		},
		Close: func() {
			e.Stop()
			must(point.Unregister(dispatch.Probe{}))
			domain.Close()
		},
	}, nil
}

// leavers are the ways to remove that leave dead entries.
var leavers = variantNames(slices.DeleteFunc(impls.OnlySound(unregister.Variants()), func(v unregister.Variant) bool {
	return v.New.Dead == nil
}))

var stubbedFamily = Family{
	Names: []string{"StubbedDispatch"},
	Doc:   "what a site costs to pass, the loop included, by what removals without memory have left in front of its probes",
	axes: []axis{
		implAxis(leavers, leavers),
		numbers("probes", nil, 1, 2),
		axisOf("dead", "0", "1", "2", "4"),
	},
	layouts: dispatch.Layouts,
	check:   func(k keys) error { return find(unregister.Variants(), k["impl"]).Supported() },
	open: func(k keys, e *harness.Env) (*harness.Op, error) {
		policy := find(unregister.Variants(), k["impl"]).New
		funcs := make([]dispatch.Entry, k.num("dead")+k.num("probes")+1)
		for i := range len(funcs) - 1 {
			funcs[i].Fn = uintptr(dispatch.Nop())
			if i < k.num("dead") {
				funcs[i].Fn = uintptr(policy.Dead())
			}
		}
		site := dispatch.Timed(e.Layout)
		if err := site.StaticCall(policy.Dispatch.Iterator()); err != nil {
			return nil, err
		}
		site.Publish(funcs)
		return timedLoop(site.Loop), site.KeyEnable()
	},
}
