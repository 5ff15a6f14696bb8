package livepatch

import (
	"runtime"
	"slices"

	"github.com/tpbench/tpbench/impls/internal/step"
)

// A waitPlace is one of the three waits of the package doc.
type waitPlace int

const (
	// (a): after the funcs have left their stacks, before transition = false.
	afterRemoval waitPlace = iota
	// (b): after transition = false, before the tasks become idle.
	beforeIdle
	// (c): after pending was cleared, before the target changes.
	beforeReversal
	waitPlaces
)

// synchronize is klp_synchronize_transition.
func (c *Core) synchronize(p waitPlace) {
	c.rcu.Synchronize()
	c.waits[p].Add(1)
}

// initTransition is klp_init_transition. It sets the tasks' sides and marks the funcs, while no
// task is pending. mu must be held.
func (c *Core) initTransition(p *Patch, target State) {
	c.transition = p
	c.target.Store(int32(target))
	for _, t := range c.tasks {
		if t.State() != Idle {
			c.warn(WarnNotIdle)
		}
		t.patchState.Store(int32(target.other())) // sides
	}
	// smp_wmb: a handler that finds a func in transition finds its task's side; pairs with
	// the handler's test and side. A task that finds itself pending finds the target; pairs
	// with Update.
	for i := range p.funcs {
		p.funcs[i][0].transition.Store(true) // mark
	}
	step.At("livepatch: transition initialised")
}

// startTransition is klp_start_transition: the tasks become pending. mu must be held.
func (c *Core) startTransition() {
	for _, t := range c.tasks {
		if t.State() != c.targetState() {
			t.pending.Store(true)
		}
	}
}

func (c *Core) targetState() State { return State(c.target.Load()) }

// TryComplete is klp_try_complete_transition. It makes blocked tasks switch sides where it can,
// and completes the transition if all tasks have. It reports whether no transition is under
// way any more.
func (c *Core) TryComplete() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.transition == nil {
		return true
	}
	all := true
	for _, t := range c.tasks {
		all = c.trySwitch(t) && all
	}
	if all {
		c.complete()
	}
	return all
}

// trySwitch is klp_try_switch_task: it makes a blocked task switch sides if its stack allows
// that. It reports whether the task is on the target side.
func (c *Core) trySwitch(t *Task) bool {
	if t.State() == c.targetState() {
		return true
	}
	// Pairs with Block and Wake: the task cannot run while its stack is checked.
	if !t.running.CompareAndSwap(blocked, checked) {
		return false
	}
	defer t.running.Store(blocked)
	step.At("livepatch: stack checked")
	if c.onStack(t) {
		return false
	}
	t.pending.Store(false)
	t.patchState.Store(int32(c.targetState()))
	return true
}

// onStack is klp_check_stack: it reports whether the task is in a function that tasks on the
// target side do not call. When patching, these are the functions that the patch replaces; when
// unpatching, the patch's own.
func (c *Core) onStack(t *Task) bool {
	return slices.ContainsFunc(t.frames[:t.depth], func(pc uintptr) bool {
		return slices.ContainsFunc(c.transition.funcs, func(slot []klpFunc) bool {
			f := &slot[0]
			switch {
			case c.targetState() == Unpatched:
				return f.newFunc == pc
			case f.next != nil:
				return f.next.newFunc == pc
			}
			return f.old.body == pc
		})
	})
}

// complete is klp_complete_transition: all tasks have switched sides. mu must be held.
func (c *Core) complete() {
	p, target := c.transition, c.targetState()
	if target == Unpatched {
		for i := range p.funcs {
			c.unpatchFunc(&p.funcs[i][0])
		}
		step.At("livepatch: funcs removed")
		// Handlers may still hold these funcs. If they found transition cleared, they
		// would choose them.
		c.synchronize(afterRemoval)
	}
	for i := range p.funcs {
		p.funcs[i][0].transition.Store(false)
	}
	step.At("livepatch: transition over")
	if target == Patched {
		// Handlers may have found the func in transition. They look at their task's side
		// next.
		c.synchronize(beforeIdle)
	}
	for _, t := range c.tasks {
		if t.pending.Load() {
			c.warn(WarnPending)
		}
		t.patchState.Store(int32(Idle))
	}
	c.target.Store(int32(Idle))
	c.transition = nil
	if target == Unpatched {
		c.patches = slices.DeleteFunc(c.patches, func(x *Patch) bool { return x == p })
		c.free(p)
	}
}

// reverse is klp_reverse_transition: tasks that have switched sides must switch back. mu must
// be held.
func (c *Core) reverse() {
	for _, t := range c.tasks {
		t.pending.Store(false)
	}
	step.At("livepatch: pending cleared for all")
	// A task may have found itself pending earlier, and may be about to store the old
	// target.
	c.synchronize(beforeReversal)
	c.transition.enabled = !c.transition.enabled
	c.target.Store(int32(c.targetState().other()))
	c.startTransition()
}

// cancel is klp_cancel_transition: the first n funcs are on their stacks, and the next one
// could not be put there. No task has been pending, so all are on the unpatched side. mu must
// be held.
func (c *Core) cancel(n int) {
	p := c.transition
	for _, slot := range p.funcs[n:] {
		c.funcs.Free(slot)
	}
	p.funcs = p.funcs[:n]
	p.enabled = false
	c.target.Store(int32(Unpatched))
	c.complete()
}

// Patch is Enable and the whole transition. It returns when all tasks have switched sides: they
// must reach safe points meanwhile.
func (c *Core) Patch(p *Patch) error { return c.finish(c.Enable(p)) }

// Unpatch is Disable and the whole transition. When it returns, no task is in the patch's
// functions, and none calls them any more.
func (c *Core) Unpatch(p *Patch) error { return c.finish(c.Disable(p)) }

func (c *Core) finish(err error) error {
	if err != nil {
		return err
	}
	for !c.TryComplete() {
		step.Wait("livepatch: waits for tasks")
		runtime.Gosched()
	}
	return nil
}
