package uprobe

import (
	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/rcu"
)

// incNotZero is what was merged. A hit enters a read section of RCU Tasks Trace, in which
// handlers may sleep. It searches the tree without a lock and takes no reference. References
// belong to consumers; they are a refcount_t, and get fails when the count is 0.
//
//	CPU0, updater                        CPU1, hit                     CPU2, updater
//	removes the last consumer
//	put: 1 -> 0
//	                                                                   treelock; found, count 0: dying
//	                                                                   erase, insert a new one
//	                                     section begins
//	                                     found: the old one or the new
//	treelock; not in the tree; unlock
//	call_rcu: waits for CPU1
//	                                     section ends
//	free the old one
//
// A hit that finds the old uprobe calls no consumer: the last one has been removed.
var incNotZero = Policy{
	flavour:  "taskstrace",
	sections: true,
	hit:      hitInSection,
	initial:  1,
	get:      func(_ *Table, u *Uprobe) bool { return refIncNotZero(u) },
	put:      putRCU,
}

// srcuHits: as incNotZero, but its read sections are SRCU's, as was proposed first. They have
// a full fence at both ends, and write to counters that belong to the CPU.
var srcuHits = incNotZero.with(func(p *Policy) { p.flavour = "srcu" })

// putRCU takes the uprobe out of the tree, if it is still there, and frees it after a grace
// period. In the kernel a work item does so, because the thread that puts may hold locks.
func putRCU(t *Table, _ *rcu.Reader, u *Uprobe) {
	if !refDec(t, u) {
		return
	}
	step.At("uprobe: put to zero")
	t.erase(u)
	if t.destroy(u) {
		t.freeRCU(u)
	}
}
