package livepatch

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/livepatch"
	"github.com/tpbench/tpbench/impls/torture"
)

// A task is one task's thread.
type task struct {
	*attack
	id   int
	rnd  *rand.Rand
	task *livepatch.Task

	calling int            // the function that is being called
	depth   int            // functions that the task is in
	quick   bool           // they do not delay
	seen    [functions]int // the version of each since the last safe point, or unset
	safe    atomic.Uint64  // safe points so far
}

// run is the task's thread. The task sleeps when it has ended.
func (t *task) run() error {
	t.task.Wake()
	defer t.task.Block()
	for !t.Over() {
		idle := t.rnd.IntN(8) > 0
		if idle {
			t.task.EnterIdle()
		}
		for range 1 + t.rnd.IntN(32) {
			t.unit()
		}
		if idle {
			t.task.ExitIdle()
		}
		if t.rnd.IntN(16) == 0 {
			t.task.Block()
			torture.Nap(time.Duration(t.rnd.IntN(int(100 * time.Microsecond))))
			t.task.Wake()
		}
		if w := t.core.Warnings(); w != nil {
			t.warned(w)
		}
		if n := dispatch.FreedCalls() - t.freedCalls; n > 0 {
			t.Fail("K3: %d calls of freed funcs", n)
		}
	}
	return nil
}

// unit is what a task does between two safe points, and the second of them.
func (t *task) unit() {
	for f := range t.seen {
		t.seen[f] = unset
	}
	transitions := t.transitions.Load()
	var newest [functions]int
	for f := range newest {
		newest[f] = int(t.newest[f].Load())
	}
	calls := 0
	for range 1 + t.rnd.IntN(4) {
		f := t.rnd.IntN(functions)
		t.call(f) // it may delay, and call others
		t.call(f)
		t.calling, t.quick = f, true
		callVersioned(t, f, quickCalls)
		t.quick = false
		calls += 2 + quickCalls
	}
	if transitions%2 == 0 && t.transitions.Load() == transitions {
		for f, v := range t.seen {
			if v != unset && v != newest[f] {
				t.Fail("K1: task %d called version %d of function %d, with no transition under way and version %d the newest", t.id, v, f, newest[f])
			}
		}
	}
	t.Passed(t.id, uint64(calls))
	t.task.Update()
	t.safe.Add(1)
}

// call calls a function.
func (t *task) call(f int) {
	t.calling = f
	callVersioned(t, f, 1)
}

// ran is what every version does: it checks that the task may be in it, and may delay.
func (t *task) ran(version int) {
	f := t.calling
	if t.quick && t.seen[f] == version && t.loaded[version].Load() {
		return
	}
	if !t.loaded[version].Load() {
		t.Fail("K4: task %d called version %d of function %d after its patch had been removed", t.id, version, f)
	}
	t.consistent(f, version)
	if t.quick {
		return
	}
	t.depth++
	switch t.rnd.IntN(32) {
	case 0:
		torture.Spin(t.rnd.Uint32N(1 << t.rnd.IntN(14)))
	case 1, 2, 3:
		if t.depth < livepatch.MaxDepth/2 {
			t.call(t.rnd.IntN(functions))
		}
	case 4:
		// A task that sleeps in a function that every patch replaces is not flipped.
		if f < covered && t.rnd.IntN(16) == 0 {
			t.task.Block()
			torture.Nap(time.Duration(t.rnd.IntN(int(50 * time.Microsecond))))
			t.task.Wake()
		}
	}
	t.depth--
	if !t.loaded[version].Load() {
		t.Fail("K4: task %d was in version %d of function %d while its patch was removed", t.id, version, f)
	}
}

// consistent compares with what the task has called since its last safe point.
func (t *task) consistent(f, version int) {
	if was := t.seen[f]; was != unset && was != version {
		t.Fail("K1: task %d called version %d of function %d, and then version %d, with no safe point in between", t.id, was, f, version)
	}
	t.seen[f] = version
	if other := t.seen[covered-1-f%covered]; f < covered && other != unset && other != version {
		t.Fail("K1: task %d called version %d of function %d and version %d of another that every patch replaces with it", t.id, version, f, other)
	}
}
