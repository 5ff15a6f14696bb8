package livepatch

import (
	"runtime"
	"slices"

	"github.com/tpbench/tpbench/impls/internal/step"
)

// A place is where a transition waits for handlers, and for Updates.
type place int

const (
	// unpatched: after the funcs have left their stacks, before transition = false.
	unpatched place = iota
	// patched: after transition = false, before the tasks' states are idle.
	patched
	// reverse: after TIF_PATCH_PENDING was cleared, before the target changes.
	reverse
	places
)

// synchronize is klp_synchronize_transition.
func (c *Core) synchronize(p place) {
	c.rcu.Synchronize()
	c.waits[p].Add(1)
}

// initTransition is klp_init_transition: everything is made ready while no task is
// pending. mu must be held.
func (c *Core) initTransition(p *Patch, target State) {
	c.transition = p
	c.target.Store(int32(target))
	for _, t := range c.tasks {
		if t.State() != Idle {
			c.warn(WarnNotIdle)
		}
		t.patchState.Store(int32(target.other())) // W1
	}
	// smp_wmb: whoever sees a func in transition sees its task's state; pairs with H3,
	// H4. And whoever sees himself pending sees the target; pairs with Update.
	for i := range p.funcs {
		p.funcs[i][0].transition.Store(true) // W2
	}
	step.At("livepatch: transition initialised")
}

// startTransition is klp_start_transition: tasks are told to flip. mu must be held.
func (c *Core) startTransition() {
	for _, t := range c.tasks {
		if t.State() != c.targetState() {
			t.pending.Store(true)
		}
	}
}

func (c *Core) targetState() State { return State(c.target.Load()) }

// TryComplete is klp_try_complete_transition: it flips the tasks that it can, and, if all
// have flipped, completes the transition. It reports whether none is under way any
// more.
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

// trySwitch is klp_try_switch_task. It reports whether the task is on the target side.
func (c *Core) trySwitch(t *Task) bool {
	if t.State() == c.targetState() {
		return true
	}
	// Pairs with Block and Wake: the task stands still while it is looked at.
	if !t.running.CompareAndSwap(blocked, looked) {
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

// onStack is klp_check_stack: whether the task is in a function that those on the target
// side do not call. When patching that is what the patch's funcs replace, when
// unpatching, the funcs.
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

// complete is klp_complete_transition: all tasks have flipped. mu must be held.
func (c *Core) complete() {
	p, target := c.transition, c.targetState()
	if target == Unpatched {
		for i := range p.funcs {
			c.unpatchFunc(&p.funcs[i][0])
		}
		step.At("livepatch: funcs removed")
		// Handlers may still hold these funcs. With transition cleared they
		// would choose them.
		c.synchronize(unpatched)
	}
	for i := range p.funcs {
		p.funcs[i][0].transition.Store(false)
	}
	step.At("livepatch: transition over")
	if target == Patched {
		// Handlers may still hold that the func is in transition. Then they look
		// at their task's state.
		c.synchronize(patched)
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

// reverse is klp_reverse_transition: tasks that have flipped are to flip back. mu must be
// held.
func (c *Core) reverse() {
	for _, t := range c.tasks {
		t.pending.Store(false)
	}
	step.At("livepatch: pending cleared for all")
	// A task may have found itself pending before, and be about to store the old
	// target.
	c.synchronize(reverse)
	c.transition.enabled = !c.transition.enabled
	c.target.Store(int32(c.targetState().other()))
	c.startTransition()
}

// cancel is klp_cancel_transition: the first n funcs have been patched, the next could
// not be. No task has been told to flip, so all are on the unpatched side. mu must be
// held.
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

// Patch is Enable, and the transition to its end. It returns when all tasks have flipped:
// they must come to safe points meanwhile.
func (c *Core) Patch(p *Patch) error { return c.finish(c.Enable(p)) }

// Unpatch is Disable, and the transition to its end. When it returns, no task is in the
// patch's functions or will call them.
func (c *Core) Unpatch(p *Patch) error { return c.finish(c.Disable(p)) }

func (c *Core) finish(err error) error {
	if err != nil {
		return err
	}
	for !c.TryComplete() {
		step.Wait("livepatch: tasks flip")
		runtime.Gosched()
	}
	return nil
}
