// Package rcu holds grace-period engines that differ only in how a grace period
// ends.
//
// A [Domain] is one engine. Readers register, and stand in read sections while
// they use what an updater may take away. An updater unpublishes, waits for a
// grace period, and may then reuse: no reader that could have seen the old state
// is still in the section it saw it in.
//
// # The protocol
//
// It is liburcu's, with one flip in place of two, because the counter that a
// reader copies is 48 bits wide and never returns to an old value:
//
//		CPU0, updater                        CPU1, reader
//		                                     L1 c = domain.ctr
//		U1 unpublish                         L2 reader.word = c     (plain store)
//		U2 domain.ctr += one grace period    L3 p = what is published
//		U3 barrier                           L4 use p
//		U4 read every reader.word, until     L5 reader.word -= 1    (plain store)
//		   it holds no section or one that
//		   began after U2
//		U5 reuse
//
//	 1. The barrier of U3 (membarrier in the flavours for readers that pay
//	    nothing) acts as a full fence at some point M of CPU1's program, between
//	    the start and the end of U3.
//	 2. If L2 comes before M, U4 sees that store or a later one, and waits for L5.
//	 3. If L2 comes after M, so does L3, which therefore sees U1.
//	 4. A word with a counter from after U2 means that L1 read U2, hence L3 sees
//	    U1: x86 keeps stores in order, and loads in order.
//	 5. L5 is a release and U4 an acquire without any instruction: x86 reorders
//	    neither a load or store with a later store, nor loads with each other.
//	    That is why there is no second barrier after U4, as liburcu has for
//	    weaker machines.
//
// # Snapshots
//
// The counter of grace periods is the kernel's gp_seq: two low bits of state, the
// rest a count. [Domain.GetState] takes the value that counter will have when
// the next whole grace period has ended; one that is already under way does not
// count, because a reader may have entered after it had been looked at.
//
// # Readers that nobody watches
//
// A reader between [Reader.EnterIdle] and [Reader.ExitIdle] is not watched: qsbr, memb,
// paced and kernelgp take it for quiescent, as vanilla RCU does with an idle CPU, and
// so break G1 for the sections that it enters all the same. This is documented and no
// bug: such readers need a flavour that waits for them ([Domain.WatchesIdle]): srcu,
// taskstrace, rude, or chain, whose idle readers stand in sections of SRCU.
//
// # Invariants
//
//   - G1: when a grace period that began after an updater's unpublish ends, no
//     reader is in a section that began before that unpublish.
//   - G2: a [State] polls true only after a whole grace period that began after
//     the state was taken.
//   - G3: a callback runs after a grace period that began after its [Domain.Call].
//   - G4: [Counters] are exact: one Waited or one Elided for every call that
//     might have waited, one Started for every grace period.
//   - G5: flavours that watch idle readers keep G1 for the sections of an idle reader as
//     for any other's; the rest never wait for an idle reader.
//
// # Flavours that break them
//
// A flavour is above all three functions: the snapshot rule, U3 and U4. Two have sections
// of another kind, for which see srcu.go. The busted ones, at the end of [Variants],
// differ from memb in one of the three each, and draw the race that this makes:
// snap-in-progress breaks G2 and with it the rest; no-barrier, no-wait and
// rude-by-signal break G1. Package torture must catch them; with the build tag steps,
// the package's tests replay what can be replayed.
//
// # Schedule points
//
// In order (see package step): "rcu: in line", where a caller waits for another's
// grace period; "rcu: under way", between the first count and U2; "rcu: begun", between
// U2 and U3; "rcu: waits for a reader", in U4; "rcu: index taken", in a reader of SRCU
// between L1 and L2.
//
// Package rcu refuses readers that leave a section they did not enter, and it
// refuses to measure: it counts.
package rcu
