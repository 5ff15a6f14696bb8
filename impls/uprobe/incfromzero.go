package uprobe

// incFromZero: as incNotZero, but a registration takes a reference whatever the count is
// (up-U3).
//
//	CPU0, updater                        CPU1, updater
//	put: 1 -> 0
//	                                     treelock; found; 0 -> 1; unlock
//	                                     adds its consumer
//	treelock; erase; unlock              // the uprobe of that consumer
//	free after a grace period
var incFromZero = incNotZero.with(func(p *Policy) {
	p.get = func(_ *Table, u *Uprobe) bool {
		u.ref.Add(1) // Deliberate bug (ours): a refcount_t would have warned.
		return true
	}
})
