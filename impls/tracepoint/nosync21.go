package tracepoint

// noSync21 is tp-V1: naiveSync without the wait in 2->1, as static calls were first
// merged. The wait in 1->0 is no help to a tracepoint that never gets there.
//
//	CPU0, updater                        CPU1, reader in a site
//	                                     R4 d = p[0].data      // A's data
//	2->1 remove A: publish {B}
//	     static call = B
//	                                     R5 static call(d)     // B with A's data
var noSync21 = naiveSync.but(func(p *Policy) {
	p.TwoToOne = []Step{
		publish,
		// Deliberate bug (d25e37d89dd2, fixed by 547305a64632): no synchronize.
		callFirst,
	}
})
