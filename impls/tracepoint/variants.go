package tracepoint

import (
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
)

// A Variant is one strategy.
type Variant = impls.Variant[*Policy]

// Variants lists the strategies, by age.
func Variants() []Variant {
	return []Variant{
		{
			Name:   "indirect-iterator",
			Doc:    "every site calls the iterator; nothing to wait for but freeing",
			Origin: "before v5.10",
			Check:  dispatch.Open,
			New:    &indirectIterator,
		},
		{
			Name:   "direct-static-call",
			Doc:    "static calls as first merged: no wait where one is due",
			Origin: "d25e37d89dd2, v5.10",
			Status: impls.Busted,
			Check:  dispatch.Open,
			New:    &directStaticCall,
		},
		{
			Name:   "naive-sync",
			Doc:    "a grace period in every 1->0 and 2->1",
			Origin: "231264d6927f, v5.14",
			Check:  dispatch.Open,
			New:    &naiveSync,
		},
		{
			Name:   "rcu-cond-sync",
			Doc:    "remembers the RCU state, waits only if no grace period has passed since",
			Origin: "7b40066c97ec, v5.14",
			Check:  dispatch.Open,
			New:    &rcuCondSync,
		},
	}
}
