package tracepoint

// publishFirst is tp-V2: naiveSync that publishes in 1->2 before the static call has left
// the old first probe. No delayed reader is needed: any reader that passes the site in between
// breaks T1.
//
//	CPU0, updater                        CPU1, reader in a site
//	1->2 add H, of higher priority:
//	     publish {H,A}
//	                                     load array: p = tp->funcs
//	                                     load data: d = p[0].data // H's data
//	                                     call: static call(d)  // A with H's data
//	     static call = iterator
var publishFirst = naiveSync.but(func(p *Policy) {
	p.OneToTwo = []Step{
		publish, // Deliberate bug (fixed by 352384d5c84e): the call still goes to the old first probe.
		callIterator,
	}
})
