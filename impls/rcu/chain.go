package rcu

// chain: a grace period of srcu, then one of kernelgp. tracepoint_synchronize_unregister
// waited for both in 2021. Each of the two waits is a leg.
//
// In that kernel, every tracepoint fired with preemption disabled. Tracepoints that fire where
// RCU does not watch, above all in the idle loop (trace_*_rcuidle), also entered a section of
// tracepoint_srcu. So here a reader always writes its word, and while it is idle
// ([Reader.EnterIdle]) it also enters a section of SRCU.
//
//		CPU0, updater                      CPU1, watched          CPU2, idle
//		                                                          EnterIdle
//		                                   Lock: enter, the       Lock: srcu_read_lock, and
//		                                      word                   the word
//		                                   load: p                load: p
//		unpublish p
//		SRCU's leg: first sum, begin,
//		   second sum
//		   waits for                                              Unlock: srcu_read_unlock
//		RCU's leg: barrier, scan
//		   takes CPU2 for quiescent
//		   waits for                       Unlock: leave
//		reuse
//
//	 1. A section of a watched reader is in its word. The leg of kernelgp keeps G1 for it: its
//	    barrier and scan come after unpublish and begin.
//	 2. A section of an idle reader is in the counts of SRCU: the sums and begin keep G1 for it.
//	    No section is partly of one kind and partly of the other, since EnterIdle and ExitIdle
//	    are called outside sections.
//	 3. Both legs use the same begin: sections of either kind from after it see unpublish.
//	 4. A snapshot remembers one count for both legs. The count goes up when both legs are done,
//	    and is marked as under way before the first. So the package's rule holds for each leg
//	    (G2, G3). The disadvantage: the end of one leg alone elides nothing. The kernel's
//	    snapshot of 2021 held a cookie for each leg, and cond_sync tested one after the other.
//
// A call that waits counts as one Waited, as with any flavour (G4), and as two legs ([Work]).
func chain(o Options) *Domain {
	return open(flavour{
		snap: wholeGracePeriod, barrier: membarrierGlobal, left: leftSection,
		srcu: srcuIdle,
	}, o)
}
