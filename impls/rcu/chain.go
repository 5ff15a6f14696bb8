package rcu

// chain: srcu's grace period, then kernelgp's: what tracepoint_synchronize_unregister
// waited for in 2021. Tracepoints that fire where RCU does not watch, in the idle loop
// above all (trace_*_rcuidle), stood in a section of tracepoint_srcu, and like all others
// in a region with preemption disabled. So a reader of ours stands in a section of SRCU
// while it is idle ([Reader.EnterIdle]), and in its word's always.
//
//		CPU0, updater                      CPU1, watched          CPU2, idle
//		                                                          EnterIdle
//		                                   Lock: L2, the word     Lock: srcu_read_lock, the word
//		                                   L3 p                   L3 p
//		U1 unpublish p
//		S1, U2, S2: SRCU's leg
//		   waits for                                              Unlock: srcu_read_unlock
//		U3, U4: RCU's leg
//		   takes CPU2 for quiescent
//		   waits for                       Unlock
//		U5 reuse
//
//	 1. A section of a watched reader is the word's: kernelgp's leg, whose U3 and U4 come
//	    after U1 and U2, keeps G1 for it.
//	 2. A section of an idle reader is SRCU's: S1, U2 and S2 keep G1 for it. No section has a
//	    part of both kinds, since a reader goes idle, and comes back, outside.
//	 3. The legs may have U2 in common: sections from after it see U1, of either kind.
//	 4. The state that a snapshot remembers is one count over both legs: it goes up when
//	    both are done, and is marked as under way before the first. So it promises of
//	    each leg what the package's rule says (G2, G3), at the price that one leg's end
//	    elides nothing by itself. The kernel's snapshot of 2021 held a cookie of
//	    each, and cond_sync asked them one after the other.
//
// A call that waits is one Waited, as for any flavour (G4); its legs are two ([Work]).
func chain(o Options) *Domain {
	return open(flavor{
		snap: wholeGracePeriod, barrier: membarrierGlobal, left: leftSection,
		srcu: srcuIdle,
	}, o)
}
