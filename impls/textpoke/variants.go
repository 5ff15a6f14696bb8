package textpoke

import "github.com/tpbench/tpbench/impls"

// A Variant is one way to apply changes.
type Variant = impls.Variant[Patcher]

// Variants lists the ways to patch.
func Variants() []Variant {
	return []Variant{
		{Name: "int3", Check: Check, New: int3, Origin: "smp_text_poke_single; static_call_update",
			Doc: "one site at a time: three core syncs each"},
		{Name: "int3-batch", Check: Check, New: patcher(int3Batch), Origin: "c2ba8a15f310; jump_label_apply",
			Doc: "all sites together: three core syncs for any number of them"},
		{Name: "aligned-store", Check: checkAligned, New: patcher(alignedStore),
			Origin: "AMD's rule for cross-modifying code; jump labels of other architectures",
			Doc:    "one store of the aligned word that a site lies in, and one core sync; int3s for sites that lie in two"},
		{Name: "stop-readers", Slow: true, Check: checkStop, New: stopReaders,
			Origin: "stop_machine; ftrace before 08d636b6d4fb, v3.5",
			Doc:    "every other thread is held in a signal handler while the bytes are written"},

		{Name: "flag-late", Check: Check, New: patcher(flagLate), Status: impls.Busted,
			Origin: "modifying_ftrace_code before 8a4d0a687a59",
			Doc:    "tx-T1: the handler takes traps only while a flag is set, and it is set after the int3s"},
		{Name: "flag-guarded", Check: Check, New: patcher(flagGuarded), Status: impls.Busted,
			Origin: "the kernel's handler, without its interrupts off",
			Doc:    "tx-T2: the flag is cleared while signals may be in flight"},
		{Name: "torn-head-first", Check: Check, New: patcher(tornHeadFirst), Status: impls.Busted, Origin: "ours",
			Doc: "tx-T3: no int3, the head and then the tail"},
		{Name: "torn-tail-first", Check: Check, New: patcher(tornTailFirst), Status: impls.Busted, Origin: "ours",
			Doc: "tx-T3: no int3, the tail and then the head"},
		{Name: "cross-line-store", Check: Check, New: patcher(crossLineStore), Status: impls.Busted, Origin: "ours",
			Doc: "tx-T5: one store of eight bytes, also where it crosses a cache line"},
	}
}

// Int3 and Int3Batch are these two patchers, for packages that patch as the kernel does:
// static calls one by one, keys (a site's NOP or JMP) in a batch.
var (
	Int3      Patcher = int3
	Int3Batch         = patcher(int3Batch)
)

// unsupported is Check's error.
func unsupported(why, do string) error {
	return &impls.UnsupportedError{What: "patching text", Why: why, Do: do}
}
