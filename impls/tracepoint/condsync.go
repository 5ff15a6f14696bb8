package tracepoint

import "github.com/tpbench/tpbench/impls/dispatch"

// rcuCondSync keeps T1 with the steps of naiveSync, but where that waits, this remembers the
// moment. It waits later, when the static call is about to go to a probe, and only if the
// moment has not passed by then. So disabling all events never waits, and enabling them
// again waits for one grace period at most.
//
//	CPU0, updater                        CPU1, reader in a site
//	                                     load data: d = p[0].data  // A's data
//	1->0 remove A
//	     s = get_state
//	0->1 add B: cond_sync(s)             // waits for CPU1, if it is still inside
//	                                     call: static call(d)      // the iterator
//	     static call = B
//
// The moment for 2->1 is remembered in every transition that changes the first entry's data,
// not only in 2->1: after {A,B,C} -> {B,C} -> {B} a reader may hold A's data although the last
// removal did not change the first entry.
var rcuCondSync = Policy{
	Dispatch: dispatch.Dispatch{Direct: true},

	ZeroToOne:    []Step{condSync(s101), callFirst, publish, keyEnable},
	OneToTwo:     []Step{callIterator, publish, getStateIfMoved(sN21)},
	NToNPlusOne:  []Step{publish, getStateIfMoved(sN21)},
	NToNMinusOne: []Step{publish, getStateIfMoved(sN21)},
	TwoToOne:     []Step{publish, getStateIfMoved(sN21), condSync(sN21), callFirst},
	OneToZero:    []Step{keyDisable, callIterator, publish, getState(s101)},
}
