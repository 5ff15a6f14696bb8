package uprobe

import (
	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A Hitter is one thread that hits breakpoints. Only its owner calls its methods.
type Hitter struct {
	Count  uint64 // for handlers
	table  *Table
	reader *rcu.Reader
	_      [104]byte // two cache lines of its own
}

// NewHitter registers a thread.
func (t *Table) NewHitter() *Hitter { return &Hitter{table: t, reader: t.rcu.Register()} }

// Close unregisters the thread.
func (h *Hitter) Close() { h.reader.Unregister() }

// Hit is what the kernel's handle_swbp does in a thread that runs into the breakpoint. It
// returns how many consumers it called.
func (h *Hitter) Hit(k Key) (called int) { return h.table.policy.hit(h, k) }

// Hits hits the key n times. It is the loop of the benchmark.
func (h *Hitter) Hits(k Key, n int) {
	hit := h.table.policy.hit
	for range n {
		hit(h, k)
	}
}

// handlerChain calls the consumers. It pairs with the stores of Register and UnregisterNosync:
// a consumer's fields are stored before the list leads to it.
func (h *Hitter) handlerChain(u *Uprobe) (called int) {
	for c := u.consumers.Load(); c != nil; c = c.next.Load() {
		step.At("uprobe: consumer found")
		c.Handler(c, h)
		called++
	}
	return called
}

// hitByReference is a hit that finds the uprobe under the treelock and pins it by a reference.
func hitByReference(h *Hitter, k Key) (called int) {
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

// hitInSection is a hit that finds the uprobe without the treelock and pins it by its read
// section. It writes to no word that another CPU writes to.
func hitInSection(h *Hitter, k Key) (called int) {
	h.reader.Lock()
	if u := h.table.tree.searchLockless(k); u != nil {
		step.At("uprobe: pinned")
		called = h.handlerChain(u)
	}
	h.reader.Unlock()
	return called
}
