package livepatch_test

import (
	"runtime"
	"slices"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/livepatch"
)

// everyTransition enables all patches one after another, and then disables them. Each transition is
// first reversed after none of the tasks has flipped, after one has, and so on; then it completes.
// Tasks flip in Update, or while they are blocked.
func everyTransition(b *bench) {
	change := func(do, undo func(int), p int) {
		for flipped := range tasks + 1 {
			for _, asleep := range []bool{false, true} {
				do(p)
				for i := range flipped {
					if asleep {
						b.block(i)
					} else {
						b.update(i)
					}
				}
				if flipped == tasks && b.tryComplete() {
					b.settle() // it completed, and is undone by another transition
				} else {
					b.tryComplete()
				}
				undo(p)
				b.settle()
			}
		}
		do(p)
		b.settle()
	}
	for p := range patches {
		change(b.enable, b.disable, p)
	}
	for p := patches - 1; p >= 0; p-- {
		change(b.disable, b.enable, p)
	}
}

// randomOperations does random operations, at any depth of nested functions.
func randomOperations(b *bench) {
	rnd := judge.Rand(b)
	left := 10000
	var some func(self, depth int)
	some = func(self, depth int) {
		for range 1 + rnd.IntN(8) {
			left--
			p, task, f := rnd.IntN(patches), rnd.IntN(tasks), rnd.IntN(functions)
			m := b.model.tasks[task]
			switch rnd.IntN(9) {
			case 0:
				b.enable(p)
			case 1:
				b.enableFailing(p, rnd.IntN(5)-1, rnd.IntN(4)-1)
			case 2:
				b.disable(p)
			case 3:
				if n := len(b.model.stack); n > 0 { // the newest patch, which may be disabled
					b.disable(b.model.stack[n-1])
				}
			case 4:
				b.tryComplete()
			case 5:
				if !m.blocked && len(m.frames) == 0 {
					b.update(task)
				}
			case 6:
				if !m.blocked {
					b.block(task)
				}
			case 7:
				if m.blocked {
					b.wake(task)
				}
			case 8:
				if !m.blocked && depth < livepatch.MaxDepth-1 {
					b.call(task, f, func() { some(task, depth+1) })
				}
			}
		}
		if self >= 0 && b.model.tasks[self].blocked {
			b.wake(self) // before it returns
		}
	}
	for left > 0 {
		some(-1, 0)
	}
}

// sleeper: a task sleeps in a function, in each version of it, while the function is patched and
// unpatched.
func sleeper(b *bench) {
	const in = 0 // function 0 is replaced by patches 0, 1 and 2
	others := func() {
		b.update(1)
		b.update(2)
	}
	for p := range 3 {
		// In the version that p replaces: the task cannot flip before it has left.
		b.call(0, in, func() {
			b.block(0)
			b.enable(p)
			others()
			if b.tryComplete() {
				b.Fatal("K1: a task was flipped asleep in the function that a patch replaces")
			}
			b.wake(0)
		})
		b.block(0)
		if !b.tryComplete() {
			b.Fatal("K1: a task asleep in no function was not flipped")
		}
		b.wake(0)

		// In p's version: p cannot be disabled before the task has left.
		b.call(0, in, func() {
			b.block(0)
			b.disable(p)
			others()
			if b.tryComplete() {
				b.Fatal("K4: a task was flipped asleep in the function of a patch that is being disabled")
			}
			b.enable(p) // reversed: the task is on the right side
			others()
			if !b.tryComplete() {
				b.Fatal("K1: a task is on the target side and the transition does not complete")
			}
			b.wake(0)
		})
	}
	// In a function that the patch does not touch.
	b.disable(2)
	b.settle()
	b.call(0, 2, func() {
		b.block(0)
		b.disable(1)
		others()
		if !b.tryComplete() {
			b.Fatal("K1: a task asleep in another function was not flipped")
		}
		b.wake(0)
	})
}

// newcomers: in each transition a task begins, which is on the target side at once, and another
// ends that has not flipped.
func newcomers(b *bench) {
	for _, change := range []func(int){b.enable, b.disable} {
		stays := len(b.tasks)
		b.tasks = append(b.tasks, b.core.NewTask())
		b.model.tasks = append(b.model.tasks, &mtask{state: livepatch.Idle})
		change(0)
		b.tasks = append(b.tasks, b.core.NewTask())
		b.model.tasks = append(b.model.tasks, &mtask{state: b.model.target})
		b.compare("a task begins", nil, nil)
		for i := range stays {
			b.update(i)
		}
		if b.tryComplete() {
			b.Fatal("K1: a transition completed although a task had not flipped")
		}
		b.tasks[stays].Exit()
		b.tasks = slices.Delete(b.tasks, stays, stays+1)
		b.model.tasks = slices.Delete(b.model.tasks, stays, stays+1)
		if !b.tryComplete() {
			b.Fatal("K1: a transition did not complete after all its tasks have flipped or ended")
		}
	}
}

// runner: a task runs in a patch's function while the patch is disabled.
func runner(b *bench) {
	b.enable(0)
	b.settle()
	task := b.tasks[0]
	entered, leave, gone, unpatched := make(chan bool), make(chan bool), make(chan bool), make(chan bool)
	go func() {
		defer close(gone)
		call(task, b.functions[0], func() { entered <- true; <-leave })
		task.Update()
	}()
	<-entered
	for _, i := range []int{1, 2} {
		b.tasks[i].Block() // so the transition does not wait for them
	}
	left := false
	go func() {
		defer close(unpatched)
		if err := b.core.Unpatch(b.patches[0]); err != nil {
			b.Error(err)
		}
		if !left {
			b.Error("K4: Unpatch returned with a task in the patch's function")
		}
	}()
	for b.tasks[1].State() != livepatch.Unpatched { // Unpatch has tried to complete
		runtime.Gosched()
	}
	left = true
	leave <- true
	<-gone
	<-unpatched
	for _, i := range []int{1, 2} {
		b.tasks[i].Wake()
	}
	judge.Check(b, b.model.disable(0))
	for _, t := range b.model.tasks {
		b.model.update(t)
	}
	b.model.tryComplete()
	b.compare("unpatched", nil, nil)
}

// mistakes makes those calls for which the kernel has an error that randomOperations does not make.
func mistakes(b *bench) {
	f := b.functions[0]
	for _, bad := range []*livepatch.Patch{
		{Name: "empty"},
		{Name: "without an old function", Replacements: []livepatch.Replacement{{New: goFunc(b, code{0, 1})}}},
		{Name: "without a new function", Replacements: []livepatch.Replacement{{Old: f}}},
		{Name: "of a function twice", Replacements: []livepatch.Replacement{{Old: f, New: goFunc(b, code{0, 1})}, {Old: f, New: goFunc(b, code{0, 2})}}},
	} {
		b.compare("a patch "+bad.Name, b.core.Enable(bad), livepatch.ErrInvalid)
	}
	b.enable(0)
	if err := b.core.Close(); err == nil {
		b.Error("K5: closed with a patch enabled")
	}
}
