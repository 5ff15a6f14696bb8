package tracepoint

import (
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
)

// A Variant is one strategy.
type Variant = impls.Variant[*Policy]

// Variants lists the strategies by age, and then those that are busted by one race each.
func Variants() []Variant {
	list := []Variant{
		{Name: "indirect-iterator", Origin: "before v5.10", New: &indirectIterator,
			Doc: "every site calls the iterator; nothing to wait for but freeing"},
		{Name: "direct-static-call", Origin: "d25e37d89dd2, v5.10", Status: impls.Busted, New: &directStaticCall,
			Doc: "static calls as first merged: no wait where one is due"},
		{Name: "naive-sync", Origin: "231264d6927f, v5.14", New: &naiveSync,
			Doc: "a grace period in every 1->0 and 2->1"},
		{Name: "rcu-cond-sync", Origin: "7b40066c97ec, v5.14", New: &rcuCondSync,
			Doc: "remembers the RCU state, waits only if no grace period has passed since"},
		{Name: "tp-cond-sync", Origin: "ours", New: &tpCondSync,
			Doc: "rcu-cond-sync with a snapshot for each tracepoint: unrelated events never wait for each other"},
		{Name: "batched", Origin: "ours", New: &batched,
			Doc: "tp-cond-sync in bulk: one patch of all sites, and at most one wait"},
		{Name: "bound", Origin: "ours", New: &bound,
			Doc: "a thunk for each registration loads its data and jumps: nothing to wait for but freeing"},
		{Name: "no-sync-2-1", Origin: "d25e37d89dd2; fixed by 547305a64632", Status: impls.Busted, New: &noSync21,
			Doc: "tp-V1: naive-sync without the wait in 2->1"},
		{Name: "publish-first", Origin: "d25e37d89dd2; fixed by 352384d5c84e", Status: impls.Busted, New: &publishFirst,
			Doc: "tp-V2: naive-sync that publishes before the static call leaves the old first probe"},
		{Name: "compare-func", Origin: "547305a64632; fixed by f7ec41212563", Status: impls.Busted, New: &compareFunc,
			Doc: "tp-V4: rcu-cond-sync that compares first functions where it should compare first data"},
		{Name: "no-sync-1-0", Origin: "d25e37d89dd2; fixed by 231264d6927f", Status: impls.Busted, New: &noSync10,
			Doc: "tp-V5: naive-sync without the wait in 1->0"},
		{Name: "no-state-n", Origin: "547305a64632; fixed by 231264d6927f", Status: impls.Busted, New: &noStateN,
			Doc: "tp-V6: rcu-cond-sync that remembers the moment only in 2->1"},
		{Name: "wrong-flavour", Origin: "about v6.17, unconfirmed upstream", Status: impls.Busted, New: &wrongFlavour,
			Doc: "tp-V8: rcu-cond-sync with the snapshots of a flavour in which its readers do not stand"},
		{Name: "keeps-oldest", Origin: "ours", Status: impls.Busted, New: &keepsOldest,
			Doc: "tp-V10: rcu-cond-sync that keeps an older moment while it is pending"},
	}
	for i := range list {
		list[i].Check = dispatch.Open
	}
	return list
}
