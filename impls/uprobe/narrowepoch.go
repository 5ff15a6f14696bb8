package uprobe

// narrowEpoch: as epochRCU, but the epoch wraps after 16 gets and puts (up-U5).
//
//	CPU0, hit                            CPU1, updater and hits
//	put: count 0, epoch 7
//	                                     registers a consumer: count 1, epoch 8
//	                                     7 hits: count 1, epoch 22 = 6
//	                                     removes it: count 0, epoch 23 = 7
//	                                     treelock; still epoch 7: erase; unlock
//	treelock; epoch 7: destroy           // a second time
//	both free
//
// The 32 bits of epochRCU wrap too, after 4 billion gets and puts while one thread is between
// its put and the treelock.
var narrowEpoch = epochRCU.with(func(p *Policy) {
	// Deliberate bug (ours): only four bits of the epoch are compared.
	p.put = putEpochInSection(func(then, now uint64) bool { return (then^now)<<28 == 0 })
})
