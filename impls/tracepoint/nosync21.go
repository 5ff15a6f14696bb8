package tracepoint

// noSync21 is tp-V1: naiveSync without the wait in 2->1, as static calls were first
// merged. The wait in 1->0 does not help a tracepoint that keeps one probe.
//
//	CPU0, updater                        CPU1, reader in a site
//	                                     load data: d = p[0].data // A's data
//	2->1 remove A: publish {B}
//	     static call = B
//	                                     call: static call(d)  // B with A's data
var noSync21 = naiveSync.but(func(p *Policy) {
	p.TwoToOne = []Step{
		publish,
		// Deliberate bug (d25e37d89dd2, fixed by 547305a64632): no synchronize.
		callFirst,
	}
})
