package tracepoint

// noSync10 is tp-V5: naiveSync without the wait in 1->0, which made disabling all
// events slow. The next probe may be registered while a reader holds the last probe's data.
//
//	CPU0, updater                        CPU1, reader in a site
//	                                     load data: d = p[0].data // A's data
//	1->0 remove A
//	0->1 add B: static call = B
//	                                     call: static call(d)  // B with A's data
var noSync10 = naiveSync.but(func(p *Policy) {
	p.OneToZero = []Step{
		keyDisable,
		callIterator,
		publish,
		// Deliberate bug (fixed by 231264d6927f): no synchronize, here or in 0->1.
	}
})
