package rcu

// noWait: as memb, but its grace periods look at no reader. It is rcutorture's
// busted_ops, the proof that a torture notices anything at all:
//
//	CPU0, updater           CPU1, reader
//	                        L2 enters
//	                        L3 p = what is published
//	U1 unpublish p
//	U2, U3, no U4
//	U5 frees p
//	                        L4 uses p
func noWait(o Options) *Domain {
	d := memb(o)
	// Deliberate bug (kernel/rcu/rcutorture.c, busted_ops): every reader has left.
	d.flavor.left = func(*Reader, uint64) bool { return true }
	return d
}
