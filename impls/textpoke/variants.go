package textpoke

import "github.com/tpbench/tpbench/impls"

// A Variant is one way to apply changes.
type Variant = impls.Variant[Patcher]

// Variants lists the ways to patch.
func Variants() []Variant {
	return []Variant{
		{
			Name:   "int3",
			Doc:    "one site at a time: three core syncs each",
			Origin: "smp_text_poke_single; static_call_update",
			Check:  Check,
			New:    int3,
		},
		{
			Name:   "int3-batch",
			Doc:    "all sites together: three core syncs however many",
			Origin: "c2ba8a15f310; jump_label_apply",
			Check:  Check,
			New:    int3Batch,
		},
		{
			Name:   "aligned-store",
			Doc:    "one store of the aligned word that a site lies in, and one core sync; int3s for sites that lie in two",
			Origin: "AMD's rule for cross-modifying code; jump labels of other architectures",
			Check:  checkAligned,
			New:    alignedStore,
		},
		{
			Name:   "stop-readers",
			Doc:    "every other thread is held in a signal handler while the bytes are written",
			Origin: "stop_machine; ftrace before 08d636b6d4fb, v3.5",
			Slow:   true,
			Check:  checkStop,
			New:    stopReaders,
		},
		{
			Name:   "flag-late",
			Doc:    "tx-T1: traps are claimed while a flag is up, which is raised after the int3s",
			Origin: "modifying_ftrace_code before 8a4d0a687a59",
			Status: impls.Busted,
			Check:  Check,
			New:    flagLate,
		},
		{
			Name:   "flag-guarded",
			Doc:    "tx-T2: the flag is taken down while traps may still be on their way",
			Origin: "the kernel's handler, without its interrupts off",
			Status: impls.Busted,
			Check:  Check,
			New:    flagGuarded,
		},
		{
			Name:   "torn-head-first",
			Doc:    "tx-T3: no int3, first byte and then tail",
			Origin: "ours",
			Status: impls.Busted,
			Check:  Check,
			New:    tornHeadFirst,
		},
		{
			Name:   "torn-tail-first",
			Doc:    "tx-T3: no int3, tail and then first byte",
			Origin: "ours",
			Status: impls.Busted,
			Check:  Check,
			New:    tornTailFirst,
		},
		{
			Name:   "cross-line-store",
			Doc:    "one store of eight bytes, also where it crosses a cache line",
			Origin: "ours",
			Status: impls.Busted,
			Check:  Check,
			New:    crossLineStore,
		},
	}
}

// Int3 and Int3Batch are the patchers by themselves, for packages that build on
// text patching as the kernel does: static calls one by one, keys in a batch.
var (
	Int3      Patcher = int3
	Int3Batch Patcher = int3Batch
)
