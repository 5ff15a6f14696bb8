// The conformance tests are what every variant must do when nothing happens at the same time,
// through the exported interface alone. A variant is a way for a Core to wait during a transition.
// One goroutine plays all tasks, and enables and disables patches. After each operation everything
// is compared with a model: the error (K5), the functions that each task calls (K1), the tasks'
// sides (K2), which functions call the handler and what is allocated (K5), and that no handler
// warned or met poison (K2, K3), and how often a transition has waited at each of its three places: if
// less often, it would overlook a handler; if more often, benchmarks would count needless waits. A
// busted variant passes as well: it breaks only if a handler runs
// during a change, which is for replay_test.go and package torture.
package livepatch_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/livepatch"
	"github.com/tpbench/tpbench/impls/rcu"
)

// If this fails, a variant does not do what its caller wants even when nothing else happens at the
// same time; the case says what.
func TestConformance(t *testing.T) {
	for _, v := range livepatch.Variants() {
		t.Run(v.Name, func(t *testing.T) {
			judge.Need(t, v.Supported(), "livepatch", v.Name)
			judge.Run(t, cases, func(t *testing.T, test func(b *bench)) {
				b := newBench(t, v)
				defer b.close()
				defer judge.LogLast(t, &b.history)
				test(b)
			})
		})
	}
}

// cases may leave patches enabled, and transitions under way.
var cases = []judge.Case[func(b *bench)]{
	{
		Name:        "K1 K2: every transition, reversed everywhere",
		Explanation: "If a transition went wrong after some number of tasks had flipped, reversed or not, some tasks would be left on the wrong side.",
		Test:        everyTransition,
	},
	{
		Name:        "K1 K2 K3 K5: random operations",
		Explanation: "If the outcome depended on the history of a Core, or a call that returns an error had changed anything, tasks would call other functions than those of the enabled patches.",
		Test:        randomOperations,
	},
	{
		Name:        "K1: a task that sleeps in a function",
		Explanation: "If a task were flipped while it is in a function that its flip changes, it would run the old one and call functions of the new side; if it were not flipped in any other function, a transition would never end.",
		Test:        sleeper,
	},
	{
		Name:        "K2: tasks come and go in a transition",
		Explanation: "If a task that begins in a transition were on no side, its first call would be wrong; if a transition waited for a task that has ended, it would never end.",
		Test:        newcomers,
	},
	{
		Name:        "K4: a task that runs in a function",
		Explanation: "If Unpatch returned while a task is in the patch's function, the function would be freed under that task.",
		Test:        runner,
	},
	{
		Name:        "K5: errors",
		Explanation: "If a patch that replaces no function, or one function twice, were enabled, or a Core closed with a patch enabled, a handler would find no function to call.",
		Test:        mistakes,
	},
}

// A bench is a Core and the model of it. Its Domain starts a grace period only when it is asked to.
// The last of its first three tasks is always idle: RCU does not watch it.
type bench struct {
	*testing.T
	domain    *rcu.Domain
	core      *livepatch.Core
	functions []*livepatch.Function
	patches   []*livepatch.Patch
	tasks     []*livepatch.Task
	model     *model
	history   []string

	freedCalls uint64 // dispatch.FreedCalls at the beginning
}

const tasks = 3

func newBench(t *testing.T, v livepatch.Variant) *bench {
	t.Helper()
	b := &bench{T: t, domain: v.New(rcu.Options{Lazy: rcu.OnlyBarrier}), model: newModel(tasks), freedCalls: dispatch.FreedCalls()}
	all, err := livepatch.Functions()
	judge.Check(t, err)
	b.functions = all[:functions]
	b.core, err = livepatch.New(b.domain)
	judge.Check(t, err)
	for f, old := range b.functions {
		old.SetBody(goFunc(b, code{f, 0}))
	}
	for p := range patches {
		patch := &livepatch.Patch{Name: fmt.Sprint("patch", p)}
		for _, f := range b.model.covers[p] {
			patch.Replacements = append(patch.Replacements, livepatch.Replacement{Old: b.functions[f], New: goFunc(b, code{f, version(p + 1)})})
		}
		b.patches = append(b.patches, patch)
	}
	for range tasks {
		b.tasks = append(b.tasks, b.core.NewTask())
	}
	b.tasks[tasks-1].EnterIdle()
	return b
}

// goFunc returns what a function or a patch calls for the code.
func goFunc(tb testing.TB, c code) dispatch.Func {
	tb.Helper()
	fn, err := dispatch.GoFunc(codes[c])
	judge.Check(tb, err)
	return fn
}

// close ends the transition and disables all patches. No task is in a function.
func (b *bench) close() {
	b.Helper()
	if !b.Failed() {
		b.settle()
		for len(b.model.stack) > 0 {
			b.disable(b.model.stack[len(b.model.stack)-1])
			b.settle()
		}
		judge.Check(b, b.core.Close())
	}
	b.tasks[tasks-1].ExitIdle()
	for _, t := range b.tasks {
		t.Exit()
	}
	b.domain.Close()
	for _, f := range b.functions {
		f.SetBody(dispatch.Nop())
	}
}

// settle completes the transition that is under way.
func (b *bench) settle() {
	b.Helper()
	for i := range b.tasks {
		if b.model.tasks[i].blocked {
			b.wake(i)
		}
		b.update(i)
	}
	if !b.tryComplete() {
		b.Fatal("K1: all tasks have passed a safe point, and the transition does not complete")
	}
}

// Each method below does the same with the Core and with the model, and compares.

func (b *bench) enable(p int) { b.Helper(); b.enableFailing(p, -1, -1) }

func (b *bench) enableFailing(p, funcs, ops int) {
	b.Helper()
	b.core.FailAfter(funcs, ops)
	got := b.core.Enable(b.patches[p])
	b.core.FailAfter(-1, -1)
	b.compare(fmt.Sprintf("enable %d, memory for %d funcs and %d ops", p, funcs, ops), got, b.model.enable(p, funcs, ops))
}

func (b *bench) disable(p int) {
	b.Helper()
	b.compare(fmt.Sprint("disable ", p), b.core.Disable(b.patches[p]), b.model.disable(p))
}

func (b *bench) tryComplete() bool {
	b.Helper()
	got, want := b.core.TryComplete(), b.model.tryComplete()
	if got != want {
		b.Fatalf("K1: TryComplete: %v, want %v", got, want)
	}
	b.compare("try to complete", nil, nil)
	return got
}

func (b *bench) update(task int) {
	b.Helper()
	b.tasks[task].Update()
	b.model.update(b.model.tasks[task])
	b.compare(fmt.Sprintf("task %d updates", task), nil, nil)
}

func (b *bench) block(task int) {
	b.Helper()
	b.tasks[task].Block()
	b.model.tasks[task].blocked = true
	b.compare(fmt.Sprintf("task %d blocks", task), nil, nil)
}

func (b *bench) wake(task int) {
	b.Helper()
	b.tasks[task].Wake()
	b.model.tasks[task].blocked = false
	b.compare(fmt.Sprintf("task %d wakes", task), nil, nil)
}

// call has the task call the function. do is what the function does, or nil.
func (b *bench) call(task, f int, do func()) {
	b.Helper()
	m := b.model.tasks[task]
	want := code{f, b.model.calls(m, f)}
	inside := do
	if do != nil {
		inside = func() {
			m.frames = append(m.frames, want)
			b.history = append(b.history, fmt.Sprintf("task %d is in %v", task, want))
			do()
			m.frames = m.frames[:len(m.frames)-1]
		}
	}
	if ran := call(b.tasks[task], b.functions[f], inside); ran != want {
		b.Fatalf("K1: task %d called version %d of function %d, want %d", task, ran.version, f, want.version)
	}
}

// compare compares the error of an operation with the model's, and then everything else.
func (b *bench) compare(what string, got, want error) {
	b.Helper()
	b.history = append(b.history, fmt.Sprintf("%s: %v", what, want))
	if !errors.Is(got, want) || want == nil && got != nil {
		b.Fatalf("K5: %s: error %v, want %v", what, got, want)
	}
	m := b.model
	for i, t := range b.tasks {
		if t.State() != m.tasks[i].state {
			b.Fatalf("K2: task %d is %v, want %v", i, t.State(), m.tasks[i].state)
		}
		if m.tasks[i].blocked || len(m.tasks[i].frames) == livepatch.MaxDepth {
			continue
		}
		for f := range b.functions {
			b.call(i, f, nil)
		}
	}
	for f, old := range b.functions {
		if want := m.newest(f, len(m.stack)) > 0; old.Patched() != want {
			b.Fatalf("K5: function %d calls the handler: %v, want %v", f, old.Patched(), want)
		}
	}
	if got, want := b.core.InUse(), m.inUse(); got != want {
		b.Fatalf("K5: %d funcs and ops in use, want %d", got, want)
	}
	counted := b.core.Counters()
	if counted != m.counters {
		b.Fatalf("%s: %+v, want %+v", what, counted, m.counters)
	}
	waits := counted.Waits[0] + counted.Waits[1] + counted.Waits[2]
	if b.domain.WatchesIdle() { // then ftrace waits by it too
		waits += counted.FtraceWaits
	}
	if got := b.domain.Counters().Waited; got != waits {
		b.Fatalf("%s: the domain was waited for %d times, want %d", what, got, waits)
	}
	if w := b.core.Warnings(); w != nil {
		b.Fatalf("K2 or K3: %v", w)
	}
	if n := dispatch.FreedCalls() - b.freedCalls; n > 0 {
		b.Fatalf("K3: %d freed funcs were called", n)
	}
}
