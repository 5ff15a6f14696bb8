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
	}
}

// Int3 and Int3Batch are the patchers by themselves, for packages that build on
// text patching as the kernel does: static calls one by one, keys in a batch.
var (
	Int3      Patcher = int3
	Int3Batch Patcher = int3Batch
)
