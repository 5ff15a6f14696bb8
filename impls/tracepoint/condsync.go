package tracepoint

import "github.com/tpbench/tpbench/impls/dispatch"

// rcuCondSync keeps T1 with naiveSync's steps, but where that waits this remembers
// the moment, and waits only when a function is about to become the static call's
// target, and only if no grace period has passed in the meantime. Disabling
// everything waits for nothing; enabling it again, for one grace period at most.
//
//	CPU0, updater                        CPU1, reader in a site
//	                                     R4 d = p[0].data      // A's data
//	1->0 remove A
//	     s = get_state
//	0->1 add B: cond_sync(s)             // waits for CPU1, if it is still inside
//	                                     R5 static call(d)     // the iterator
//	     static call = B
//
// The moment for 2->1 is remembered in every transition that changes the first
// entry's data, not only in the last: after {A,B,C} -> {B,C} -> {B} a reader may
// hold A's data although the last removal did not change the first entry.
var rcuCondSync = Policy{
	Dispatch: dispatch.Dispatch{Direct: true},

	ZeroToOne: []Step{
		condSync(s101),
		callFirst,
		publish,
		keyEnable,
	},
	OneToTwo: []Step{
		callIterator,
		publish,
		getStateIfMoved(sN21),
	},
	NToNPlusOne: []Step{
		publish,
		getStateIfMoved(sN21),
	},
	NToNMinusOne: []Step{
		publish,
		getStateIfMoved(sN21),
	},
	TwoToOne: []Step{
		publish,
		getStateIfMoved(sN21),
		condSync(sN21),
		callFirst,
	},
	OneToZero: []Step{
		keyDisable,
		callIterator,
		publish,
		getState(s101),
	},
}
