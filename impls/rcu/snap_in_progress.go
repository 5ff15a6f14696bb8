package rcu

// snapInProgress: as memb, but the end of a grace period that is already under way satisfies a
// snapshot (rcu-V9):
//
//	CPU0, grace period    CPU1, updater             CPU2, reader
//	begin
//	                                                enter, after begin
//	                                                load: p = what is published
//	                      unpublish p
//	                      GetState: when CPU0 ends
//	scan: need not wait
//	   for CPU2
//	ends
//	                      CondSync: satisfied
//	                      reuse: frees p
//	                                                use p
//
// Everything that takes a snapshot has the bug: CondSync, Call, and a Synchronize that waits
// for another caller's grace period.
func snapInProgress(o Options) *Domain {
	d := memb(o)
	// Deliberate bug (off-by-ones of kernel/rcu in 2024-25): +4, not +7.
	d.flavour.snap = func(seq uint64) uint64 { return (seq + seqUnit) &^ seqStateMask }
	return d
}
