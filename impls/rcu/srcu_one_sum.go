package rcu

// srcuOneSum: as srcu, but it flips at once, and sums up only the index of before:
//
//	CPU0, updater                          CPU1, reader
//	                                       L1 i = 0, the index in use
//	                                          held up
//	a whole grace period: index 1 is in use
//	                                       L2 lock[0] += 1
//	                                       L3 p = what is published
//	U1 unpublish p
//	U2 flip: index 0 is in use
//	S2 index 1: nobody
//	U5 frees p
//	                                       L4 uses p
//
// The grace period before had nobody to wait for, rightly: what it was for came before
// L3. Only S1, of index 0, would have noticed.
func srcuOneSum(o Options) *Domain {
	d := srcu(o)
	// Deliberate bug (SRCU with a flip and one sum): S1 left out.
	d.flavor.oneSum = true
	return d
}
