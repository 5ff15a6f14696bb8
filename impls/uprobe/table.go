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

// The kernel returns the first as -EINVAL. It trusts its callers not to cause the next two.
var (
	ErrInvalid  = errors.New("a consumer needs a handler")
	ErrExist    = errors.New("this consumer is registered already")
	ErrNotFound = errors.New("this consumer is not registered")
	ErrNoMem    = slab.ErrNoMem
)

// A Table holds all uprobes.
type Table struct {
	policy *Policy
	rcu    *rcu.Domain

	treelock sync.RWMutex
	tree     tree

	uprobes  *slab.Slab[Uprobe]
	warnings [warnings]atomic.Uint64
}

// New makes a Table. The Domain is the policy's: [Policy.Domain].
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

// InUse returns how many uprobes are not freed. Those that wait for a grace period count.
func (t *Table) InUse() int { return t.uprobes.InUse() }

func (t *Table) warn(w Warning) { t.warnings[w].Add(1) }

// Warnings returns how often each has come, and whether any has.
func (t *Table) Warnings() (counts [warnings]uint64, any bool) {
	for w := range t.warnings {
		counts[w] = t.warnings[w].Load()
		any = any || counts[w] > 0
	}
	return counts, any
}

// Register adds the consumer to the uprobe of the key. The error is ErrNoMem if there is no
// memory for that uprobe.
func (t *Table) Register(k Key, c *Consumer) error {
	if c.Handler == nil {
		return fmt.Errorf("uprobe: register: %w", ErrInvalid)
	}
	if !c.on.CompareAndSwap(nil, &busy) {
		return fmt.Errorf("uprobe: register: %w", ErrExist)
	}
	for {
		u, err := t.getOrMake(k)
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

// getOrMake is the kernel's alloc_uprobe: it returns the uprobe of the key with a reference
// taken, and makes the uprobe if there is none.
func (t *Table) getOrMake(k Key) (*Uprobe, error) {
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
	if u != nil { // dying: the thread of the last put finds it out of the tree
		t.tree.erase(u)
	}
	u = &slot[0]
	u.key, u.slot = k, slot
	u.consumers.Store(nil)
	u.dead.Store(false)
	u.ref.Store(t.policy.initial)
	t.tree.insert(u)
	return u, nil
}

// active is the kernel's uprobe_is_active.
func (t *Table) active(u *Uprobe) bool {
	t.treelock.RLock()
	defer t.treelock.RUnlock()
	return u.inTree
}

// UnregisterNosync removes the consumer from its uprobe. Hits may continue to call it until
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
		if on == nil { // the uprobe was freed under it, and may be another by now
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
	if t.policy.sections {
		t.rcu.Synchronize()
	}
}

// Unregister removes the consumer and waits until no hit calls it.
func (t *Table) Unregister(c *Consumer) error {
	err := t.UnregisterNosync(c)
	if err == nil {
		t.Sync()
	}
	return err
}

// erase removes a uprobe from the tree if it is still there.
func (t *Table) erase(u *Uprobe) {
	t.treelock.Lock()
	defer t.treelock.Unlock()
	t.tree.erase(u)
}

// destroy claims a uprobe for freeing (B4). Only one thread may, and is returned true.
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
