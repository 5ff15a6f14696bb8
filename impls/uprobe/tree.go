package uprobe

import (
	"sync/atomic"

	"github.com/tpbench/tpbench/impls/internal/step"
)

// tree is a treap: a search tree by key that is at the same time a heap by a hash of the key.
// That keeps it balanced without any stored state. Writers hold Table.treelock. While a writer
// rotates, a search without the lock meets a tree from which whole branches are missing, but
// never a loop and never a wrong node:
//
//	      y                x
//	     / \              / \
//	    x   c    ->      a   y
//	   / \                  / \
//	  a   b                b   c
//
//	1. y.left = b           // x and a cannot be reached
//	2. x.right = y
//	3. parent = x
//
// So a uprobe that such a search finds was in the tree during the search; the caller's read
// section keeps its memory. After a miss the search has to recheck seq.
type tree struct {
	root atomic.Pointer[Uprobe]

	// seq is the kernel's uprobes_seqcount: odd while a writer changes the tree. The writer's
	// adds are full fences. They pair with the loads in searchLockless, which are ordered as
	// written.
	seq atomic.Uint64
}

// search returns the uprobe of the key, or nil. Without the treelock it may miss a uprobe that
// is in the tree.
func (t *tree) search(k Key) *Uprobe {
	u := t.root.Load()
	for u != nil && u.key != k {
		// A branch, not child[k.side(u)]: the CPU predicts a branch and loads the child at
		// once. To index, it would first need the result of the comparison.
		if k.less(u.key) {
			u = u.child[0].Load()
		} else {
			u = u.child[1].Load()
		}
	}
	return u
}

// searchLockless is the kernel's find_uprobe_rcu. A uprobe that is found is valid; a miss is
// valid only if no writer changed the tree meanwhile.
func (t *tree) searchLockless(k Key) *Uprobe {
	for {
		seq := t.seq.Load()
		if u := t.search(k); u != nil {
			return u
		}
		if seq%2 == 0 && t.seq.Load() == seq {
			return nil
		}
		step.Wait("uprobe: missed while a writer changes the tree") // yields; a replay runs another thread here
	}
}

// insert adds a uprobe whose key the tree does not have. The caller holds the treelock.
func (t *tree) insert(u *Uprobe) {
	t.seq.Add(1)
	u.child[0].Store(nil)
	u.child[1].Store(nil)
	t.insertAt(&t.root, u)
	u.inTree = true
	t.seq.Add(1)
}

func (t *tree) insertAt(link *atomic.Pointer[Uprobe], u *Uprobe) {
	top := link.Load()
	if top == nil {
		link.Store(u)
		return
	}
	side := u.key.side(top)
	t.insertAt(&top.child[side], u)
	if below := top.child[side].Load(); below.weight() > top.weight() {
		rotate(link, side)
	}
}

// erase removes a uprobe from the tree. It does nothing if another updater has removed it: the
// last put and a new registration both may. The caller holds the treelock.
func (t *tree) erase(u *Uprobe) {
	if !u.inTree {
		return
	}
	t.seq.Add(1)
	link := &t.root
	for top := link.Load(); top != u; top = link.Load() {
		link = &top.child[u.key.side(top)]
	}
	for { // rotate it down until it has no children
		left, right := u.child[0].Load(), u.child[1].Load()
		if left == nil && right == nil {
			break
		}
		side := 0
		if left == nil || right != nil && right.weight() > left.weight() {
			side = 1
		}
		link = rotate(link, side)
	}
	link.Store(nil)
	u.inTree = false
	t.seq.Add(1)
}

// rotate exchanges the node that link leads to with its child on that side (y and x above). It
// returns the link to the node that has gone down.
func rotate(link *atomic.Pointer[Uprobe], side int) *atomic.Pointer[Uprobe] {
	y := link.Load()
	x := y.child[side].Load()
	y.child[side].Store(x.child[1-side].Load()) // 1
	step.At("uprobe: a branch is missing")
	x.child[1-side].Store(y) // 2
	link.Store(x)            // 3
	return &x.child[1-side]
}

// weight is the hash of the key by which the tree is a heap: splitmix64's finaliser.
func (u *Uprobe) weight() uint64 {
	z := u.key.Inode*0x9E3779B97F4A7C15 ^ u.key.Offset
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}
