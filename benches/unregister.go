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

var checkUnregister = checkVariant(unregister.Variants)

var unregisterBench = Benchmark{
	Names: []string{"Unregister", "Compact"},
	Doc:   "removing half of a tracepoint's probes, one after the other, when none, every second or all allocations fail; and the registration after that",
	Roles: []string{"removal"},
	axes: []axis{
		variantAxis(unregister.Variants()),
		gpAxis,
		axisOf("fail", "none", "some", "all"),
		numbers("probes", nil, 8),
		readersAxis(0),
	},
	fits:  func(k keys) bool { return k.num("probes") >= 2 },
	check: func(k keys) error { return errors.Join(checkUnregister(k), checkFlavour(k)) },
	ops:   fewIfSlow(transitionsPerSample),
	open:  openUnregister,
}

// A removal is a tracepoint whose first half of probes an operation removes.
type removal struct {
	domain *rcu.Domain
	point  *unregister.Point
	fails  func(i int) bool // reports whether the allocations of the i-th removal fail

	// The probes differ in their data. spare is registered only while the others are
	// fewer.
	probes []dispatch.Probe
	spare  dispatch.Probe

	refused       uint64 // removals that returned ErrNoMem
	held, compact int    // bytes of the array after the removals, and after one registration more
}

func openUnregister(k keys, e *harness.Env) (*harness.Op, error) {
	r, err := newRemoval(k)
	if err != nil {
		return nil, err
	}
	if err := k.beside(e, r.reader); err != nil {
		return nil, err
	}
	r.register()
	return &harness.Op{
		Run: func(n int, t harness.Timer) {
			for range n {
				r.once(t)
			}
		},
		Counts: func() []harness.Count {
			return []harness.Count{
				{Unit: "gp-waits", N: r.domain.Counters().Waited},
				{Unit: "refused", N: r.refused},
			}
		},
		Values: func(int) []harness.Value {
			return []harness.Value{
				{Unit: "bytes-held", V: float64(r.held)},
				{Unit: "bytes-compact", V: float64(r.compact)},
			}
		},
		Close: func() {
			e.Stop()
			must(r.point.Unregister(dispatch.Probe{}))
			r.domain.Close()
		},
	}, nil
}

func newRemoval(k keys) (*removal, error) {
	sites, err := dispatch.Events(1)
	if err != nil {
		return nil, err
	}
	r := &removal{
		domain: find(rcu.Variants(), k["gp"]).New(rcu.Options{}),
		fails:  func(i int) bool { return k["fail"] == "all" || k["fail"] == "some" && i%2 == 1 },
	}
	for range k.num("probes") + 1 {
		r.probes = append(r.probes, dispatch.Probe{Fn: dispatch.Nop(), Data: unsafe.Pointer(new(uint64))})
	}
	r.spare, r.probes = r.probes[0], r.probes[1:]
	r.point, err = unregister.New(find(unregister.Variants(), k["impl"]).New, r.domain, sites[0])
	return r, err
}

// reader is the thread beside: it fires the site.
func (r *removal) reader() (pass, end func(), err error) {
	reader := r.domain.Register()
	return func() {
		for range 256 {
			dispatch.Sweep(reader, 1)
		}
		reader.Quiescent()
	}, reader.Unregister, nil
}

// register registers the probes that are not.
func (r *removal) register() {
	for _, p := range r.probes {
		if err := r.point.Register(p); !errors.Is(err, unregister.ErrExist) {
			must(err)
		}
	}
	r.domain.Barrier() // the callbacks of that are not the operation's
}

// once is one operation: it removes the first half of the probes (phase 0), registers the
// spare one (phase 1), and gets everything back to the beginning.
func (r *removal) once(t harness.Timer) {
	t.Start(0)
	for i, p := range r.probes[:len(r.probes)/2] {
		if r.fails(i) {
			r.point.FailAfter(0)
		}
		if err := r.point.Unregister(p); errors.Is(err, unregister.ErrNoMem) {
			r.refused++
		} else {
			must(err)
		}
	}
	t.Stop()
	r.point.FailAfter(-1) // a removal that does not allocate leaves the injected failure in place
	r.domain.Barrier()
	_, r.held = r.point.Held()
	t.Start(1)
	err := r.point.Register(r.spare)
	t.Stop()
	must(err)
	r.domain.Barrier()
	_, r.compact = r.point.Held()
	must(r.point.Unregister(r.spare))
	r.register()
}

// leaveDead lists the sound ways to remove that may leave dead entries in the array.
var leaveDead = variantNames(slices.DeleteFunc(impls.OnlySound(unregister.Variants()), func(v unregister.Variant) bool {
	return v.New.Dead == nil
}))

var stubbedBench = Benchmark{
	Names: []string{"StubbedDispatch"},
	Doc:   "what a site costs to pass, the loop included, by the dead entries that removals without memory have left in front of its probes",
	axes: []axis{
		implAxis(leaveDead, leaveDead),
		numbers("probes", nil, 1, 2),
		axisOf("dead", "0", "1", "2", "4"),
	},
	layouts:  dispatch.Layouts,
	hardware: wholly,
	check:    checkUnregister,
	open: func(k keys, e *harness.Env) (*harness.Op, error) {
		policy := find(unregister.Variants(), k["impl"]).New
		funcs := nops(k.num("dead") + k.num("probes"))
		for i := range k.num("dead") {
			funcs[i].Fn = uintptr(policy.Dead())
		}
		site := dispatch.Timed(e.Layout)
		if err := site.StaticCall(policy.Dispatch.Iterator()); err != nil {
			return nil, err
		}
		site.Publish(funcs)
		return timedLoop(site.Loop), site.KeyEnable()
	},
}
