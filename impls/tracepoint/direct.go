package tracepoint

import "github.com/tpbench/tpbench/impls/dispatch"

// directStaticCall is static calls as first merged: fast, and wrong. It never waits. The
// kernel had these bugs for nine months:
//
//	CPU0, updater                        CPU1, reader in a site
//	                                     load data: d = p[0].data  // A's data
//	2->1 remove A: publish {B}
//	     static call = B
//	                                     call: static call(d)      // B with A's data
//
// The same happens in 1->0->1 from A to B. And when a probe of higher priority is added, it
// publishes before the static call has left the old function: a reader that passes in between
// calls the old function with the new probe's data.
var directStaticCall = Policy{
	Dispatch: dispatch.Dispatch{Direct: true},

	ZeroToOne: []Step{publish, callFirst, keyEnable},
	OneToTwo: []Step{
		publish, // Deliberate bug (352384d5c84e): the call still goes to the old first probe.
		callIterator,
	},
	NToNPlusOne:  []Step{publish},
	NToNMinusOne: []Step{publish},
	TwoToOne: []Step{
		publish,
		// Deliberate bug (547305a64632): no wait for readers with the old first data.
		callFirst,
	},
	OneToZero: []Step{
		keyDisable,
		publish,
		// Deliberate bug (231264d6927f): the call stays, and the next 0->1 may come
		// while a reader still holds this probe's data.
	},
}
