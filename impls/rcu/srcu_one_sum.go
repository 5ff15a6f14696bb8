package rcu

// srcuOneSum: as srcu, without the first sum (rcu-L5). It flips at once and adds up only the index that
// was in use before the flip:
//
//	CPU0, updater                          CPU1, reader
//	                                       copy:  i = 0, the index in use
//	                                       is delayed
//	a whole grace period:
//	   index 1 is in use
//	                                       enter: lock[0] += 1
//	                                       load:  p = what is published
//	unpublish p
//	begin: flip, index 0 is in use
//	second sum, of index 1: no open section
//	reuse: frees p
//	                                       use p
//
// The grace period in between is right not to wait for the reader: it began before load. Only
// the first sum, of index 0, would find the section open.
func srcuOneSum(o Options) *Domain {
	d := srcu(o)
	// Deliberate bug (SRCU with a flip and one sum): no first sum.
	d.flavour.oneSum = true
	return d
}
