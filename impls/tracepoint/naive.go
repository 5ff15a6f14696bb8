package tracepoint

import "github.com/tpbench/tpbench/impls/dispatch"

// naiveSync keeps T1 by waiting wherever a reader may still hold data that is not
// the next function's: after the last probe has gone, and before the call goes to
// the one probe left. It is correct, and it is the regression of 2021: disabling
// all events pays one grace period for each.
//
//	CPU0, updater                        CPU1, reader in a site
//	                                     R4 d = p[0].data      // A's data
//	1->0 remove A
//	     synchronize                     // waits for CPU1
//	                                     R5 static call(d)     // the iterator: B is not yet there
//	0->1 add B: static call = B
//
// In 2021 the wait had two legs, SRCU and then RCU: with the flavour chain it has them
// here, too.
var naiveSync = Policy{
	Dispatch: dispatch.Dispatch{Direct: true},

	ZeroToOne: []Step{
		callFirst,
		publish,
		keyEnable,
	},
	OneToTwo: []Step{
		callIterator,
		publish,
	},
	NToNPlusOne: []Step{
		publish,
	},
	NToNMinusOne: []Step{
		publish,
	},
	TwoToOne: []Step{
		publish,
		synchronize,
		callFirst,
	},
	OneToZero: []Step{
		keyDisable,
		callIterator,
		publish,
		synchronize,
	},
}
