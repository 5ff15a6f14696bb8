package rcu

// memb: the barrier is membarrier(PRIVATE_EXPEDITED), which interrupts every CPU that runs a
// thread of this process. The scan then looks at the readers' words. It is liburcu's memb
// flavour, and the nearest thing in user space to the kernel's expedited grace periods.
func memb(o Options) *Domain {
	return open(flavour{snap: wholeGracePeriod, barrier: membarrierPrivate, left: leftSection}, o)
}
