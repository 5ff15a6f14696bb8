package livepatch

import (
	"sync/atomic"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/slab"
	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/textpoke"
)

// klpFunc is the kernel's struct klp_func: what a patch replaces one function by. It lies
// in a slab: who still holds a freed one finds poison.
type klpFunc struct {
	old     *Function
	newFunc uintptr

	// next is the func below on the stack, or nil for the original. Funcs leave the
	// stack from the top only, so it is written once, before the func is published.
	next *klpFunc

	// transition says that tasks' states decide. Written under Core.mu, read by
	// handlers.
	transition atomic.Bool
}

// ops is the kernel's struct klp_ops: the stack of an old function that is patched. It
// lies in a slab.
type ops struct {
	// funcStack is the newest func. Written under Core.mu, read by handlers.
	funcStack atomic.Pointer[klpFunc]
}

// buried is what a freed ops leads to, and what a freed func is: a function that counts
// (dispatch.FreedCalls), in no transition.
func buried() []klpFunc {
	f := make([]klpFunc, 1)
	f[0].newFunc, f[0].next = dispatch.Poison().Fn, &f[0]
	return f
}

// newSlabs makes what funcs and ops are allocated from.
func newSlabs() (*slab.Slab[klpFunc], *slab.Slab[ops]) {
	o := make([]ops, 1)
	o[0].funcStack.Store(&buried()[0])
	return slab.New(buried()...), slab.New(o...)
}

// handler is klp_ftrace_handler: it returns where the call goes on. Sites call it. ip is
// the body of f.
//
//	CPU0, updater                        CPU1, handler
//	                                     H1 preempt off
//	                                     H2 top = ops.func_stack
//	                                        rmb
//	W1 all states = initial              H3 top.transition?
//	   wmb                                  rmb
//	W2 transition = true                 H4 patch_state
//	   wmb                               H5 preempt on, jump
//	W3 func_stack = new
//
// Who sees W3 sees W2, and who sees W2 sees W1: x86 loads in order, and Go's atomics are
// stronger still.
func handler(ip uintptr, t *Task, f *Function) uintptr {
	step.At("livepatch: handler entered")
	t.preemptDisable() // H1
	// The ops, looked up inside the section, as ftrace's list function does it. A
	// task that was held up between the CALL and here finds none when meanwhile the
	// function has been unpatched; the kernel's trampoline carries them, and
	// synchronize_rcu_tasks waits for such tasks.
	o := f.ops.Load()
	if o == nil {
		t.preemptEnable()
		return ip
	}
	step.At("livepatch: ops held")
	top := o.funcStack.Load() // H2; pairs with patchFunc's list_add_rcu
	step.At("livepatch: func held")
	if top == nil {
		t.core.warn(WarnEmpty)
		t.preemptEnable()
		return ip
	}
	if top.transition.Load() { // H3
		step.At("livepatch: in transition")
		switch State(t.patchState.Load()) { // H4; pairs with init's
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
	t.preemptEnable() // H5
	return ip
}

// patchFunc is klp_patch_func. mu must be held.
func (c *Core) patchFunc(f *klpFunc) error {
	if o := f.old.ops.Load(); o != nil {
		f.next = o.funcStack.Load()
		o.funcStack.Store(f) // list_add_rcu, W3; pairs with H2
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
	f.old.ftrace(text.handler) // register_ftrace_function: the stack is not empty any more
	return nil
}

// unpatchFunc is klp_unpatch_func. The func is the top of its stack. mu must be held.
func (c *Core) unpatchFunc(f *klpFunc) {
	o := f.old.ops.Load()
	if f.next != nil {
		o.funcStack.Store(f.next) // list_del_rcu
		return
	}
	// unregister_ftrace_function, with its own wait: handlers that hold the ops do not
	// find their stack empty.
	f.old.ftrace(textpoke.Nop)
	f.old.ops.Store(nil)
	c.ftrace.Synchronize()
	c.ftraceWaits.Add(1)
	o.funcStack.Store(nil) // list_del_rcu
	c.ops.Free(f.old.slot)
	f.old.slot = nil
}
