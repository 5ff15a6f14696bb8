package uprobe

import (
	"sync/atomic"

	"github.com/tpbench/tpbench/impls/internal/step"
)

// A Key is where a uprobe sits: a place in a file.
type Key struct{ Inode, Offset uint64 }

func (k Key) less(other Key) bool {
	return k.Inode < other.Inode || k.Inode == other.Inode && k.Offset < other.Offset
}

// side is where to look for the key from a uprobe that it is not the key of.
func (k Key) side(u *Uprobe) int {
	if k.less(u.key) {
		return 0
	}
	return 1
}

// tree is a treap: a search tree by key that is a heap by a hash of it, so that it is
// balanced without remembering anything. Writers hold Table.treelock. Who searches without
// it finds, while a writer rotates, a tree from which whole branches are missing, but never
// a loop and never a wrong node:
//
//	      y                x
//	     / \              / \
//	    x   c    ->      a   y
//	   / \                  / \
//	  a   b                b   c
//
//	W1 y.left = b           // x and a are nowhere
//	W2 x.right = y
//	W3 parent = x
//
// So what it finds is there, and what it misses may be there: seq tells.
type tree struct {
	root atomic.Pointer[Uprobe]

	// seq is uprobes_seqcount: odd while a writer is at it. Its adds are full fences,
	// which pair with the loads in searchLockless; x86 keeps those in order.
	seq atomic.Uint64
}

// search returns the uprobe of the key, or nil. treelock must be held, or the answer be
// taken for what it is worth.
func (t *tree) search(k Key) *Uprobe {
	u := t.root.Load()
	for u != nil && u.key != k {
		// Branches, since the CPU predicts them and goes ahead, where an index would have
		// it wait for the comparison.
		if k.less(u.key) {
			u = u.child[0].Load()
		} else {
			u = u.child[1].Load()
		}
	}
	return u
}

// searchLockless is find_uprobe_rcu: a hit is valid, a miss if no writer was at it.
func (t *tree) searchLockless(k Key) *Uprobe {
	for {
		seq := t.seq.Load()
		if u := t.search(k); u != nil {
			return u
		}
		if seq%2 == 0 && t.seq.Load() == seq {
			return nil
		}
		step.Wait("uprobe: missed while a writer is at the tree")
	}
}

// insert puts a uprobe in whose key the tree does not have. treelock must be held.
func (t *tree) insert(u *Uprobe) {
	t.seq.Add(1)
	u.child[0].Store(nil)
	u.child[1].Store(nil)
	t.insertAt(&t.root, u)
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

// erase takes a uprobe out. treelock must be held.
func (t *tree) erase(u *Uprobe) {
	t.seq.Add(1)
	link := &t.root
	for top := link.Load(); top != u; top = link.Load() {
		link = &top.child[u.key.side(top)]
	}
	for { // down to where it has no children
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
	t.seq.Add(1)
}

// rotate exchanges what the link leads to with its child of that side, and returns the
// link to what has gone down.
func rotate(link *atomic.Pointer[Uprobe], side int) *atomic.Pointer[Uprobe] {
	y := link.Load()
	x := y.child[side].Load()
	y.child[side].Store(x.child[1-side].Load()) // W1
	step.At("uprobe: a branch is missing")
	x.child[1-side].Store(y) // W2
	link.Store(x)            // W3
	return &x.child[1-side]
}

// weight is the hash by which the tree is a heap: splitmix64's finaliser.
func (u *Uprobe) weight() uint64 {
	z := u.key.Inode*0x9E3779B97F4A7C15 ^ u.key.Offset
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}
