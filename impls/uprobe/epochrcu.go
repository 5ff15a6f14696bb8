package uprobe

// epochRCU: as epochEager, but puts enter read sections of RCU Tasks Trace, and the uprobe is
// freed after a grace period. So a thread that is not the newest reads memory that is not
// freed yet.
//
//	CPU0, hit                            CPU1, hit
//	section begins
//	put: count 0, epoch 7
//	                                     found: count 1, epoch 8
//	                                     put: count 0, epoch 9
//	                                     treelock; still epoch 9: erase; unlock
//	                                     call_rcu: waits for CPU0
//	treelock
//	epoch still 7? no
//	section ends
//	                                     free
//
// The word has no room to tell an underflow from a large count. That was the objection to it.
var epochRCU = Policy{
	flavour: "taskstrace",
	hit:     hitByReference,
	initial: epochGet,
	get:     getEpoch,
	put:     putEpochInSection(sameEpoch),
}
