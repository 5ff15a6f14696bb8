package rcu

import (
	"runtime"

	"github.com/tpbench/tpbench/impls"
)

// noBarrier: as memb, but without U3. The reader's plain store is still in its store
// buffer when U4 looks:
//
//	CPU0, updater               CPU1, reader
//	                            L2 reader.word = c, in the store buffer
//	                            L3 p = what is published, from the cache
//	U1 unpublish p
//	U2 a fence, but CPU0's own
//	U4 reader.word: no section
//	                            L2 reaches the cache
//	U5 frees p
//	                            L4 uses p
//
// A schedule point cannot hold a store back; this one is left to the random torture.
func noBarrier(o Options) *Domain {
	d := memb(o)
	// Deliberate bug (liburcu's memb without its membarrier): no fence on CPU1.
	d.flavor.barrier = func() {}
	return d
}

// checkNoBarrier refuses where the flavour would be sound.
func checkNoBarrier() error {
	if runtime.NumCPU() < 2 {
		return &impls.UnsupportedError{
			What: "flavour no-barrier",
			Why:  "this process may use one CPU, whose own loads see its stores at once, so that nothing is broken",
			Do:   "let it use 2 CPUs or more",
		}
	}
	return checkPrivate()
}
