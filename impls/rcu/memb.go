package rcu

// memb: membarrier(PRIVATE_EXPEDITED) interrupts every CPU that runs a thread of
// this process, which is the fence of U3, and readers' words do the rest. It is
// liburcu's memb flavour, and the nearest thing user space has to the kernel's
// expedited grace periods.
func memb(o Options) *Domain {
	return open(flavor{snap: wholeGracePeriod, barrier: membarrierPrivate, left: leftSection}, o)
}
