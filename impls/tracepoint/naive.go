package tracepoint

import "github.com/tpbench/tpbench/impls/dispatch"

// naiveSync keeps T1 by waiting wherever a reader may still hold data other than that of the
// next function: after the last probe is removed, and before the call goes to the only probe
// left. It is correct, and it is the regression of 2021: disabling all events waits for one
// grace period for each event.
//
//	CPU0, updater                        CPU1, reader in a site
//	                                     load data: d = p[0].data  // A's data
//	1->0 remove A
//	     synchronize                     // waits for CPU1
//	                                     call: static call(d)      // the iterator: B is not there yet
//	0->1 add B: static call = B
//
// In 2021 the kernel waited for a grace period of SRCU and then for one of RCU. The flavour
// chain does so, too.
var naiveSync = Policy{
	Dispatch: dispatch.Dispatch{Direct: true},

	ZeroToOne:    []Step{callFirst, publish, keyEnable},
	OneToTwo:     []Step{callIterator, publish},
	NToNPlusOne:  []Step{publish},
	NToNMinusOne: []Step{publish},
	TwoToOne:     []Step{publish, synchronize, callFirst},
	OneToZero:    []Step{keyDisable, callIterator, publish, synchronize},
}
