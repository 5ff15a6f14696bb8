package benches

import (
	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls/kernel"
)

var kernelFireBench = ofKernel(Benchmark{
	Names: []string{"KernelFire"},
	Doc:   "the running kernel: the system call getppid with its two events off, on, or on and recorded in a ring buffer",
	axes:  []axis{axisOf("state", "off", "on", "recorded")},
	check: checkEvents(func(keys) []string { return kernel.FireEvents[:] }),
}, func(k keys) (*kernelOp, error) {
	return withInstance(func(i *kernel.Instance) (*kernelOp, error) {
		o := &kernelOp{run: func(n int, t harness.Timer) {
			t.Start(0)
			kernel.Fire(n)
			t.Stop()
		}}
		if k["state"] == "off" {
			return o, nil
		}
		for _, what := range kernel.FireEvents {
			if err := i.Enable(what, true); err != nil {
				return nil, err
			}
		}
		return o, i.Record(k["state"] == "recorded")
	})
})
