package benches

import (
	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/rcu"
)

// gpNames are the flavours to measure: a busted one only where it is named.
func gpNames(p Params) []string {
	if p.GPs == nil {
		return variantNames(impls.OnlySound(rcu.Variants()))
	}
	return narrow(variantNames(rcu.Variants()), p.GPs)
}

func checkFlavour(k keys) error { return find(rcu.Variants(), k["gp"]).Supported() }

// The two flavours of the evidence.
const (
	KernelGP  = "kernelgp" // waits for a grace period of the running kernel
	expedited = "memb"     // the kernel's expedited one, within this process
)

var gracePeriodBench = Benchmark{
	Names: []string{"GracePeriod"},
	Doc:   "one synchronize, alone and beside a reader that enters sections all the time",
	Roles: []string{"grace-period"},
	Table: "Grace period: one synchronize",
	axes:  []axis{gpAxis, readersAxis(0, 1)},
	check: checkFlavour,
	ops: func(k keys) int {
		// A slow grace period takes whole ticks of the kernel, 2 or 4 of them. What a
		// strategy waits for, over many, is their mean and not their median.
		if find(rcu.Variants(), k["gp"]).Slow {
			return 20
		}
		return 0
	},
	open: func(k keys, e *harness.Env) (*harness.Op, error) {
		d := find(rcu.Variants(), k["gp"]).New(rcu.Options{})
		err := k.beside(e, func() (pass, end func(), err error) {
			r := d.Register()
			return func() {
				r.Sections(1000)
				r.Quiescent()
			}, r.Unregister, nil
		})
		if err != nil {
			return nil, err
		}
		return &harness.Op{
			Run: func(n int, t harness.Timer) {
				t.Start(0)
				for range n {
					d.Synchronize()
				}
				t.Stop()
			},
			Close: func() {
				e.Stop()
				d.Close()
			},
		}, nil
	},
}

var readSideBench = Benchmark{
	Names: []string{"ReadSide"},
	Doc:   "entering and leaving one read section; its code is one for all flavours but srcu",
	Table: "Read side: entering and leaving a read section",
	axes:  []axis{gpAxis},
	check: checkFlavour,
	open: func(k keys, e *harness.Env) (*harness.Op, error) {
		d := find(rcu.Variants(), k["gp"]).New(rcu.Options{})
		r := d.Register()
		return &harness.Op{
			Run: func(n int, t harness.Timer) {
				t.Start(0)
				r.Sections(n)
				t.Stop()
			},
			Close: func() {
				r.Unregister()
				d.Close()
			},
		}, nil
	},
}
