package rcu

// snapInProgress: as memb, but a snapshot is satisfied by the end of a grace period
// that was under way already (rcu-V9):
//
//	CPU0, grace period    CPU1, updater             CPU2, reader
//	U2 begins
//	                                                L1 enters, after U2
//	                                                L3 p = what is published
//	                      U1 unpublish p
//	                      GetState: when CPU0 ends
//	U4 need not wait
//	   for CPU2
//	ends
//	                      CondSync: has passed
//	                      U5 frees p
//	                                                L4 uses p
//
// Whatever takes snapshots has it: CondSync, Call, and a Synchronize that stands in
// line.
func snapInProgress(o Options) *Domain {
	d := memb(o)
	// Deliberate bug (off-by-ones of kernel/rcu in 2024-25): +4, not +7.
	d.flavor.snap = func(seq uint64) uint64 { return (seq + seqUnit) &^ seqStateMask }
	return d
}
