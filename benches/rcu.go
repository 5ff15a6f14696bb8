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

// fewIfSlow is an ops of operations that may wait for a grace period of the flavour k["gp"]: n
// are a sample where a wait may take milliseconds. Elsewhere the harness repeats them in many
// batches and takes the median: the time of a few operations of microseconds, taken once, contains
// cold caches and whatever interrupted them.
func fewIfSlow(n int) func(keys) int {
	return func(k keys) int {
		if find(rcu.Variants(), k["gp"]).Slow {
			return n
		}
		return 0
	}
}

var gracePeriodBench = Benchmark{
	Names: []string{"GracePeriod"},
	Doc:   "one synchronize, alone and beside a reader that enters sections all the time",
	Roles: []string{"grace-period"},
	Table: "Grace period: one synchronize",
	axes:  []axis{gpAxis, readersAxis(0, 1)},
	check: checkFlavour,
	// A slow grace period takes whole ticks of the kernel, 2 or 4 of them. What a strategy waits
	// for, over many, is their mean and not their median.
	ops: fewIfSlow(20),
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
	Names:    []string{"ReadSide"},
	Doc:      "entering and leaving one read section; its code is one for all flavours but srcu",
	Table:    "Read side: entering and leaving a read section",
	axes:     []axis{gpAxis},
	hardware: wholly,
	check:    checkFlavour,
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
