package livepatch

import (
	"fmt"
	"slices"
	"sync/atomic"
	"unsafe"

	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A State is KLP_TRANSITION_*: on which side of the transition a task is.
type State int32

const (
	Idle      State = -1 // no transition is under way
	Unpatched State = 0  // the task calls what was there before the patch in transition
	Patched   State = 1  // it calls that patch's functions
)

func (s State) String() string {
	return map[State]string{Idle: "idle", Unpatched: "unpatched", Patched: "patched"}[s]
}

// other is the other side.
func (s State) other() State { return 1 - s }

// MaxDepth is how many functions a task can be in at once.
const MaxDepth = 16

// A Task is one thread of execution that calls functions. Only its owner calls its
// methods; the Core looks at it and, while it is blocked, changes it.
type Task struct {
	// frames are the functions that the task is in, outermost first, as addresses:
	// its stack, for a stack check. Written by assembler; read while it is blocked.
	frames [MaxDepth]uintptr
	depth  int

	core *Core

	// patchState is the kernel's task->patch_state. Written by the task itself in
	// Update, by the Core while the task is blocked, and by the Core when a
	// transition begins and ends; read by the handler.
	patchState atomic.Int32

	// pending is TIF_PATCH_PENDING.
	pending atomic.Bool

	// running is what the run queue's lock is for in the kernel: who may look at the
	// task's stack.
	running atomic.Uint32

	// preempt are the task's sections, of the Core's Domain and, where that one
	// overlooks idle readers, of ftrace's as well. In the kernel both are one: a
	// handler that pays for two costs some nanoseconds more, which are no variant's
	// figure.
	preempt []*rcu.Reader
}

// Values of Task.running.
const (
	onCPU   = iota
	blocked // the owner has stopped; anybody may begin to look
	looked  // the Core is looking
)

// NewTask adds a task, which in a transition is on its target side, for it is in no
// function yet.
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

// Exit takes the task out.
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

// Call calls the function n times, n > 0. The function, or what replaces it, gets data.
func (t *Task) Call(f *Function, data unsafe.Pointer, n int) {
	if t.depth >= MaxDepth {
		panic("livepatch: a task in too many functions at once")
	}
	enter(f.entry, t, data, n)
}

// Update is klp_update_patch_state(current): the task's own safe point, where the kernel
// returns to user space, and where an idle CPU goes round its loop. The task is in no
// function there.
func (t *Task) Update() {
	t.atDepth0("updates its state")
	t.preemptDisable()
	step.At("livepatch: update begun")
	// The exchange orders the flag before the target and before any later load of a
	// func's transition; pairs with startTransition and reverse.
	if t.pending.Load() && t.pending.Swap(false) {
		target := t.core.target.Load()
		step.At("livepatch: target loaded")
		t.patchState.Store(target)
	}
	t.preemptEnable()
}

// Block says that the task sleeps: until Wake its stack stands still, and the Core may
// check it and flip the task.
func (t *Task) Block() {
	// Pairs with check's exchange: who sees blocked sees the frames.
	t.running.Store(blocked)
}

// Wake ends Block. It waits for a check under way.
func (t *Task) Wake() {
	for !t.running.CompareAndSwap(blocked, onCPU) {
		step.Wait("livepatch: wakes while its stack is checked")
	}
}

// EnterIdle says that from now on RCU does not watch the task, until ExitIdle. It may go
// on to call functions: code on the way into idle, or out of it, is patched like any
// other.
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

// State is the task's side, for tests and oracles.
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
