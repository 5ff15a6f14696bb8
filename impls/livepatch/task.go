package livepatch

import (
	"fmt"
	"slices"
	"sync/atomic"
	"unsafe"

	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A State is the side of the transition that a task is on: KLP_TRANSITION_*.
type State int32

const (
	Idle      State = -1 // no transition is under way
	Unpatched State = 0  // the task calls what was there before the patch in transition
	Patched   State = 1  // the task calls that patch's functions
)

func (s State) String() string {
	return map[State]string{Idle: "idle", Unpatched: "unpatched", Patched: "patched"}[s]
}

// other is the other side.
func (s State) other() State { return 1 - s }

// MaxDepth is the largest number of functions that a task can be in at once.
const MaxDepth = 16

// A Task is one thread of execution that calls functions. Only that thread, its owner, calls
// its methods. While the task is blocked, the Core reads and changes it.
type Task struct {
	// frames are the addresses of the functions that the task is in, outermost first, for
	// a stack check. Written by assembler; read while the task is blocked.
	frames [MaxDepth]uintptr
	depth  int

	core *Core

	// patchState is the task's side, the kernel's task->patch_state. Written by the task
	// in Update, by the Core while the task is blocked, and by the Core when a transition
	// begins and ends; read by the handler.
	patchState atomic.Int32

	// pending is TIF_PATCH_PENDING.
	pending atomic.Bool

	// running is onCPU, blocked or checked. In the kernel the run queue's lock decides
	// whether another CPU may read the task's stack.
	running atomic.Uint32

	// preempt are the task's readers: of the Core's Domain and, if that does not wait for
	// idle readers, of ftrace's Domain too. In the kernel one section serves both. A
	// handler with two takes some nanoseconds more, which no variant's figures contain.
	preempt []*rcu.Reader
}

// Values of Task.running.
const (
	onCPU   = iota
	blocked // the task sleeps; the Core may begin to check its stack
	checked // the Core is checking its stack
)

// NewTask adds a task. It is in no function yet, so in a transition it is on the target side.
func (c *Core) NewTask() *Task {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &Task{core: c, preempt: []*rcu.Reader{c.rcu.Register()}}
	if c.ftrace != c.rcu {
		t.preempt = append(t.preempt, c.ftrace.Register())
	}
	t.patchState.Store(int32(Idle))
	if c.transition != nil {
		t.patchState.Store(c.target.Load())
	}
	c.tasks = append(c.tasks, t)
	return t
}

// Exit takes the task out of its Core.
func (t *Task) Exit() {
	t.atDepth0("exits")
	c := t.core
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tasks = slices.DeleteFunc(c.tasks, func(x *Task) bool { return x == t })
	for _, r := range t.preempt {
		r.Unregister()
	}
}

// Call calls the function, or what replaces it, n times with data; n > 0.
func (t *Task) Call(f *Function, data unsafe.Pointer, n int) {
	if t.depth >= MaxDepth {
		panic("livepatch: a task in too many functions at once")
	}
	enter(f.entry, t, data, n)
}

// Update is the task's own safe point, at which it switches sides if it is pending:
// klp_update_patch_state(current). The kernel calls it on the way back to user space and in the
// idle loop. The task must be in no function.
func (t *Task) Update() {
	t.atDepth0("updates its state")
	t.preemptDisable()
	step.At("livepatch: update begun")
	// The exchange orders the flag before the target, and before every later load of a
	// func's transition. Pairs with startTransition and reverse.
	if t.pending.Load() && t.pending.Swap(false) {
		target := t.core.target.Load()
		step.At("livepatch: target loaded")
		t.patchState.Store(target)
	}
	t.preemptEnable()
}

// Block begins a sleep of the task. Until Wake its stack does not change, and the Core may
// check the stack and make the task switch sides.
func (t *Task) Block() {
	// Pairs with trySwitch's exchange: if it finds blocked, it sees the frames.
	t.running.Store(blocked)
}

// Wake ends Block. It waits while the Core checks the stack.
func (t *Task) Wake() {
	for !t.running.CompareAndSwap(blocked, onCPU) {
		step.Wait("livepatch: wakes while its stack is checked")
	}
}

// EnterIdle models a CPU that RCU does not watch, until ExitIdle. The task may still call
// functions: code on the way into the idle loop and out of it is patched too.
func (t *Task) EnterIdle() {
	for _, r := range t.preempt {
		r.EnterIdle()
	}
}

// ExitIdle ends EnterIdle.
func (t *Task) ExitIdle() {
	for _, r := range t.preempt {
		r.ExitIdle()
	}
}

// State is the task's side.
func (t *Task) State() State { return State(t.patchState.Load()) }

// preemptDisable is preempt_disable_notrace.
func (t *Task) preemptDisable() {
	t.preempt[0].Lock()
	if len(t.preempt) > 1 {
		t.preempt[1].Lock()
	}
}

// preemptEnable is preempt_enable_notrace.
func (t *Task) preemptEnable() {
	if len(t.preempt) > 1 {
		t.preempt[1].Unlock()
	}
	t.preempt[0].Unlock()
}

func (t *Task) atDepth0(what string) {
	if t.depth > 0 {
		panic(fmt.Sprintf("livepatch: a task %s inside %d functions", what, t.depth))
	}
}
