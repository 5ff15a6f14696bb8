package uprobe

import (
	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/rcu"
)

// rwlock is uprobes until 2024: hits look up under the treelock and take a reference, which
// is a refcount_t. The tree holds one of its own, so that nobody finds a uprobe without
// any; who takes the last consumer off takes the uprobe out of the tree before that
// reference is put.
//
//	CPU0, updater                        CPU1, hit
//	                                     read lock; found; ref 1 -> 2; unlock
//	last consumer off, rwsem held
//	write lock; erase; unlock
//	put: 2 -> 1
//	                                     calls whoever is left: nobody
//	                                     put: 1 -> 0, free
//
// Every hit writes to the lock, the count and the rwsem, which all CPUs share.
var rwlock = Policy{
	Flavour:   "memb", // nobody stands in its sections
	hit:       hitLocked,
	fresh:     2, // the tree's and the maker's
	get:       func(t *Table, u *Uprobe) bool { refInc(t, u); return true },
	put:       func(t *Table, _ *rcu.Reader, u *Uprobe) { putFree(t, u) },
	treeHolds: true,
}

// hitLocked is a hit that pins by a reference.
func hitLocked(h *Hitter, k Key) (called int) {
	t := h.table
	t.treelock.RLock()
	u := t.tree.search(k)
	if u != nil {
		t.policy.get(t, u)
	}
	t.treelock.RUnlock()
	if u == nil {
		return 0
	}
	step.At("uprobe: pinned")
	u.rwsem.RLock()
	called = h.handlerChain(u)
	u.rwsem.RUnlock()
	t.policy.put(t, h.reader, u)
	return called
}

// putFree frees at once what has left the tree before.
func putFree(t *Table, u *Uprobe) {
	if !refDec(t, u) {
		return
	}
	step.At("uprobe: put to zero")
	if t.destroy(u) {
		t.free(u)
	}
}

// saturated is where a refcount_t ends that was misused: far from both ends, so that
// nothing is freed because of it.
const saturated = 1 << 31

// refInc is refcount_inc.
func refInc(t *Table, u *Uprobe) {
	if u.ref.Add(1) == 1 {
		u.ref.Store(saturated)
		t.warn(WarnZero)
	}
}

// refIncNotZero is refcount_inc_not_zero.
func refIncNotZero(u *Uprobe) bool {
	for {
		n := u.ref.Load()
		if n == 0 {
			return false
		}
		if u.ref.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// refDec is refcount_dec_and_test.
func refDec(t *Table, u *Uprobe) bool {
	switch n := u.ref.Add(^uint64(0)); {
	case n == 0:
		return true
	case n >= saturated:
		u.ref.Store(saturated)
		t.warn(WarnUnder)
	}
	return false
}
