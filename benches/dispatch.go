package benches

import (
	"slices"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/rcu"
)

var dispatchBench = Benchmark{
	Names: []string{"Dispatch"},
	Doc:   "what a site costs to pass, by the number of its probes (0: disabled)",
	Roles: []string{"firing"},
	axes: []axis{
		{"impl", dispatches},
		numbers("probes", nil, 0, 1, 2, 4, 8),
	},
	fits: func(k keys) bool {
		floor, ok := floorOf(k["impl"])
		return !ok || floor.Probes == k.num("probes")
	},
	layouts:  dispatch.Layouts,
	hardware: wholly,
	check:    func(keys) error { return dispatch.Open() },
	open: func(k keys, e *harness.Env) (*harness.Op, error) {
		loop, err := dispatchLoop(k, e.Layout)
		if err != nil {
			return nil, err
		}
		return timedLoop(loop), nil
	},
}

// The floors that others are compared with.
const (
	EmptyLoop = "nothing"    // the timed loop without a site in it
	PlainCall = "plain-call" // a site whose call is an ordinary one, not patched
)

// dispatches lists the floors and the ways to dispatch. If a strategy is named, the way in
// which its sites dispatch is listed.
func dispatches(p Params) []string {
	if p.Impls == nil {
		return append(floorNames(), variantNames(impls.OnlySound(dispatch.Variants()))...)
	}
	only := p.Impls
	for _, name := range p.Impls {
		only = append(only[:len(only):len(only)], DispatchOf(name))
	}
	return narrow(append(floorNames(), variantNames(dispatch.Variants())...), only)
}

func floorNames() []string {
	var names []string
	for _, f := range dispatch.Floors() {
		names = append(names, f.Name)
	}
	return names
}

func floorOf(name string) (dispatch.Floor, bool) {
	all := dispatch.Floors()
	if i := slices.IndexFunc(all, func(f dispatch.Floor) bool { return f.Name == name }); i >= 0 {
		return all[i], true
	}
	return dispatch.Floor{}, false
}

// timedLoop makes an operation of a loop that is ready. The read sections in it are of the
// expedited flavour; those of the kernel's own are the same instructions.
func timedLoop(loop func(r *rcu.Reader, n int)) *harness.Op {
	domain := find(rcu.Variants(), expedited).New(rcu.Options{})
	reader := domain.Register()
	return &harness.Op{
		Unit: dispatch.Unroll,
		Run: func(n int, t harness.Timer) {
			t.Start(0)
			loop(reader, n)
			t.Stop()
		},
		Close: func() {
			reader.Unregister()
			domain.Close()
		},
	}
}

// dispatchLoop returns the timed loop of one layout: a floor's, or one of a site with probes.
func dispatchLoop(k keys, layout int) (func(*rcu.Reader, int), error) {
	if floor, ok := floorOf(k["impl"]); ok {
		return floor.Arm(layout)
	}
	how := find(dispatch.Variants(), k["impl"]).New
	site := dispatch.Timed(layout)
	probes := k.num("probes")
	if probes == 0 {
		return site.Loop, nil
	}
	funcs := nops(probes)
	target, err := how.Target(funcs)
	if err != nil {
		return nil, err
	}
	if err := site.StaticCall(target.PC); err != nil {
		return nil, err
	}
	site.Publish(funcs)
	return site.Loop, site.KeyEnable()
}

// nops makes an array of n probes that do nothing, and the empty entry that ends it.
func nops(n int) []dispatch.Entry {
	funcs := make([]dispatch.Entry, n+1)
	for i := range n {
		funcs[i].Fn = uintptr(dispatch.Nop())
	}
	return funcs
}
