// Package livepatch attacks the ways to wait for tasks. Tasks call three functions while an
// updater enables, reverses and disables patches of them.
//
//   - A version is a body of a function, by number: 0 is the original, the others come with
//     patches. The bodies report which version the task has called.
//   - A module is a patch with the version that it brings. It is loaded before the patch is
//     enabled, and unloaded as soon as the patch is disabled.
//   - A safe point is where a task is in no function. Between two of them a task must call
//     one version of each function.
//
// The other words are those of package torture. Here a pass is a call of a function.
package livepatch

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/slab"
	"github.com/tpbench/tpbench/impls/livepatch"
	"github.com/tpbench/tpbench/impls/rcu"
	"github.com/tpbench/tpbench/impls/torture"
)

// Subjects lists the ways to wait.
func Subjects() []torture.Subject {
	return torture.Subjects("livepatch", livepatch.Variants(), attackCore)
}

const (
	functions   = 3
	covered     = 2 // the first ones, which every patch replaces together; some replace the others
	versions    = 8 // of every function
	mostPatches = 3 // enabled at once
	unset       = -1

	// quickCalls is how often in a row a function is called without delay. Most of that time
	// is the handler's, so most interruptions are in the handler.
	quickCalls = 256
)

// An attack is one attack on a Core:
//
//	CPU0, updater                     CPU1, task, now and then not watched by RCU
//	                                  between two safe points: calls functions,
//	enables or disables a patch         which sleep, call others, delay:
//	reverses, perhaps                   all of one version?
//	completes                           of one that is loaded?
//	unloads the removed version       safe point: Update, or asleep
//
// An intruder takes the task's CPU away at any instruction.
type attack struct {
	*torture.Attack
	core      *livepatch.Core
	originals []*livepatch.Function
	codes     []dispatch.Func // by version

	// loaded has the versions that a task may be in. Written by the updater, before a patch is
	// enabled and after it has been disabled.
	loaded [versions]atomic.Bool

	// transitions is odd while one is under way. While it is even and does not change, newest is
	// what each function is. Written by the updater.
	transitions atomic.Uint64
	newest      [functions]atomic.Int64

	enabled    []*module // the updater's: enabled patches, oldest first
	last       int       // the version loaded last
	tasks      []*task
	freedCalls uint64 // dispatch.FreedCalls before the attack
}

// A module is a patch, and the version that it brings.
type module struct {
	patch   *livepatch.Patch
	version int
}

func attackCore(a *torture.Attack, open func(rcu.Options) *rcu.Domain) error {
	d := open(rcu.Options{Lazy: rcu.OnlyBarrier})
	defer d.Close()
	a.CountGracePeriods(d)
	core, err := livepatch.New(d)
	if err != nil {
		return err
	}
	all, err := livepatch.Functions()
	if err != nil {
		return err
	}
	s := &attack{Attack: a, core: core, originals: all[:functions], freedCalls: dispatch.FreedCalls()}
	if s.codes, err = versionFuncs(); err != nil {
		return err
	}
	s.loaded[0].Store(true)
	for _, f := range s.originals {
		f.SetBody(s.codes[0])
	}
	threads := []torture.Thread{{CPU: 0, Run: s.update}}
	for i := range a.Readers() {
		t := &task{attack: s, id: i, rnd: a.Rand(1 + i), task: core.NewTask()}
		t.task.Block() // until its thread runs
		s.tasks = append(s.tasks, t)
		threads = append(threads, torture.Thread{CPU: 1 + i, Run: t.run, Interrupted: true})
	}
	err = a.Launch(threads...)
	// All tasks sleep, in no function.
	if !s.core.TryComplete() {
		return errors.Join(err, errors.New("a transition whose tasks all sleep does not end"))
	}
	for _, m := range slices.Backward(s.enabled) {
		if err := s.core.Disable(m.patch); err == nil {
			s.core.TryComplete()
		}
	}
	for _, t := range s.tasks {
		t.task.Wake()
		t.task.Exit()
	}
	if n := core.InUse(); n > 0 {
		s.Fail("K5: %d funcs and ops are left when all patches are removed", n)
	}
	for _, f := range s.originals {
		f.SetBody(dispatch.Nop())
	}
	return errors.Join(err, core.Close())
}

// warnings reports the kernel's WARNs.
func (s *attack) warnings() {
	for _, w := range s.core.Warnings() {
		id := "K2"
		if w == livepatch.WarnEmpty {
			id = "K3"
		}
		s.Fail("%s: %v", id, w)
	}
}

// update enables, reverses and disables patches until the attack is over.
func (s *attack) update() error {
	rnd := s.Rand(0)
	for !s.Over() {
		n := len(s.enabled)
		// The last patch is seldom removed: ftrace's wait takes long.
		adds := n == 0 || n < mostPatches && (rnd.IntN(2) == 0 || n == 1 && rnd.IntN(8) > 0)
		s.transitions.Add(1)
		var err error
		if adds {
			err = s.patch(rnd)
		} else if err = s.core.Disable(s.enabled[n-1].patch); err == nil {
			err = s.transit(s.enabled[n-1], false, rnd)
		}
		if err != nil {
			return err
		}
		if s.Over() {
			return nil
		}
		s.settled()
		s.transitions.Add(1)
		s.Changed(1)
		if rnd.IntN(4) == 0 {
			torture.Busy(rnd, 100*time.Nanosecond, 50*time.Microsecond)
		}
	}
	return nil
}

// patch loads a module and enables its patch. There may be no memory for it, or it may be
// reversed.
func (s *attack) patch(rnd *rand.Rand) error {
	s.last = s.last%(versions-1) + 1
	for slices.ContainsFunc(s.enabled, func(m *module) bool { return m.version == s.last }) {
		s.last = s.last%(versions-1) + 1
	}
	m := &module{&livepatch.Patch{Name: fmt.Sprint("version ", s.last)}, s.last}
	for f, old := range s.originals {
		if f < covered || rnd.IntN(2) == 0 {
			m.patch.Replacements = append(m.patch.Replacements, livepatch.Replacement{Old: old, New: s.codes[m.version]})
		}
	}
	if rnd.IntN(16) == 0 {
		s.core.FailAfter(rnd.IntN(5)-1, rnd.IntN(4)-1)
		defer s.core.FailAfter(-1, -1)
	}
	s.loaded[m.version].Store(true)
	switch err := s.core.Enable(m.patch); {
	case errors.Is(err, slab.ErrNoMem):
		s.loaded[m.version].Store(false)
		return nil
	case err != nil:
		return err
	}
	s.enabled = append(s.enabled, m)
	return s.transit(m, true, rnd)
}

// transit brings the transition to its end, or to that of its reversal. A module whose patch
// is disabled is unloaded at once.
func (s *attack) transit(m *module, enabled bool, rnd *rand.Rand) error {
	reverse := unset
	if rnd.IntN(4) == 0 {
		reverse = rnd.IntN(4) // after so many tries
	}
	since := s.safePoints()
	for try := 0; !s.core.TryComplete(); try++ {
		if s.Over() {
			return nil
		}
		if try == reverse {
			change := s.core.Enable
			if enabled {
				change = s.core.Disable
			}
			if err := change(m.patch); err != nil {
				return err
			}
			enabled = !enabled
			since = s.safePoints()
			if rnd.IntN(4) == 0 {
				try = -1 // and back again
			}
		}
		for i, t := range s.tasks {
			if t.safe.Load() > since[i]+1000 {
				s.Fail("K2: task %d has passed 1000 safe points and is still %v: it was not asked to flip", i, t.task.State())
			}
		}
		// As in the kernel, it looks only now and then. So most tasks have passed their safe
		// points some time before the transition completes, and may be anywhere.
		torture.Busy(rnd, time.Microsecond, 100*time.Microsecond)
	}
	if !enabled {
		s.enabled = s.enabled[:len(s.enabled)-1]
		s.loaded[m.version].Store(false)
	}
	return nil
}

// safePoints is how many each task has passed.
func (s *attack) safePoints() []uint64 {
	list := make([]uint64, len(s.tasks))
	for i, t := range s.tasks {
		list[i] = t.safe.Load()
	}
	return list
}

// settled checks what must hold when no transition is under way, and publishes what each
// function is.
func (s *attack) settled() {
	funcs, ops := 0, 0
	for f, old := range s.originals {
		newest := 0
		for _, m := range s.enabled {
			if slices.ContainsFunc(m.patch.Replacements, func(r livepatch.Replacement) bool { return r.Old == old }) {
				newest = m.version
				funcs++
			}
		}
		if newest > 0 {
			ops++
		}
		if old.Patched() != (newest > 0) {
			s.Fail("K5: function %d calls the handler: %v, with version %d the newest", f, old.Patched(), newest)
		}
		s.newest[f].Store(int64(newest))
	}
	if n := s.core.InUse(); n != funcs+ops {
		s.Fail("K5: %d funcs and ops in use, want %d", n, funcs+ops)
	}
	for i, t := range s.tasks {
		if state := t.task.State(); state != livepatch.Idle {
			s.Fail("K2: task %d is %v with no transition under way", i, state)
		}
	}
	s.warnings()
}

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
		t.warnings()
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
		t.call(f, 1) // it may delay, and call others
		t.call(f, 1)
		t.quick = true
		t.call(f, quickCalls)
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
			t.call(t.rnd.IntN(functions), 1)
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
