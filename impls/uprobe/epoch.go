package uprobe

import (
	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/rcu"
)

// The reference word as count (the low 32 bits) and epoch (the high 32 bits). Every get and
// every put is one add, which cannot fail and increments the epoch.
const (
	epochGet = 1<<32 + 1
	epochPut = 1<<32 - 1
)

func getEpoch(_ *Table, u *Uprobe) bool {
	u.ref.Add(epochGet)
	return true
}

// A sameWord compares the word that a last put left with the word that is there under the
// treelock. It reports whether there was no get in between.
type sameWord func(then, now uint64) bool

func sameEpoch(then, now uint64) bool { return then == now }

// putEpoch puts. It reports whether the caller has to free the uprobe, which has then left the
// tree: it was the last put, and under the treelock the word is still the same.
func putEpoch(t *Table, u *Uprobe, same sameWord) bool {
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
	t.tree.erase(u)
	return true
}

// putEpochInSection returns a Policy.put that puts in a read section and frees after a grace
// period.
func putEpochInSection(same sameWord) func(t *Table, r *rcu.Reader, u *Uprobe) {
	return func(t *Table, r *rcu.Reader, u *Uprobe) {
		if r == nil { // an updater puts
			r = t.rcu.Register()
			defer r.Unregister()
		}
		r.Lock()
		destroyed := putEpoch(t, u, same)
		r.Unlock()
		if destroyed {
			t.freeRCU(u)
		}
	}
}
