package rcu

import "runtime"

// noBarrier: as memb, but without the barrier (rcu-L4). The reader's plain store is still in the store
// buffer of its CPU when the scan looks:
//
//	CPU0, updater                  CPU1, reader
//	                               enter: reader.word = c, in the store buffer
//	                               load:  p = what is published, from the cache
//	unpublish p
//	begin: a fence, on CPU0 only
//	scan: the word shows no section
//	                               enter's store reaches the cache
//	reuse: frees p
//	                               use p
//
// A schedule point cannot hold a store back, so there is no replay: only random torture finds
// this race.
func noBarrier(o Options) *Domain {
	d := memb(o)
	// Deliberate bug (liburcu's memb without its membarrier): no fence on CPU1.
	d.flavour.barrier = func() {}
	return d
}

// checkNoBarrier is Check for noBarrier. With one CPU the flavour would be sound.
func checkNoBarrier() error {
	if runtime.NumCPU() < 2 {
		return unsupported("a barrier left out",
			"this process may use only one CPU, and a CPU's loads see its own stores at once, so that nothing is broken",
			"let it use 2 CPUs or more")
	}
	return checkPrivate()
}
