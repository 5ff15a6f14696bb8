package benches

import (
	"errors"
	"fmt"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/livepatch"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/textpoke"
)

var (
	livepatchImpls = variantAxis(livepatch.Variants())
	checkLivepatch = checkVariant(livepatch.Variants)
)

var livepatchBench = Benchmark{
	Names:    []string{"Livepatch"},
	Doc:      "calling a function that does nothing, by the number of patches on it (0: a NOP at its entry); also while the last one is in transition",
	axes:     []axis{livepatchImpls, numbers("stack", nil, 0, 1, 2, 4), axisOf("transition", "no", "yes")},
	fits:     func(k keys) bool { return k.num("stack") > 0 || k["transition"] == "no" },
	hardware: wholly,
	check:    checkLivepatch,
	open: func(k keys, e *harness.Env) (*harness.Op, error) {
		b, err := newKlpSetup(k, e)
		if err != nil {
			return nil, err
		}
		t := b.core.NewTask()
		b.tasks = append(b.tasks, t)
		t.Block()
		for i := range k.num("stack") {
			must(b.core.Enable(b.push()))
			if k["transition"] == "yes" && i == k.num("stack")-1 {
				break // the task calls the replacement below it
			}
			must(b.complete())
		}
		t.Wake()
		return &harness.Op{
			Run: func(n int, timer harness.Timer) {
				timer.Start(0)
				t.Call(b.f, nil, n)
				timer.Stop()
			},
			Close: func() {
				t.Block()
				must(b.complete())
				b.close()
			},
		}, nil
	},
}

var transitionBench = Benchmark{
	Names: []string{"LivepatchTransition"},
	Doc:   "patching one function, unpatching it, or reversing the change before it is complete, alone and on another patch, with tasks that sleep and one that runs",
	Roles: []string{"function-transition"},
	axes: []axis{
		livepatchImpls, axisOf("change", "patch", "unpatch", "reverse"),
		numbers("stack", nil, 0, 1), numbers("tasks", nil, 1, 16, 256), readersAxis(0, 1),
	},
	fits:  func(k keys) bool { return k.num("tasks")+k.num("readers") > 0 },
	check: checkLivepatch,
	ops:   always(transitionsPerSample),
	open:  openTransition,
}

// openTransition times one kind of change; the change back is not timed. Tasks sleep, so
// that the thread that completes the transition checks their stacks; readers call the
// function and pass a safe point after every 256 calls.
func openTransition(k keys, e *harness.Env) (*harness.Op, error) {
	b, err := newKlpSetup(k, e)
	if err != nil {
		return nil, err
	}
	for range k.num("tasks") {
		t := b.core.NewTask()
		t.Block()
		b.tasks = append(b.tasks, t)
	}
	for range k.num("stack") {
		must(b.core.Patch(b.push()))
	}
	if err := k.beside(e, b.runner); err != nil {
		return nil, err
	}
	apply, timed := b.core.Patch, 1 // what is timed is the second of two steps, unless it is patching
	switch k["change"] {
	case "patch":
		timed = 0
	case "reverse":
		apply = b.core.Enable
	}
	steps := []func(*livepatch.Patch) error{apply, b.core.Unpatch}
	return &harness.Op{
		Run: func(n int, t harness.Timer) {
			p := b.push()
			for range n {
				for i, step := range steps {
					if i == timed {
						t.Start(0)
					}
					err := step(p)
					if i == timed {
						t.Stop()
					}
					must(err)
				}
			}
			b.patches = b.patches[:len(b.patches)-1]
		},
		Counts: func() []harness.Count {
			c := b.core.Counters()
			return []harness.Count{
				{Unit: "gp-waits", N: c.Waits[0] + c.Waits[1] + c.Waits[2]},
				{Unit: "ftrace-waits", N: c.FtraceWaits},
				{Unit: "core-syncs", N: textpoke.Totals().Syncs},
			}
		},
		Close: b.close,
	}, nil
}

// A klpSetup is a Core, one function with patches on it, and tasks that sleep.
type klpSetup struct {
	env     *harness.Env
	domain  *rcu.Domain
	core    *livepatch.Core
	f       *livepatch.Function
	patches []*livepatch.Patch
	tasks   []*livepatch.Task
}

func newKlpSetup(k keys, e *harness.Env) (*klpSetup, error) {
	all, err := livepatch.Functions()
	if err != nil {
		return nil, err
	}
	b := &klpSetup{env: e, domain: find(livepatch.Variants(), k["impl"]).New(rcu.Options{}), f: all[0]}
	b.core, err = livepatch.New(b.domain)
	return b, err
}

// push makes a patch for the top of the stack.
func (b *klpSetup) push() *livepatch.Patch {
	p := &livepatch.Patch{
		Name:         fmt.Sprint("patch", len(b.patches)),
		Replacements: []livepatch.Replacement{{Old: b.f, New: dispatch.Nop()}},
	}
	b.patches = append(b.patches, p)
	return p
}

// complete ends the transition under way. All tasks sleep.
func (b *klpSetup) complete() error {
	if !b.core.TryComplete() {
		return errors.New("a transition whose tasks all sleep does not complete")
	}
	return nil
}

// runner is the thread beside: a task that runs.
func (b *klpSetup) runner() (pass, end func(), err error) {
	t := b.core.NewTask()
	return func() {
		t.Call(b.f, nil, 256)
		t.Update()
	}, t.Exit, nil
}

// close leaves the function as the next setup expects it: unpatched. All tasks sleep.
func (b *klpSetup) close() {
	b.env.Stop()
	for n := len(b.patches); n > 0; n-- {
		must(b.core.Unpatch(b.patches[n-1]))
	}
	for _, t := range b.tasks {
		t.Wake()
		t.Exit()
	}
	must(b.core.Close())
	b.domain.Close()
}
