package unregister

import "github.com/tpbench/tpbench/impls/dispatch"

// doubleArraySync keeps M2 and M3 by remembering when readers were last sent to the other
// half. If no whole grace period has passed since, it waits for one before it fills that.
//
//	CPU0, updater                        CPU1, reader in the iterator
//	                                     p = half 0: {A, B, C}
//	-A: half 1 = {B, C}, publish         A(d_A)
//	    get_state; asks for a grace period
//	-B: cond_sync                        // waits for CPU1
//	                                     p[1] is B, p[2] is C
//	    half 0 = {C}, publish
//
// v5 had a counter, which a work item advanced after a grace period, to tell the same as a
// snapshot does; the work item also is what started that. It is a deferred call here.
// Removal allocates nothing, but may sleep, where others need not: once for each removal
// in a row but the first.
var doubleArraySync = Policy{
	add: addDouble,
	remove: func(p *Point, at int, rest []dispatch.Entry) error {
		if p.halves.entered {
			p.rcu.CondSync(p.halves.left)
		}
		if err := flip(p, at, rest); err != nil {
			return err
		}
		p.rcu.Call(func() {}) // a grace period comes, whether or not somebody waits for it
		return nil
	},
}
