package rcu

import (
	"runtime"

	"github.com/tpbench/tpbench/impls"
)

// A Variant opens one flavour's engine.
type Variant = impls.Variant[func(Options) *Domain]

// Variants lists the flavours, fastest grace period first, and then the busted ones.
func Variants() []Variant {
	return []Variant{
		{
			Name:   "qsbr",
			Doc:    "readers announce quiescent states; nobody is interrupted",
			Origin: "RCU-sched; liburcu qsbr",
			Check:  func() error { return checkArch("qsbr") },
			New:    qsbr,
		},
		{
			Name:   "memb",
			Doc:    "membarrier PRIVATE_EXPEDITED, then readers' words",
			Origin: "liburcu memb; expedited RCU",
			Check:  checkPrivate,
			New:    memb,
		},
		{
			Name:   "srcu",
			Doc:    "readers count themselves in and out with full fences; two sums and a flip between them",
			Origin: "kernel/rcu/srcutree.c",
			Check:  func() error { return checkArch("srcu") },
			New:    srcu,
		},
		{
			Name:   "taskstrace",
			Doc:    "memb that waits asleep, and for idle readers too",
			Origin: "RCU Tasks Trace",
			Check:  checkPrivate,
			New:    tasksTrace,
		},
		{
			Name:   "rude",
			Doc:    "a thread that runs on every CPU in turn, then readers' words; idle readers too",
			Origin: "schedule_on_each_cpu; RCU Tasks Rude",
			Slow:   true,
			Check:  checkRude,
			New:    rude,
		},
		{
			Name:   "paced",
			Doc:    "memb, but never sooner than a stated time (1 ms)",
			Origin: "ours: stands for other kernels' HZ",
			Slow:   true,
			Check:  checkPrivate,
			New:    paced,
		},
		{
			Name:   "kernelgp",
			Doc:    "membarrier GLOBAL, the running kernel's own synchronize_rcu, then readers' words",
			Origin: "kernel/sched/membarrier.c",
			Slow:   true,
			Check:  checkGlobal,
			New:    kernelGP,
		},
		{
			Name:   "chain",
			Doc:    "srcu for idle readers, then kernelgp for the others",
			Origin: "tracepoint_synchronize_unregister, v5.14",
			Slow:   true,
			Check:  checkGlobal,
			New:    chain,
		},
		{
			Name:   "snap-in-progress",
			Doc:    "memb, but snapshots count the grace period under way",
			Origin: "off-by-ones of kernel/rcu in 2024-25",
			Status: impls.Busted,
			Check:  checkPrivate,
			New:    snapInProgress,
		},
		{
			Name:   "no-barrier",
			Doc:    "memb, but without the membarrier",
			Origin: "liburcu memb, U3 left out",
			Status: impls.Busted,
			Check:  checkNoBarrier,
			New:    noBarrier,
		},
		{
			Name:   "no-wait",
			Doc:    "memb, but it looks at no reader",
			Origin: "kernel/rcu/rcutorture.c, busted_ops",
			Status: impls.Busted,
			Check:  checkPrivate,
			New:    noWait,
		},
		{
			Name:   "rude-by-signal",
			Doc:    "rcu-L2: rude, but CPUs are interrupted where they should switch context",
			Origin: "smp_call_function in place of schedule_on_each_cpu",
			Status: impls.Busted,
			Check:  checkPrivate,
			New:    rudeBySignal,
		},
		{
			Name:   "srcu-one-sum",
			Doc:    "srcu, but without the sum before the flip",
			Origin: "kernel/rcu/srcutree.c, the first try_check_zero left out",
			Status: impls.Busted,
			Check:  func() error { return checkArch("srcu-one-sum") },
			New:    srcuOneSum,
		},
	}
}

func checkArch(flavour string) error {
	if runtime.GOARCH == "amd64" {
		return nil
	}
	return &impls.UnsupportedError{
		What: "flavour " + flavour,
		Why:  "read sections are x86-64 assembler and this is " + runtime.GOARCH,
		Do:   "run on amd64",
	}
}

func unsupportedRude(why, do string) error {
	return &impls.UnsupportedError{What: "flavour rude", Why: why, Do: do}
}
