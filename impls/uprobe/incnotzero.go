package uprobe

import (
	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/rcu"
)

// incNotZero is what was merged: a hit enters a section of RCU Tasks Trace, which sleeping
// handlers may be in, searches the tree without a lock, and takes no reference. References
// are the consumers'; they are a refcount_t, and none is taken to a uprobe that has none.
//
//	CPU0, updater                        CPU1, hit                     CPU2, updater
//	last consumer off
//	put: 1 -> 0
//	                                                                   write lock; found; 0: dying
//	                                                                   erase, insert a new one
//	                                     section
//	                                     found: the old one or the new
//	write lock; gone already; unlock
//	call_rcu: waits for CPU1
//	                                     section ends
//	frees the old one
//
// A hit that finds the old one calls nobody: its last consumer had gone.
var incNotZero = Policy{
	Flavour:  "taskstrace",
	Sections: true,
	hit:      hitLockless,
	fresh:    1,
	get:      func(_ *Table, u *Uprobe) bool { return refIncNotZero(u) },
	put:      putRCU,
}

// hitLockless is a hit that pins by its section.
func hitLockless(h *Hitter, k Key) (called int) {
	h.reader.Lock()
	if u := h.table.tree.searchLockless(k); u != nil {
		step.At("uprobe: pinned")
		called = h.handlerChain(u)
	}
	h.reader.Unlock()
	return called
}

// putRCU takes the uprobe out of the tree, if nobody has, and frees it after a grace period.
// (In the kernel a work item does: whoever puts may hold locks.)
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

// srcuHits is incNotZero whose sections are SRCU's, as was proposed first: a full fence at
// both ends of every hit, on counters of the CPU's own.
var srcuHits = incNotZero.but(func(p *Policy) { p.Flavour = "srcu" })

// incFromZero is incNotZero whose registrations take a reference whatever there is.
//
//	CPU0, updater                        CPU1, updater
//	put: 1 -> 0
//	                                     write lock; found; 0 -> 1; unlock
//	                                     its consumer on
//	write lock; erase; unlock            // that consumer's uprobe
//	frees it after a grace period
var incFromZero = incNotZero.but(func(p *Policy) {
	p.get = func(_ *Table, u *Uprobe) bool {
		u.ref.Add(1) // Deliberate bug (up-U3; ours): refcount_t would have warned.
		return true
	}
})

// noRetry is incNotZero whose lockless search believes a miss.
//
//	CPU0, updater                        CPU1, hit
//	rotates: W1
//	                                     searches: the branch is missing
//	W2, W3                               nobody is called
var noRetry = incNotZero.but(func(p *Policy) {
	p.hit = func(h *Hitter, k Key) (called int) {
		h.reader.Lock()
		// Deliberate bug (up-U4; ours): the sequence count is not looked at.
		if u := h.table.tree.search(k); u != nil {
			called = h.handlerChain(u)
		}
		h.reader.Unlock()
		return called
	}
})

// but returns a policy that differs as it is told to.
func (p Policy) but(differ func(*Policy)) Policy {
	differ(&p)
	return p
}
