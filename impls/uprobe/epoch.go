package uprobe

import (
	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/rcu"
)

// One word is reference count and epoch: 32 bits each. Every get and every put is one add,
// which always succeeds, and moves the epoch on.
const (
	epochGet = 1<<32 + 1
	epochPut = 1<<32 - 1
)

// Deliberate bug (patch 04/12 of June 2024, found on the list): epochEager frees as soon as
// it has won (up-U1). The epoch is there so that of two who have put the last reference only the
// newest destroys: get takes the count from 0 to 1 as readily as from 1 to 2. But the
// other one has to look at it to find that it has lost.
//
//	CPU0, hit                            CPU1, hit
//	put: count 0, epoch 7
//	                                     found: count 1, epoch 8
//	                                     put: count 0, epoch 9
//	                                     write lock; still epoch 9: erase; unlock
//	                                     free
//	write lock
//	epoch still 7?                       // reads what is freed
var epochEager = Policy{
	Flavour: "memb", // nobody stands in its sections
	hit:     hitLocked,
	fresh:   epochGet,
	get:     getEpoch,
	put: func(t *Table, _ *rcu.Reader, u *Uprobe) {
		if putEpoch(t, u, func(then, now uint64) bool { return then == now }) {
			t.free(u)
		}
	},
}

func getEpoch(_ *Table, u *Uprobe) bool {
	u.ref.Add(epochGet)
	return true
}

// putEpoch puts, and reports whether the uprobe has left the tree and is to be freed: if,
// under the lock, its word is still the one that the put left, as same says.
func putEpoch(t *Table, u *Uprobe, same func(then, now uint64) bool) bool {
	then := u.ref.Add(epochPut)
	if uint32(then) != 0 {
		return false
	}
	step.At("uprobe: put to zero")
	t.treelock.Lock()
	defer t.treelock.Unlock()
	now := u.ref.Load()
	if now == poisoned {
		t.warn(WarnFreed)
	}
	if !same(then, now) || !t.destroy(u) {
		return false
	}
	if u.inTree {
		t.tree.erase(u)
		u.inTree = false
	}
	return true
}
