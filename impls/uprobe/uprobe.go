package uprobe

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tpbench/tpbench/impls/internal/slab"
	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/rcu"
)

// What the kernel returns as -EINVAL, or has its callers keep track of.
var (
	ErrInvalid  = errors.New("a consumer needs a handler")
	ErrExist    = errors.New("this consumer is registered already")
	ErrNotFound = errors.New("this consumer is not registered")
	ErrNoMem    = slab.ErrNoMem
)

// A Policy is how hits find and pin, and how uprobes end. Its functions are called without
// locks but where they say so.
type Policy struct {
	// Flavour names the one whose sections hits or puts stand in.
	Flavour string

	// Sections says that a section is all that a hit holds: consumers are not called under
	// the rwsem, and removal has a grace period to wait for.
	Sections bool

	// hit is all of a hit; it returns how many consumers it called.
	hit func(h *Hitter, k Key) int

	// fresh is the reference count of a new uprobe, its maker's included.
	fresh uint64

	// get takes a reference to a uprobe in the tree, or does not: it is dying. The
	// treelock is held.
	get func(t *Table, u *Uprobe) bool

	// put gives one back. The reader is the hit's, or nil: an updater puts.
	put func(t *Table, r *rcu.Reader, u *Uprobe)

	// treeHolds: the tree holds a reference of its own, from the first consumer to the last,
	// in place of one for each consumer.
	treeHolds bool
}

// A Uprobe is a breakpoint. It lies in a slab: who still reads a freed one finds poison.
type Uprobe struct {
	key   Key
	child [2]atomic.Pointer[Uprobe]
	ref   atomic.Uint64
	dead  atomic.Bool // it has been destroyed

	inTree bool // protected by treelock

	// rwsem is register_rwsem: held for writing while consumers change, and, by policies
	// without sections, for reading while they are called. The treelock nests inside.
	rwsem     sync.RWMutex
	consumers atomic.Pointer[Consumer] // written under rwsem

	slot []Uprobe

	_ [24]byte // two lines of its own, like a Hitter
}

// poisoned is what a freed uprobe has for its key and its count: the kernel's POISON_FREE.
// Its only consumer warns.
const poisoned = 0x6b6b6b6b6b6b6b6b

// A Consumer is somebody who wants to hear of hits. It must not be used again before
// Sync, once it is unregistered.
type Consumer struct {
	// Handler is called by hits, in any number of threads. It must not unregister.
	Handler func(c *Consumer, h *Hitter)

	next atomic.Pointer[Consumer] // written under rwsem; who is unregistered still leads on
	on   atomic.Pointer[Uprobe]   // nil if not registered
}

// busy is where a consumer is while it is being registered.
var busy Uprobe

// A Table is all uprobes, and who hits them.
type Table struct {
	policy *Policy
	rcu    *rcu.Domain

	treelock sync.RWMutex
	tree     tree

	uprobes  *slab.Slab[Uprobe]
	warnings [warnings]atomic.Uint64
}

// A Warning is something that must not happen.
type Warning int

const (
	WarnZero  Warning = iota // a reference taken to what had none: refcount_t's "addition on 0"
	WarnUnder                // a reference put that nobody had: refcount_t's "underflow"
	WarnFreed                // a freed uprobe was read: KASAN's
	WarnTwice                // a uprobe was destroyed that had been
	WarnLost                 // a consumer was not on its uprobe any more
	warnings
)

func (w Warning) String() string {
	return [...]string{"reference taken to a uprobe without one", "reference put that nobody had", "freed uprobe read", "uprobe destroyed twice", "consumer lost"}[w]
}

func (t *Table) warn(w Warning) { t.warnings[w].Add(1) }

// Warnings returns how often each has come, and whether any has.
func (t *Table) Warnings() (counts [warnings]uint64, any bool) {
	for w := range t.warnings {
		counts[w] = t.warnings[w].Load()
		any = any || counts[w] > 0
	}
	return counts, any
}

// New makes a Table whose hits and puts stand in sections of the domain, which is of the
// policy's flavour.
func New(p *Policy, d *rcu.Domain) *Table {
	t := &Table{policy: p, rcu: d}
	poison := make([]Uprobe, 1)
	poison[0].key = Key{poisoned, poisoned}
	poison[0].ref.Store(poisoned)
	poison[0].dead.Store(true)
	poison[0].consumers.Store(&Consumer{Handler: func(*Consumer, *Hitter) { t.warn(WarnFreed) }})
	t.uprobes = slab.New(poison...)
	return t
}

// InUse is how many uprobes are, those included that wait for their grace period.
func (t *Table) InUse() int { return t.uprobes.InUse() }

// FailAfter lets n more uprobes be made and makes the one after them fail. A negative n
// takes that back.
func (t *Table) FailAfter(n int) { t.uprobes.FailAfter(n) }

// A Hitter is one thread that hits breakpoints. Only its owner calls its methods.
type Hitter struct {
	Count  uint64 // for handlers
	table  *Table
	reader *rcu.Reader
	_      [104]byte // two lines of its own
}

// NewHitter registers a thread.
func (t *Table) NewHitter() *Hitter { return &Hitter{table: t, reader: t.rcu.Register()} }

// Close takes the thread out.
func (h *Hitter) Close() { h.reader.Unregister() }

// Hit is what handle_swbp does: find, call the consumers, put. It returns how many were
// called.
func (h *Hitter) Hit(k Key) int { return h.table.policy.hit(h, k) }

// Hits hits the key n times: the loop of the benchmark.
func (h *Hitter) Hits(k Key, n int) {
	hit := h.table.policy.hit
	for range n {
		hit(h, k)
	}
}

// handlerChain calls the consumers. Pairs with the stores of Register and
// UnregisterNosync: a consumer's fields are there before the list leads to it.
func (h *Hitter) handlerChain(u *Uprobe) (called int) {
	for c := u.consumers.Load(); c != nil; c = c.next.Load() {
		step.At("uprobe: consumer found")
		c.Handler(c, h)
		called++
	}
	return called
}

// Register puts the consumer on the key. The error is ErrNoMem if there is no memory for
// a uprobe.
func (t *Table) Register(k Key, c *Consumer) error {
	if c.Handler == nil {
		return fmt.Errorf("uprobe: register: %w", ErrInvalid)
	}
	if !c.on.CompareAndSwap(nil, &busy) {
		return fmt.Errorf("uprobe: register: %w", ErrExist)
	}
	for {
		u, err := t.find(k)
		if err != nil {
			c.on.Store(nil)
			return fmt.Errorf("uprobe: register: %w", err)
		}
		u.rwsem.Lock()
		if !t.active(u) { // it has left the tree meanwhile: -EAGAIN
			u.rwsem.Unlock()
			t.policy.put(t, nil, u)
			continue
		}
		c.next.Store(u.consumers.Load())
		c.on.Store(u)
		u.consumers.Store(c)
		u.rwsem.Unlock()
		if t.policy.treeHolds {
			t.policy.put(t, nil, u)
		}
		return nil
	}
}

// find is alloc_uprobe: the uprobe of the key, with a reference, made if need be.
func (t *Table) find(k Key) (*Uprobe, error) {
	t.treelock.Lock()
	defer t.treelock.Unlock()
	u := t.tree.search(k)
	if u != nil && t.policy.get(t, u) {
		return u, nil
	}
	slot, err := t.uprobes.Alloc()
	if err != nil {
		return nil, err
	}
	if u != nil { // dying: who has put it finds it gone
		t.tree.erase(u)
		u.inTree = false
	}
	u = &slot[0]
	u.key, u.slot, u.inTree = k, slot, true
	u.consumers.Store(nil)
	u.dead.Store(false)
	u.ref.Store(t.policy.fresh)
	t.tree.insert(u)
	return u, nil
}

// active is uprobe_is_active.
func (t *Table) active(u *Uprobe) bool {
	t.treelock.RLock()
	defer t.treelock.RUnlock()
	return u.inTree
}

// UnregisterNosync takes the consumer off its uprobe. Hits may go on calling it until
// Sync.
func (t *Table) UnregisterNosync(c *Consumer) error {
	u := c.on.Load()
	if u == nil || u == &busy || !c.on.CompareAndSwap(u, nil) {
		return fmt.Errorf("uprobe: unregister: %w", ErrNotFound)
	}
	u.rwsem.Lock()
	link := &u.consumers
	for {
		on := link.Load()
		if on == c {
			break
		}
		if on == nil { // this is not the uprobe that it was registered on
			u.rwsem.Unlock()
			t.warn(WarnLost)
			return nil
		}
		link = &on.next
	}
	link.Store(c.next.Load())
	last := u.consumers.Load() == nil
	if last && t.policy.treeHolds {
		t.erase(u)
	}
	u.rwsem.Unlock()
	if last || !t.policy.treeHolds {
		t.policy.put(t, nil, u)
	}
	return nil
}

// Sync waits until no hit calls a consumer that was unregistered before.
func (t *Table) Sync() {
	if t.policy.Sections {
		t.rcu.Synchronize()
	}
}

// Unregister takes the consumer off and waits until nobody calls it.
func (t *Table) Unregister(c *Consumer) error {
	err := t.UnregisterNosync(c)
	if err == nil {
		t.Sync()
	}
	return err
}

// erase takes a uprobe out of the tree, if it is in it.
func (t *Table) erase(u *Uprobe) {
	t.treelock.Lock()
	defer t.treelock.Unlock()
	if u.inTree {
		t.tree.erase(u)
		u.inTree = false
	}
}

// destroy claims a uprobe for freeing: B4.
func (t *Table) destroy(u *Uprobe) bool {
	if !u.dead.CompareAndSwap(false, true) {
		t.warn(WarnTwice)
		return false
	}
	return true
}

func (t *Table) free(u *Uprobe) { t.uprobes.Free(u.slot) }

// freeRCU frees after a grace period.
func (t *Table) freeRCU(u *Uprobe) {
	t.rcu.Call(func() { t.free(u) })
	step.At("uprobe: to be freed")
}
