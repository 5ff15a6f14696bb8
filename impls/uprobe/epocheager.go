package uprobe

import "github.com/tpbench/tpbench/impls/rcu"

// epochEager: count and epoch in one word. A get takes the count from 0 to 1 just as from 1 to
// 2, so two hits can both put the last reference. The epoch tells which put is the newest, and
// that one destroys. But the other thread has to read the word to find that it is not the
// newest, and then the uprobe may be freed (up-U1).
//
//	CPU0, hit                            CPU1, hit
//	put: count 0, epoch 7
//	                                     found: count 1, epoch 8
//	                                     put: count 0, epoch 9
//	                                     treelock; still epoch 9: erase; unlock
//	                                     free
//	treelock
//	epoch still 7?                       // reads freed memory
var epochEager = Policy{
	hit:     hitByReference,
	initial: epochGet,
	get:     getEpoch,
	put: func(t *Table, _ *rcu.Reader, u *Uprobe) {
		if putEpoch(t, u, sameEpoch) {
			t.free(u) // Deliberate bug (patch 04/12 of June 2024, found on the list): no grace period.
		}
	},
}
