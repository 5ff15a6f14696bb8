package rcu

import "time"

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
