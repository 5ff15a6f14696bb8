package livepatch

import (
	"sync/atomic"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/slab"
	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// klpFunc is a func, the kernel's struct klp_func. It lies in a slab: a handler that still
// holds a freed one finds poison.
type klpFunc struct {
	old     *Function
	newFunc uintptr

	// next is the func below on the stack, or nil for the original. Funcs leave the
	// stack only from the top, so next is written once, before the func is published.
	next *klpFunc

	// transition: tasks' sides decide. Written under Core.mu, read by handlers.
	transition atomic.Bool
}

// ops is the kernel's struct klp_ops: the stack of funcs of an old function that is patched.
// It lies in a slab.
type ops struct {
	// funcStack is the newest func. Written under Core.mu, read by handlers.
	funcStack atomic.Pointer[klpFunc]
}

// poison is the content of a freed func, and of the stack of a freed ops: a func, not in
// transition, whose function counts its calls (dispatch.FreedCalls).
func poison() []klpFunc {
	f := make([]klpFunc, 1)
	f[0].newFunc, f[0].next = dispatch.Poison().Fn, &f[0]
	return f
}

// newSlabs makes the slabs from which funcs and ops are allocated.
func newSlabs() (*slab.Slab[klpFunc], *slab.Slab[ops]) {
	o := make([]ops, 1)
	o[0].funcStack.Store(&poison()[0])
	return slab.New(poison()...), slab.New(o...)
}

// handler is klp_ftrace_handler. The ftrace entries call it, and the call continues at the
// address that it returns. ip is the body of f.
//
//	CPU0, updater                        CPU1, handler
//	                                     enter: disable preemption
//	                                     load:  top = ops.func_stack
//	                                        rmb
//	sides: all = initial                 test:  top.transition
//	   wmb                                  rmb
//	mark:  transition = true             side:  patch_state
//	   wmb                               leave: enable preemption; jump
//	push:  func_stack = new
//
// A handler whose load sees push sees mark in its test. One whose test sees mark sees sides:
// x86 loads in order, and Go's atomics order even more.
func handler(ip uintptr, t *Task, f *Function) uintptr {
	step.At("livepatch: handler entered")
	t.preemptDisable() // enter; pairs with the grace periods of synchronize and unpatchFunc
	// The ops are looked up inside the section, as ftrace's list function does. A task that
	// is delayed between the CALL and here finds none if the function has been unpatched
	// meanwhile. (The kernel's trampoline carries the ops, and synchronize_rcu_tasks waits
	// for such tasks.)
	o := f.ops.Load() // pairs with patchFunc's and unpatchFunc's stores
	if o == nil {
		t.preemptEnable()
		return ip
	}
	step.At("livepatch: ops held")
	top := o.funcStack.Load() // load; pairs with patchFunc's list_add_rcu
	step.At("livepatch: func held")
	if top == nil {
		t.core.warn(WarnEmpty)
		t.preemptEnable()
		return ip
	}
	if top.transition.Load() { // test; pairs with initTransition's mark
		step.At("livepatch: in transition")
		switch State(t.patchState.Load()) { // side; pairs with initTransition's sides
		case Idle:
			t.core.warn(WarnIdle)
		case Unpatched:
			if top = top.next; top == nil {
				t.preemptEnable()
				return ip
			}
		}
	}
	ip = top.newFunc
	t.preemptEnable() // leave
	return ip
}

// patchFunc is klp_patch_func. mu must be held.
func (c *Core) patchFunc(f *klpFunc) error {
	if o := f.old.ops.Load(); o != nil {
		f.next = o.funcStack.Load()
		o.funcStack.Store(f) // push, list_add_rcu; pairs with the handler's load
		return nil
	}
	slot, err := c.ops.Alloc()
	if err != nil {
		return err
	}
	f.next = nil
	slot[0].funcStack.Store(f)
	f.old.slot = slot
	f.old.ops.Store(&slot[0])
	f.old.ftrace(text.handler) // register_ftrace_function; handlers find a stack with a func
	return nil
}

// unpatchFunc is klp_unpatch_func. The func is the top of its stack. mu must be held.
func (c *Core) unpatchFunc(f *klpFunc) {
	o := f.old.ops.Load()
	if f.next != nil {
		o.funcStack.Store(f.next) // list_del_rcu
		return
	}
	// unregister_ftrace_function, with its own wait: otherwise a handler that holds the ops
	// could find the stack empty.
	f.old.ftrace(textpoke.Nop)
	f.old.ops.Store(nil)
	c.ftrace.Synchronize()
	c.ftraceWaits.Add(1)
	o.funcStack.Store(nil) // list_del_rcu
	c.ops.Free(f.old.slot)
	f.old.slot = nil
}
