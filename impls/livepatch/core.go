package livepatch

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/slab"
	"github.com/tpbench/tpbench/impls/rcu"
)

// The kernel's -EINVAL and -EBUSY. A failed allocation is slab.ErrNoMem.
var (
	ErrInvalid = errors.New("not possible with this patch")
	ErrBusy    = errors.New("not possible during a transition, or below a newer patch")
)

// A Replacement is a function of a patch, and the old function that it replaces.
type Replacement struct {
	Old *Function
	New dispatch.Func
}

// A Patch is the kernel's struct klp_patch. It belongs to one Core.
type Patch struct {
	Name         string
	Replacements []Replacement

	// Protected by Core.mu.
	enabled bool
	funcs   [][]klpFunc // slots, while the patch is enabled or in transition
}

// A Core is the state of kernel/livepatch/core.c and transition.c.
type Core struct {
	rcu    *rcu.Domain // the three waits are its grace periods
	ftrace *rcu.Domain // ftrace's wait is its grace period: rcu if that is rude, else another

	// mu is klp_mutex. It is held during the waits of a transition. The text mutex and the
	// Domains' locks nest inside it.
	mu         sync.Mutex
	tasks      []*Task
	patches    []*Patch // klp_patches: the enabled patches, oldest first
	transition *Patch   // klp_transition_patch, or nil

	// target is klp_target_state. Written under mu while no task can be pending, read by
	// tasks that were pending.
	target atomic.Int32

	funcs *slab.Slab[klpFunc]
	ops   *slab.Slab[ops]

	waits       [waitPlaces]atomic.Uint64
	ftraceWaits atomic.Uint64
	warnings    [warnings]atomic.Uint64
}

// New makes a Core whose waits are grace periods of the domain.
func New(d *rcu.Domain) (*Core, error) {
	if err := Open(); err != nil {
		return nil, err
	}
	c := &Core{rcu: d, ftrace: d}
	if !d.WatchesIdle() {
		c.ftrace = flavour(rudeFlavour).New(rcu.Options{Lazy: rcu.OnlyBarrier})
	}
	c.funcs, c.ops = newSlabs()
	c.target.Store(int32(Idle))
	return c, nil
}

// Close closes the Core, and not the domain. Tasks must have called Exit. It returns ErrBusy
// while patches are enabled.
func (c *Core) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.transition != nil || len(c.patches) > 0 {
		return fmt.Errorf("livepatch: closing with patches enabled: %w", ErrBusy)
	}
	if c.ftrace != c.rcu {
		c.ftrace.Close()
	}
	return nil
}

// Enable begins to patch: klp_enable_patch. [Core.TryComplete] continues it. If the patch is
// being disabled, Enable reverses that.
func (c *Core) Enable(p *Patch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case p.enabled, !p.valid():
		return fmt.Errorf("livepatch: enable %s: %w", p.Name, ErrInvalid)
	case c.transition == p:
		c.reverse()
		return nil
	case c.transition != nil:
		return fmt.Errorf("livepatch: enable %s: %w", p.Name, ErrBusy)
	}
	if err := c.alloc(p); err != nil {
		return fmt.Errorf("livepatch: enable %s: %w", p.Name, err)
	}
	c.initTransition(p, Patched)
	p.enabled = true
	c.patches = append(c.patches, p)
	for i := range p.funcs {
		if err := c.patchFunc(&p.funcs[i][0]); err != nil {
			c.cancel(i)
			return fmt.Errorf("livepatch: enable %s: %w", p.Name, err)
		}
	}
	c.startTransition()
	return nil
}

// Disable begins to unpatch: __klp_disable_patch of the kernels in which patches were a stack,
// so that only the newest could be disabled. If the patch is being enabled, Disable reverses
// that.
func (c *Core) Disable(p *Patch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !p.enabled || !slices.Contains(c.patches, p):
		return fmt.Errorf("livepatch: disable %s: %w", p.Name, ErrInvalid)
	case c.transition == p:
		c.reverse()
		return nil
	case c.transition != nil, c.patches[len(c.patches)-1] != p:
		return fmt.Errorf("livepatch: disable %s: %w", p.Name, ErrBusy)
	}
	c.initTransition(p, Unpatched)
	p.enabled = false
	c.startTransition()
	return nil
}

// valid reports whether the patch replaces at least one old function, and none twice.
func (p *Patch) valid() bool {
	var seen []*Function
	for _, r := range p.Replacements {
		if r.Old == nil || r.New == 0 || slices.Contains(seen, r.Old) {
			return false
		}
		seen = append(seen, r.Old)
	}
	return len(seen) > 0
}

// alloc allocates the patch's funcs. If it fails, it frees those that it has allocated.
func (c *Core) alloc(p *Patch) error {
	for _, r := range p.Replacements {
		slot, err := c.funcs.Alloc()
		if err != nil {
			c.free(p)
			return err
		}
		slot[0].old, slot[0].newFunc, slot[0].next = r.Old, uintptr(r.New), nil
		slot[0].transition.Store(false)
		p.funcs = append(p.funcs, slot)
	}
	return nil
}

// free frees the patch's funcs. No handler may hold one.
func (c *Core) free(p *Patch) {
	for _, slot := range p.funcs {
		c.funcs.Free(slot)
	}
	p.funcs = nil
}

// InUse is the number of funcs and ops that are allocated.
func (c *Core) InUse() int { return c.funcs.InUse() + c.ops.InUse() }

// FailAfter lets that many more allocations of funcs and of ops succeed, and makes the next one
// fail. With a negative number none fails.
func (c *Core) FailAfter(funcs, ops int) {
	c.funcs.FailAfter(funcs)
	c.ops.FailAfter(ops)
}

// A Warning is one of the kernel's WARN_ONs. A sound variant never reaches one.
type Warning int

const (
	WarnEmpty   Warning = iota // a handler found its stack of functions empty
	WarnIdle                   // a handler found its task idle in a transition
	WarnNotIdle                // a task was not idle when a transition began
	WarnPending                // a task was pending when a transition ended
	warnings
)

func (w Warning) String() string {
	return [...]string{
		"the handler found an empty stack",
		"the handler found its task idle in a transition",
		"a task was not idle before a transition",
		"a task was pending after a transition",
	}[w]
}

func (c *Core) warn(w Warning) { c.warnings[w].Add(1) }

// Warnings returns the warnings that were reached, or nil.
func (c *Core) Warnings() (list []Warning) {
	for w := range warnings {
		if c.warnings[w].Load() > 0 {
			list = append(list, w)
		}
	}
	return list
}

// Counters are exact totals.
type Counters struct {
	Waits       [3]uint64 // (a) after removal, (b) before idle, (c) before a reversal
	FtraceWaits uint64    // ftrace's, before the last func of a function leaves its stack
}

// Counters returns the totals so far.
func (c *Core) Counters() Counters {
	k := Counters{FtraceWaits: c.ftraceWaits.Load()}
	for i := range k.Waits {
		k.Waits[i] = c.waits[i].Load()
	}
	return k
}
