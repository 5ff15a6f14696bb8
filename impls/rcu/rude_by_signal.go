package rcu

// rudeBySignal: as rude, but its empty work item is an interrupt: every CPU is made to
// answer, and none to switch context (rcu-L2). The kernel's like is smp_call_function, which
// runs inside whatever region with preemption disabled it meets; a work item runs only
// after it. So the answer says nothing of the reader:
//
//	CPU0, updater               CPU1, reader
//	                            L2 enters: preemption is off
//	                            L3 p = what is published
//	U1 unpublish p
//	U2
//	U3 interrupts CPU1          answers, goes on where it was
//	   CPU1 has run the item: no U4
//	U5 frees p
//	                            L4 uses p
func rudeBySignal(o Options) *Domain {
	d := memb(o) // whose membarrier is an interrupt on every CPU that runs us
	d.flavor.watchesIdle = true
	// Deliberate bug (ours): who has answered has left.
	d.flavor.left = func(*Reader, uint64) bool { return true }
	return d
}
