package unregister

import "github.com/tpbench/tpbench/impls/dispatch"

// doubleArraySync keeps M2 and M3 by remembering the moment when a half was replaced. If no
// whole grace period has passed since, it waits for one before it fills that half again.
//
//	CPU0, updater                        CPU1, reader in the iterator
//	                                     p = half 0: {A, B, C}
//	-A: half 1 = {B, C}, publish         A(d_A)
//	    get_state; request a grace period
//	-B: cond_sync                        // waits for CPU1
//	                                     p[1] is B, p[2] is C
//	    half 0 = {C}, publish
//
// v5 had a counter for this, which a work item advanced after a grace period; the work item
// also started the grace period. Here a snapshot and a deferred call do both. Removal
// allocates nothing. It may sleep, once for each removal in a row but the first; the other
// variants never do.
var doubleArraySync = Policy{
	add: addDouble,
	remove: func(p *Point, at int, rest []dispatch.Entry) error {
		if p.halves.entered {
			p.rcu.CondSync(p.halves.left)
		}
		if err := flip(p, at, rest); err != nil {
			return err
		}
		p.rcu.Call(func() {}) // starts a grace period, even if no removal waits for it
		return nil
	},
}
