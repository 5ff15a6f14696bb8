package uprobe

import (
	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/rcu"
)

// rwlock: a hit takes the treelock for reading and takes a reference, as before 2024. The tree
// holds a reference too, so no thread finds a uprobe without one. The removal of the last
// consumer takes the uprobe out of the tree before it puts the tree's reference.
//
//	CPU0, updater                        CPU1, hit
//	                                     treelock for reading; found; count 1 -> 2; unlock
//	rwsem for writing
//	removes the last consumer
//	treelock; erase; unlock
//	rwsem unlock
//	put: 2 -> 1
//	                                     rwsem for reading; no consumer to call; unlock
//	                                     put: 1 -> 0, free
//
// Every hit writes to the lock, the count and the rwsem, which all CPUs share.
var rwlock = Policy{
	hit:       hitByReference,
	initial:   2, // the tree's and the maker's
	get:       func(t *Table, u *Uprobe) bool { refInc(t, u); return true },
	put:       func(t *Table, _ *rcu.Reader, u *Uprobe) { putFree(t, u) },
	treeHolds: true,
}

// putFree frees at once: with the last put, the uprobe has already left the tree.
func putFree(t *Table, u *Uprobe) {
	if !refDec(t, u) {
		return
	}
	step.At("uprobe: put to zero")
	if t.destroy(u) {
		t.free(u)
	}
}
