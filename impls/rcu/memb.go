package rcu

import "time"

// memb: the barrier is membarrier(PRIVATE_EXPEDITED), which interrupts every CPU that runs a
// thread of this process. The scan then looks at the readers' words. It is liburcu's memb
// flavour, and the nearest thing in user space to the kernel's expedited grace periods.
func memb(o Options) *Domain {
	return open(flavour{snap: wholeGracePeriod, barrier: membarrierPrivate, left: leftSection}, o)
}

// kernelGP: as memb, but the barrier is membarrier(GLOBAL), which the running kernel
// implements as synchronize_rcu. So it takes as long as an updater in the kernel waits:
// milliseconds, in multiples of the tick.
func kernelGP(o Options) *Domain {
	return open(flavour{snap: wholeGracePeriod, barrier: membarrierGlobal, left: leftSection}, o)
}

// DefaultPace is how long a grace period of paced takes unless Options.Pace is set: a tick of
// a kernel with HZ=1000.
const DefaultPace = time.Millisecond

// paced: as memb, but a grace period takes at least Options.Pace. It stands for kernels with
// another HZ or number of CPUs, and a test with it does not depend on how long this machine's
// grace periods take.
func paced(o Options) *Domain {
	if o.Pace == 0 {
		o.Pace = DefaultPace
	}
	d := memb(o)
	d.pace = o.Pace
	return d
}
