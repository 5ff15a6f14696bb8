package benches

import (
	"cmp"
	"strconv"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls/kernel"
	"github.com/tpbench/tpbench/impls/rcu"
)

// Waiting for the running kernel: for a grace period alone, for a patch alone, and for the end of perf events.

var kernelGracePeriodBench = ofKernel(Benchmark{
	Names:  []string{"KernelGracePeriod"},
	Doc:    "the running kernel: one grace period of its RCU, which membarrier waits for; expedited: with /sys/kernel/rcu_expedited at 1",
	Models: []string{"GracePeriod"},
	Shown:  "kind=normal",
	axes:   []axis{axisOf("kind", "normal", "expedited")},
	check:  func(keys) error { return cmp.Or(kernel.Check(), find(rcu.Variants(), KernelGP).Supported()) },
	ops:    always(20), // it takes whole ticks: as gracePeriodBench
}, func(k keys) (*kernelOp, error) {
	o := &kernelOp{run: inOne(kernel.GracePeriod)}
	var err error
	if k["kind"] == "expedited" {
		o.close, err = kernel.Expedite()
	}
	return o, err
})

var kernelPatchBench = ofKernel(Benchmark{
	Names:  []string{"KernelPatch"},
	Doc:    "the running kernel: a perf event opened and closed, which switches a static key on and off: two batches of patches, and no wait; held: another one holds the key on",
	Models: []string{"Poke"},
	axes:   []axis{axisOf("key", "switched", "held")},
	check:  func(keys) error { return kernel.Check() },
	ops:    always(transitionsPerSample),
}, func(k keys) (*kernelOp, error) {
	o := &kernelOp{run: inOne(kernel.SwitchKey)}
	err := kernel.SwitchKey() // or it fails only when it is timed
	if err == nil && k["key"] == "held" {
		o.close, err = kernel.HoldKey()
	}
	return o, err
})

var kernelPerfCloseBench = ofKernel(Benchmark{
	Names: []string{"KernelPerfClose"},
	Doc:   "the running kernel: the end of 20 perf events, each of another tracepoint: closed one by one, or all by the death of the process that holds them",
	axes:  []axis{axisOf("by", "close", "death"), axisOf("descriptors", strconv.Itoa(kernel.Tracepoints))},
	check: func(keys) error { return kernel.Check() },
	ops:   always(few),
}, func(k keys) (*kernelOp, error) {
	return &kernelOp{
		run: func(n int, t harness.Timer) {
			for range n {
				d, err := kernel.OpenTracepoints()
				must(err)
				end := d.Close
				if k["by"] == "death" {
					h, err := d.Hand()
					must(err)
					end = h.Kill
				}
				t.Start(0)
				err = end()
				t.Stop()
				must(err)
			}
		},
	}, nil
})
