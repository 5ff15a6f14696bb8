package uprobe

// noEpoch: as epochRCU, but it compares the count alone (up-U2).
//
//	CPU0, hit                            CPU1, hit
//	put: count 0
//	                                     found: count 1
//	                                     put: count 0
//	                                     treelock; count 0: erase; unlock
//	treelock; count 0: erase             // from the tree that it is not in
//	both free
var noEpoch = epochRCU.with(func(p *Policy) {
	// Deliberate bug (ours). ABA: assumes the count stayed 0.
	p.put = putEpochInSection(func(_, now uint64) bool { return uint32(now) == 0 })
})
