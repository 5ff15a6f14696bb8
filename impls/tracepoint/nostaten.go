package tracepoint

// noStateN is tp-V6: rcuCondSync that remembers the moment only in 2->1. But the first entry's
// data may have changed in an earlier transition.
//
//	CPU0, updater                        CPU1, reader in a site
//	                                     load data: d = p[0].data  // A's data
//	3->2 remove A: publish {B,C}
//	     no get_state
//	2->1 remove C: publish {B}
//	     [0].data is B's as before: no get_state, nothing to wait for
//	     static call = B
//	                                     call: static call(d)      // B with A's data
var noStateN = rcuCondSync.but(func(p *Policy) {
	// Deliberate bug (7b40066c97ec has these get_states; 231264d6927f always waits).
	p.OneToTwo = []Step{callIterator, publish}
	p.NToNPlusOne = []Step{publish}
	p.NToNMinusOne = []Step{publish}
})
