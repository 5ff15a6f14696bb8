package rcu

// kernelGP: as memb, but the barrier is membarrier(GLOBAL), which the running kernel
// implements as synchronize_rcu. So it takes as long as an updater in the kernel waits:
// milliseconds, in multiples of the tick.
func kernelGP(o Options) *Domain {
	return open(flavour{snap: wholeGracePeriod, barrier: membarrierGlobal, left: leftSection}, o)
}
