package livepatchtest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/livepatch"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A testCase is one promise, with what it would mean if it were broken.
type testCase struct {
	name        string
	explanation string
	test        func(b *bench)
}

// Run runs all cases against a variant.
func Run(t *testing.T, v livepatch.Variant) {
	judge.Need(t, v.Supported(), "livepatch", v.Name)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, v)
			defer b.close()
			defer func() {
				if t.Failed() {
					t.Logf("%s It had done: %q", c.explanation, b.history[max(0, len(b.history)-12):])
				}
			}()
			c.test(b)
		})
	}
}

// cases may leave patches enabled, and transitions under way.
var cases = []testCase{
	{
		"K1 K2: every transition, reversed at every place",
		"If a transition went wrong for some number of tasks that had flipped before it was reversed, or never was, a system would be left with some tasks on the wrong side.",
		everyTransition,
	},
	{
		"K1 K2 K3 K5: random operations",
		"If the outcome depended on how a Core came to its patches, some history would make tasks call others than were asked for.",
		randomOperations,
	},
	{
		"K1: a task that sleeps in a function",
		"If a task were flipped while it is in a function that its flip changes, it would go on in the old one and call the new one's callees; if it were not flipped in any other, a transition would never end.",
		sleeper,
	},
	{
		"K2: tasks come and go in a transition",
		"If a task that begins in a transition were on no side, its first call would find it so; if one that has left were still waited for, a transition would never end.",
		newcomers,
	},
	{
		"K4: a task that runs in a function",
		"If Unpatch returned while a task is in the patch's function, whoever unloads it would unload it under that task.",
		runner,
	},
	{
		"K5: refusals",
		"If a request that cannot be granted were granted in part, or an error left something behind, the next patch would find it.",
		refusals,
	},
	{
		"K5: allocations that fail",
		"If Enable noticed only half-way that there is no memory, it would leave functions patched that no patch owns.",
		failures,
	},
	{
		"the three waits, counted",
		"If a transition waited less often than its three places say, some handler would be overlooked; if more often, benchmarks would count what nobody needs.",
		counted,
	},
}

// A bench is a Core with a Domain that starts no grace period that nobody asked for, and
// some tasks, of which the last is always in idle.
type bench struct {
	*testing.T
	domain    *rcu.Domain
	core      *livepatch.Core
	functions []*livepatch.Function
	patches   []*livepatch.Patch
	tasks     []*livepatch.Task
	model     *model
	history   []string

	freedCalls uint64 // dispatch.FreedCalls before
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
		old.SetBody(b.code(f, 0))
	}
	for p := range patches {
		patch := &livepatch.Patch{Name: fmt.Sprint("patch", p)}
		for _, f := range b.model.covers[p] {
			patch.Replacements = append(patch.Replacements, livepatch.Replacement{Old: b.functions[f], New: b.code(f, version(p+1))})
		}
		b.patches = append(b.patches, patch)
	}
	for range tasks {
		b.tasks = append(b.tasks, b.core.NewTask())
	}
	b.tasks[tasks-1].EnterIdle()
	return b
}

func (b *bench) code(f int, v version) dispatch.Func {
	b.Helper()
	fn, err := dispatch.GoFunc(codes[f][v])
	judge.Check(b, err)
	return fn
}

// close ends transitions and takes all patches away. No task is in a function.
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

// settle brings the transition under way to its end.
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

// What follows does the same with the Core and with the model, and compares.

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

// call has the task call the function, which does something.
func (b *bench) call(task, f int, do func()) {
	b.Helper()
	m := b.model.tasks[task]
	want := code{f, b.model.calls(m, f)}
	e := &errand{ran: code{-1, -1}}
	if do != nil {
		e.do = func() {
			m.frames = append(m.frames, want)
			b.history = append(b.history, fmt.Sprintf("task %d is in %v", task, want))
			do()
			m.frames = m.frames[:len(m.frames)-1]
		}
	}
	call(b.tasks[task], b.functions[f], e)
	if e.ran != want {
		b.Fatalf("K1: task %d called version %d of function %d, want %d", task, e.ran.version, f, want.version)
	}
}

// compare compares the outcome of an operation with the model's, and then everything.
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
		if want := m.below(f, len(m.stack)) > 0; old.Patched() != want {
			b.Fatalf("K5: function %d calls the handler: %v, want %v", f, old.Patched(), want)
		}
	}
	if got, want := b.core.InUse(), m.inUse(); got != want {
		b.Fatalf("K5: %d funcs and ops in use, want %d", got, want)
	}
	if w := b.core.Warnings(); w != nil {
		b.Fatalf("K2 or K3: %v", w)
	}
	if n := dispatch.FreedCalls() - b.freedCalls; n > 0 {
		b.Fatalf("K3: %d freed funcs were called", n)
	}
}
