package rcu

// kernelGP: as memb, but the fence of U3 is membarrier(GLOBAL), which the running
// kernel implements as synchronize_rcu. So it takes exactly what a kernel updater
// waits: milliseconds, in steps of the tick.
func kernelGP(o Options) *Domain {
	return open(flavor{snap: wholeGracePeriod, barrier: membarrierGlobal, left: leftSection}, o)
}
