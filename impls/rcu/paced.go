package rcu

import "time"

// DefaultPace is how long paced's grace periods take unless Options.Pace says
// otherwise: a tick of a kernel with HZ=1000.
const DefaultPace = time.Millisecond

// paced: as memb, but a grace period never ends sooner than Options.Pace. It
// stands for kernels with another HZ or number of CPUs, and makes a machine's own
// grace period no part of a test.
func paced(o Options) *Domain {
	if o.Pace == 0 {
		o.Pace = DefaultPace
	}
	d := memb(o)
	d.pace = o.Pace
	return d
}
