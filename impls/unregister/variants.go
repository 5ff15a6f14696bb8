package unregister

import (
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
)

// A Variant is one way to remove.
type Variant = impls.Variant[*Policy]

// Variants lists the ways to remove, by age.
func Variants() []Variant {
	return []Variant{
		{
			Name:   "fail",
			Doc:    "removal fails where the smaller array cannot be allocated; its callers cannot",
			Origin: "before befe6d946551, v5.12",
			Status: impls.Busted,
			Check:  dispatch.Open,
			New:    &fail,
		},
		{
			Name:   "sentinel",
			Doc:    "without memory, the function becomes 1 in place, which the iterator tests for",
			Origin: "v2 of the series, 17 November 2020",
			Check:  dispatch.Open,
			New:    &sentinel,
		},
		{
			Name:   "stub",
			Doc:    "without memory, the function becomes a stub in place, until the next change",
			Origin: "v3, merged as befe6d946551, v5.12",
			Check:  dispatch.Open,
			New:    &stub,
		},
		{
			Name:   "double-array",
			Doc:    "arrays have two halves; removal fills the other one, and never allocates",
			Origin: "v4 of the series, 27 January 2021",
			Status: impls.Busted,
			Check:  dispatch.Open,
			New:    &doubleArray,
		},
		{
			Name:   "double-array-sync",
			Doc:    "double-array that waits, unless the other half had a grace period since readers left it",
			Origin: "v5 of the series, 27 January 2021",
			Check:  dispatch.Open,
			New:    &doubleArraySync,
		},
	}
}
