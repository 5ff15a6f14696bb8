package tracepoint

// publishFirst is tp-V2: naiveSync that publishes in 1->2 before the static call has left
// the old first probe. It takes no straggler: whoever comes in between is caught.
//
//	CPU0, updater                        CPU1, reader in a site
//	1->2 add H, of higher priority:
//	     publish {H,A}
//	                                     R3 p = tp->funcs
//	                                     R4 d = p[0].data      // H's data
//	                                     R5 static call(d)     // A with H's data
//	     static call = iterator
var publishFirst = naiveSync.but(func(p *Policy) {
	p.OneToTwo = []Step{
		publish, // Deliberate bug (fixed by 352384d5c84e): the call still goes to the old first probe.
		callIterator,
	}
})
