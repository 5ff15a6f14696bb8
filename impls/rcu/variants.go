package rcu

import (
	"runtime"

	"github.com/tpbench/tpbench/impls"
)

// A Variant opens a Domain of one flavour.
type Variant = impls.Variant[func(Options) *Domain]

// Variants lists the flavours, those with the shortest grace periods first, and then the
// busted ones.
func Variants() []Variant {
	return []Variant{
		{Name: "qsbr", Check: checkArch, New: qsbr, Origin: "RCU-sched; liburcu qsbr",
			Doc: "readers announce quiescent states; no reader is interrupted"},
		{Name: "memb", Check: checkPrivate, New: memb, Origin: "liburcu memb; expedited RCU",
			Doc: "membarrier PRIVATE_EXPEDITED, then readers' words"},
		{Name: "srcu", Check: checkArch, New: srcu, Origin: "kernel/rcu/srcutree.c",
			Doc: "readers count themselves in and out with full fences; two sums and a flip between them"},
		{Name: "taskstrace", Check: checkPrivate, New: tasksTrace, Origin: "RCU Tasks Trace",
			Doc: "memb that sleeps while it waits, and waits for idle readers too"},
		{Name: "rude", Slow: true, Check: checkRude, New: rude, Origin: "schedule_on_each_cpu; RCU Tasks Rude",
			Doc: "a thread that runs on every CPU in turn, then readers' words; idle readers too"},
		{Name: "paced", Slow: true, Check: checkPrivate, New: paced, Origin: "ours: stands for other kernels' HZ",
			Doc: "memb, but never sooner than a stated time (1 ms)"},
		{Name: "kernelgp", Slow: true, Check: checkGlobal, New: kernelGP, Origin: "kernel/sched/membarrier.c",
			Doc: "membarrier GLOBAL, the running kernel's own synchronize_rcu, then readers' words"},
		{Name: "chain", Slow: true, Check: checkGlobal, New: chain, Origin: "tracepoint_synchronize_unregister, v5.14",
			Doc: "srcu for idle readers, then kernelgp for the others"},

		{Name: "snap-in-progress", Check: checkPrivate, New: snapInProgress, Status: impls.Busted,
			Origin: "off-by-ones of kernel/rcu in 2024-25",
			Doc:    "rcu-V9: memb, but the grace period under way satisfies a snapshot"},
		{Name: "no-barrier", Check: checkNoBarrier, New: noBarrier, Status: impls.Busted,
			Origin: "liburcu memb, its barrier left out",
			Doc:    "rcu-L4: memb, but without the membarrier"},
		{Name: "no-wait", Check: checkPrivate, New: noWait, Status: impls.Busted,
			Origin: "kernel/rcu/rcutorture.c, busted_ops",
			Doc:    "rcu-L3: memb, but it looks at no reader"},
		{Name: "rude-by-signal", Check: checkPrivate, New: rudeBySignal, Status: impls.Busted,
			Origin: "smp_call_function in place of schedule_on_each_cpu",
			Doc:    "rcu-L2: rude, but it interrupts CPUs and does not make them switch context"},
		{Name: "srcu-one-sum", Check: checkArch, New: srcuOneSum, Status: impls.Busted,
			Origin: "kernel/rcu/srcutree.c, the first try_check_zero left out",
			Doc:    "rcu-L5: srcu, but without the sum before the flip"},
	}
}

// checkArch is Check for flavours that need nothing but the CPU.
func checkArch() error {
	if runtime.GOARCH == "amd64" {
		return nil
	}
	return unsupported("a read section", "it is x86-64 assembler and this is "+runtime.GOARCH, "run on amd64")
}

func unsupported(what, why, do string) error {
	return &impls.UnsupportedError{What: what, Why: why, Do: do}
}
