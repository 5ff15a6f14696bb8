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
		{
			Name:   "tp-cond-sync",
			Doc:    "rcu-cond-sync with a snapshot for each tracepoint: unrelated events never wait for each other",
			Origin: "ours",
			Check:  dispatch.Open,
			New:    &tpCondSync,
		},
		{
			Name:   "batched",
			Doc:    "tp-cond-sync in bulk: one patch of all sites, and at most one wait",
			Origin: "ours",
			Check:  dispatch.Open,
			New:    &batched,
		},
		{
			Name:   "bound",
			Doc:    "a thunk for each registration loads its data and jumps: nothing to wait for but freeing",
			Origin: "ours",
			Check:  dispatch.Open,
			New:    &bound,
		},
		{
			Name:   "no-sync-2-1",
			Doc:    "tp-V1: naive-sync without the wait in 2->1",
			Origin: "d25e37d89dd2; fixed by 547305a64632",
			Status: impls.Busted,
			Check:  dispatch.Open,
			New:    &noSync21,
		},
		{
			Name:   "publish-first",
			Doc:    "tp-V2: naive-sync that publishes before the static call leaves the old first probe",
			Origin: "d25e37d89dd2; fixed by 352384d5c84e",
			Status: impls.Busted,
			Check:  dispatch.Open,
			New:    &publishFirst,
		},
		{
			Name:   "compare-func",
			Doc:    "tp-V4: rcu-cond-sync that compares first functions where it should compare first data",
			Origin: "547305a64632; fixed by f7ec41212563",
			Status: impls.Busted,
			Check:  dispatch.Open,
			New:    &compareFunc,
		},
		{
			Name:   "no-sync-1-0",
			Doc:    "tp-V5: naive-sync without the wait in 1->0",
			Origin: "d25e37d89dd2; fixed by 231264d6927f",
			Status: impls.Busted,
			Check:  dispatch.Open,
			New:    &noSync10,
		},
		{
			Name:   "no-state-n",
			Doc:    "tp-V6: rcu-cond-sync that remembers the moment only in 2->1",
			Origin: "547305a64632; fixed by 231264d6927f",
			Status: impls.Busted,
			Check:  dispatch.Open,
			New:    &noStateN,
		},
		{
			Name:   "wrong-flavour",
			Doc:    "tp-V8: rcu-cond-sync with the snapshots of a flavour in which its readers do not stand",
			Origin: "about v6.17, unconfirmed upstream",
			Status: impls.Busted,
			Check:  dispatch.Open,
			New:    &wrongFlavour,
		},
		{
			Name:   "keeps-oldest",
			Doc:    "tp-V10: rcu-cond-sync that keeps an older moment while it is pending",
			Origin: "ours",
			Status: impls.Busted,
			Check:  dispatch.Open,
			New:    &keepsOldest,
		},
	}
}
