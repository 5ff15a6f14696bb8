package unregister

import (
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
)

// A Variant is one way to remove.
type Variant = impls.Variant[*Policy]

// Variants lists the ways to remove, by age.
func Variants() []Variant {
	list := []Variant{
		{Name: "fail", Origin: "before befe6d946551, v5.12", Status: impls.Busted, New: &fail,
			Doc: "removal fails where the smaller array cannot be allocated; its callers cannot"},
		{Name: "sentinel", Origin: "v2 of the series, 17 November 2020", New: &sentinel,
			Doc: "without memory, the function becomes 1 in place, which the iterator tests for"},
		{Name: "stub", Origin: "v3, merged as befe6d946551, v5.12", New: &stub,
			Doc: "without memory, the function becomes a stub in place, until the next change"},
		{Name: "double-array", Origin: "v4 of the series, 27 January 2021", Status: impls.Busted, New: &doubleArray,
			Doc: "arrays have two halves; removal fills the other one, and never allocates"},
		{Name: "double-array-sync", Origin: "v5 of the series, 27 January 2021", New: &doubleArraySync,
			Doc: "double-array that waits, unless the other half had a grace period since readers left it"},
	}
	for i := range list {
		list[i].Check = dispatch.Open
	}
	return list
}
