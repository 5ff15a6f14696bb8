package rcu

// noWait: as memb, but its grace periods look at no reader (rcu-L3). It is busted_ops of the kernel's
// rcutorture. If torture does not catch it, torture catches nothing:
//
//	CPU0, updater           CPU1, reader
//	                        enter
//	                        load: p = what is published
//	unpublish p
//	begin, barrier, no scan
//	reuse: frees p
//	                        use p
func noWait(o Options) *Domain {
	d := memb(o)
	// Deliberate bug (kernel/rcu/rcutorture.c, busted_ops): every reader has left.
	d.flavour.left = func(*Reader, uint64) bool { return true }
	return d
}
