package rcu

// rudeBySignal: as rude, but its empty work item is an interrupt: every CPU acknowledges it,
// and none switches context (rcu-L2). In the kernel this is smp_call_function. An interrupt
// runs in the middle of a region with preemption disabled; a work item runs only after the
// region. So the acknowledgement does not show that the reader has left:
//
//	CPU0, updater               CPU1, reader
//	                            enter: preemption is off
//	                            load: p = what is published
//	unpublish p
//	begin
//	barrier: interrupts CPU1    acknowledges, continues in the section
//	   CPU1 has run the item:
//	   no scan
//	reuse: frees p
//	                            use p
func rudeBySignal(o Options) *Domain {
	d := memb(o) // membarrier interrupts every CPU that runs a thread of this process
	d.flavour.watchesIdle = true
	// Deliberate bug (ours): a CPU that has acknowledged counts as out of its section.
	d.flavour.left = func(*Reader, uint64) bool { return true }
	return d
}
