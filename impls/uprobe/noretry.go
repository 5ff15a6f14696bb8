package uprobe

// noRetry: as incNotZero, but its search without the lock does not recheck the sequence count
// after a miss (up-U4).
//
//	CPU0, updater                        CPU1, hit
//	rotates: first store of three
//	                                     searches: the branch is missing
//	second and third store               // no consumer is called
var noRetry = incNotZero.with(func(p *Policy) {
	p.hit = func(h *Hitter, k Key) (called int) {
		h.reader.Lock()
		if u := h.table.tree.search(k); u != nil { // Deliberate bug (ours): not searchLockless.
			called = h.handlerChain(u)
		}
		h.reader.Unlock()
		return called
	}
})
