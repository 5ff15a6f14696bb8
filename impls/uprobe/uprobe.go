package uprobe

import (
	"sync"
	"sync/atomic"
)

// A Key is where a uprobe sits: an offset in a file.
type Key struct{ Inode, Offset uint64 }

func (k Key) less(other Key) bool {
	return k.Inode < other.Inode || k.Inode == other.Inode && k.Offset < other.Offset
}

// side returns in which child of u to search for k: 0 is the left one. u has another key.
func (k Key) side(u *Uprobe) int {
	if k.less(u.key) {
		return 0
	}
	return 1
}

// A Uprobe is a breakpoint. It lies in a slab: a thread that reads a freed one finds poison.
type Uprobe struct {
	key   Key
	child [2]atomic.Pointer[Uprobe] // in the tree
	ref   atomic.Uint64             // a refcount_t (refcount.go), or count and epoch (epoch.go)
	dead  atomic.Bool               // destroyed

	inTree bool // protected by the treelock

	// rwsem is the kernel's register_rwsem: held for writing while consumers change, and, by
	// policies without sections, for reading while they are called. A thread that holds it
	// may take the treelock; a thread that holds the treelock must not take the rwsem.
	rwsem     sync.RWMutex
	consumers atomic.Pointer[Consumer] // the newest; written under rwsem

	slot []Uprobe // to give back to the slab

	_ [24]byte // two cache lines of its own, like a Hitter
}

// poisoned is the key and the reference word of a freed uprobe: the kernel's POISON_FREE. Its
// only consumer warns.
const poisoned = 0x6b6b6b6b6b6b6b6b

// A Consumer is called by the hits on its uprobe. After it is unregistered it must not be used
// again before Sync.
type Consumer struct {
	// Handler is called by hits, in any number of threads at once. It must not unregister.
	Handler func(c *Consumer, h *Hitter)

	// next is written under rwsem, and kept after unregistering, so hits that are calling this
	// consumer can continue.
	next atomic.Pointer[Consumer]
	on   atomic.Pointer[Uprobe] // nil if not registered
}

// busy is the uprobe of a consumer that is being registered.
var busy Uprobe

// A Warning is an event that must not happen.
type Warning int

const (
	WarnZero  Warning = iota // a get from 0: refcount_t's "addition on 0"
	WarnUnder                // a put below 0: refcount_t's "underflow"
	WarnFreed                // a read of a freed uprobe: KASAN's use-after-free
	WarnTwice                // a second destroy
	WarnLost                 // a consumer was not in the list of its uprobe
	warnings
)

func (w Warning) String() string {
	return [...]string{"reference taken to a uprobe without one", "more references put than taken", "freed uprobe read", "uprobe destroyed twice", "consumer lost"}[w]
}
