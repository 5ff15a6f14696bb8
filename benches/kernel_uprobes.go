package benches

import (
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls/kernel"
)

// Uprobes of the running kernel, in this process's own text.

var kernelUprobeHitBench = ofKernel(Benchmark{
	Names: []string{"KernelUprobeHit"},
	Doc:   "the running kernel: hitting a uprobe that a perf event counts, by the instruction that it is on",
	axes:  []axis{axisOf("insn", kernel.Insns...)},
	check: func(keys) error { return checkAttach(viaPerf) },
}, func(k keys) (*kernelOp, error) {
	u, err := kernel.AttachUprobes(viaPerf, len(kernel.Insns)) // one on each instruction
	if err != nil {
		return nil, err
	}
	return &kernelOp{close: u.Close, run: func(n int, t harness.Timer) {
		t.Start(0)
		kernel.Hit(k["insn"], n)
		t.Stop()
	}}, nil
})

// Two of kernel.Vias: the plainest one, and the one with a single wait for all.
const (
	viaPerf  = "perf"
	viaMulti = "multi"
)

var kernelUprobeDetachBench = ofKernel(Benchmark{
	Names: []string{"KernelUprobeDetach"},
	Doc:   "the running kernel: detaching uprobes: one by one, of perf events or of tracefs, or a batch of them with one wait for all (multi)",
	axes:  []axis{axisOf("via", kernel.Vias...), axisOf("uprobes", "1", "10", "100", strconv.Itoa(kernel.Slots))},
	check: func(k keys) error { return checkAttach(k["via"]) },
	slow:  func(keys) time.Duration { return slowKernel },
	// One by one, each waits for some grace periods: a minute for all on a busy machine.
	costly: func(k keys) bool { return k.num("uprobes") == kernel.Slots && k["via"] != viaMulti },
	ops: func(k keys) int {
		if k.num("uprobes") >= 100 {
			return 1
		}
		return transitionsPerSample
	},
}, func(k keys) (*kernelOp, error) {
	count := k.num("uprobes")
	return &kernelOp{
		run: func(n int, t harness.Timer) {
			for range n {
				u, err := kernel.AttachUprobes(k["via"], count)
				must(err)
				t.Start(0)
				err = u.Detach()
				t.Stop()
				must(errors.Join(err, u.Close()))
			}
		},
		divide: []harness.Count{{Unit: "uprobe", N: uint64(count)}},
	}, nil
})

// checkAttach reports why uprobes cannot be attached, which is found by trying with one: so many things
// decide about it that there is no other way to know. It is tried once in a process.
func checkAttach(via string) error { return attaches[via]() }

var attaches = map[string]func() error{}

func init() {
	for _, via := range kernel.Vias {
		attaches[via] = sync.OnceValue(func() error {
			if err := kernel.Check(); err != nil {
				return err
			}
			u, err := kernel.AttachUprobes(via, 1)
			if err != nil {
				return err
			}
			return u.Close()
		})
	}
}
