package torture

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
)

func livepatchSubjects() []Subject {
	var list []Subject
	for _, v := range livepatch.Variants() {
		list = append(list, Subject{
			Family: "livepatch", Name: v.Name, Doc: v.Doc, Status: v.Status,
			Check:  v.Supported,
			attack: func(a *attack) error { return attackLivepatch(a, v) },
		})
	}
	return list
}

const (
	oldFunctions = 3
	// covered is how many of them every patch replaces, which they must do together;
	// the others only some.
	covered   = 2
	versions  = 8 // of every function; 0 is the original
	mostStack = 3 // patches on top of each other
	unset     = -1
)

// A patchTorture is one attack on a Core:
//
//	CPU0, administrator               CPU1, task, now and then not watched by RCU
//	                                  between two safe points: calls functions,
//	enables or disables a patch         which sleep, call others, take their time:
//	reverses, perhaps                   all of one version?
//	completes                           of one that is loaded?
//	unloads what has gone             safe point: Update, or asleep
//
// An intruder takes the task's CPU away at whatever instruction it stands.
type patchTorture struct {
	*attack
	core      *livepatch.Core
	domain    *rcu.Domain
	functions []*livepatch.Function
	codes     []dispatch.Func // by version

	// loaded says which versions a task may be in. Written by the administrator, before
	// a patch is enabled and after it has been unpatched.
	loaded [versions]atomic.Bool

	// changes is odd while a transition is under way; while it is even and stands
	// still, newest is what each function is. Written by the administrator.
	changes atomic.Uint64
	newest  [oldFunctions]atomic.Int64

	stack      []*module // the administrator's: enabled patches, oldest first
	last       int       // the version loaded last
	tasks      []*taskThread
	freedCalls uint64 // dispatch.FreedCalls before the attack
}

// A module is a patch, and the version that it brings.
type module struct {
	patch   *livepatch.Patch
	version int
}

// A taskThread is what one task does.
type taskThread struct {
	*patchTorture
	id   int
	rnd  *rand.Rand
	task *livepatch.Task

	calling int               // the function that is being called
	depth   int               // functions that the task is in
	quick   bool              // they do not dwell
	seen    [oldFunctions]int // the version of each since the last safe point, or unset
	safe    atomic.Uint64     // safe points so far
}

func attackLivepatch(a *attack, v livepatch.Variant) error {
	d := v.New(rcu.Options{Lazy: rcu.OnlyBarrier})
	defer d.Close()
	a.domain.Store(d)
	core, err := livepatch.New(d)
	if err != nil {
		return err
	}
	all, err := livepatch.Functions()
	if err != nil {
		return err
	}
	s := &patchTorture{attack: a, core: core, domain: d, functions: all[:oldFunctions], freedCalls: dispatch.FreedCalls()}
	if s.codes, err = versionFuncs(); err != nil {
		return err
	}
	s.loaded[0].Store(true)
	for _, f := range s.functions {
		f.SetBody(s.codes[0])
	}
	list := []thread{{0, s.administrate}}
	for i := range min(max(1, len(a.cpus)-1), mostReaders) {
		t := &taskThread{patchTorture: s, id: i, rnd: a.rand(1 + i), task: core.NewTask()}
		t.task.Block() // until its thread runs
		s.tasks = append(s.tasks, t)
		list = append(list,
			thread{1 + i, t.run},
			thread{1 + i, func() error { return a.intrude(a.rand(1 + mostReaders + i)) }})
	}
	err = a.launch(list...)
	// All tasks sleep, in no function.
	if !s.core.TryComplete() {
		return errors.Join(err, errors.New("a transition whose tasks all sleep does not end"))
	}
	for _, m := range slices.Backward(s.stack) {
		if err := s.core.Disable(m.patch); err == nil {
			s.core.TryComplete()
		}
	}
	for _, t := range s.tasks {
		t.task.Wake()
		t.task.Exit()
	}
	if n := core.InUse(); n > 0 {
		s.fail("K5: %d funcs and ops are left when all patches have gone", n)
	}
	for _, f := range s.functions {
		f.SetBody(dispatch.Nop())
	}
	return errors.Join(err, core.Close())
}

// run is the task's thread. In the end it sleeps.
func (t *taskThread) run() error {
	t.task.Wake()
	defer t.task.Block()
	for !t.over() {
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
			nap(time.Duration(t.rnd.IntN(int(100 * time.Microsecond))))
			t.task.Wake()
		}
		if w := t.core.Warnings(); w != nil {
			t.warned(w)
		}
		if n := dispatch.FreedCalls() - t.freedCalls; n > 0 {
			t.fail("K3: %d calls of freed funcs", n)
		}
	}
	return nil
}

// unit is what a task does between two safe points, and the second of them.
func (t *taskThread) unit() {
	for f := range t.seen {
		t.seen[f] = unset
	}
	changes := t.changes.Load()
	var newest [oldFunctions]int
	for f := range newest {
		newest[f] = int(t.newest[f].Load())
	}
	calls := 0
	for range 1 + t.rnd.IntN(4) {
		f := t.rnd.IntN(oldFunctions)
		t.call(f) // it dwells, and so may have called others
		t.call(f)
		t.calling, t.quick = f, true
		callVersioned(t, f, quickCalls)
		t.quick = false
		calls += 2 + quickCalls
	}
	if changes%2 == 0 && t.changes.Load() == changes {
		for f, v := range t.seen {
			if v != unset && v != newest[f] {
				t.fail("K1: task %d called version %d of function %d, with no transition under way and version %d the newest", t.id, v, f, newest[f])
			}
		}
	}
	t.passes[t.id].Add(uint64(calls))
	t.task.Update()
	t.safe.Add(1)
}

// call calls a function.
func (t *taskThread) call(f int) {
	t.calling = f
	callVersioned(t, f, 1)
}

// quickCalls is how often in a row a function is called that does not dwell, so that the
// handler is most of what there is to interrupt.
const quickCalls = 256

// ran is what every version does: it looks whether the task may be here, and dwells.
func (t *taskThread) ran(version int) {
	f := t.calling
	if t.quick && t.seen[f] == version && t.loaded[version].Load() {
		return
	}
	if !t.loaded[version].Load() {
		t.fail("K4: task %d called version %d of function %d after it had been unpatched", t.id, version, f)
	}
	t.consistent(f, version)
	if t.quick {
		return
	}
	t.depth++
	switch t.rnd.IntN(32) {
	case 0:
		spin(t.rnd.Uint32N(1 << t.rnd.IntN(14)))
	case 1, 2, 3:
		if t.depth < livepatch.MaxDepth/2 {
			t.call(t.rnd.IntN(oldFunctions))
		}
	case 4:
		// A task that sleeps in a function that every patch replaces is not flipped.
		if f < covered && t.rnd.IntN(16) == 0 {
			t.task.Block()
			nap(time.Duration(t.rnd.IntN(int(50 * time.Microsecond))))
			t.task.Wake()
		}
	}
	t.depth--
	if !t.loaded[version].Load() {
		t.fail("K4: task %d was in version %d of function %d while it was unpatched", t.id, version, f)
	}
}

// consistent compares with what the task has called since its last safe point.
func (t *taskThread) consistent(f, version int) {
	if was := t.seen[f]; was != unset && was != version {
		t.fail("K1: task %d called version %d of function %d, and then version %d, with no safe point in between", t.id, was, f, version)
	}
	t.seen[f] = version
	if other := t.seen[covered-1-f%covered]; f < covered && other != unset && other != version {
		t.fail("K1: task %d called version %d of function %d and version %d of another that every patch replaces with it", t.id, version, f, other)
	}
}

// warned reports the kernel's WARNs.
func (s *patchTorture) warned(list []livepatch.Warning) {
	for _, w := range list {
		id := "K2"
		if w == livepatch.WarnEmpty {
			id = "K3"
		}
		s.fail("%s: %v", id, w)
	}
}

// administrate patches, stacks, reverses and unpatches until the attack is over.
func (s *patchTorture) administrate() error {
	rnd := s.rand(0)
	for !s.over() {
		n := len(s.stack)
		s.changes.Add(1)
		var err error
		if n == 0 || n < mostStack && (rnd.IntN(2) == 0 || n == 1 && rnd.IntN(8) > 0) { // the last one seldom goes: ftrace's wait takes long
			err = s.patch(rnd)
		} else {
			err = s.unpatch(rnd)
		}
		if err != nil {
			return err
		}
		if s.over() {
			return nil
		}
		s.settled()
		s.changes.Add(1)
		s.attack.transitions.Add(1)
		if rnd.IntN(4) == 0 {
			busy(logUniform(rnd, 100*time.Nanosecond, 50*time.Microsecond))
		}
	}
	return nil
}

// patch loads a module and enables its patch, which may fail for want of memory, or be
// reversed.
func (s *patchTorture) patch(rnd *rand.Rand) error {
	s.last = s.last%(versions-1) + 1
	for slices.ContainsFunc(s.stack, func(m *module) bool { return m.version == s.last }) {
		s.last = s.last%(versions-1) + 1
	}
	m := &module{&livepatch.Patch{Name: fmt.Sprint("version ", s.last)}, s.last}
	for f, old := range s.functions {
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
	s.stack = append(s.stack, m)
	return s.transit(m, true, rnd)
}

// unpatch disables the newest patch.
func (s *patchTorture) unpatch(rnd *rand.Rand) error {
	m := s.stack[len(s.stack)-1]
	if err := s.core.Disable(m.patch); err != nil {
		return err
	}
	return s.transit(m, false, rnd)
}

// transit brings the transition to its end, or to that of its reversal. A module that has
// gone is unloaded at once.
func (s *patchTorture) transit(m *module, enabled bool, rnd *rand.Rand) error {
	reverse := unset
	if rnd.IntN(4) == 0 {
		reverse = rnd.IntN(4) // after so many tries
	}
	since := s.safePoints()
	for try := 0; !s.core.TryComplete(); try++ {
		if s.over() {
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
				s.fail("K2: task %d has passed 1000 safe points and is still %v: it was never told to flip", i, t.task.State())
			}
		}
		// As the kernel does, it looks only now and then: most transitions complete
		// when their tasks have been past their safe points for a while, and may stand
		// anywhere.
		busy(logUniform(rnd, time.Microsecond, 100*time.Microsecond))
	}
	if !enabled {
		s.stack = s.stack[:len(s.stack)-1]
		s.loaded[m.version].Store(false)
	}
	return nil
}

// safePoints is how many each task has passed.
func (s *patchTorture) safePoints() []uint64 {
	list := make([]uint64, len(s.tasks))
	for i, t := range s.tasks {
		list[i] = t.safe.Load()
	}
	return list
}

// settled looks at what must hold when no transition is under way, and says what each
// function is.
func (s *patchTorture) settled() {
	funcs, ops := 0, 0
	for f, old := range s.functions {
		newest := 0
		for _, m := range s.stack {
			if slices.ContainsFunc(m.patch.Replacements, func(r livepatch.Replacement) bool { return r.Old == old }) {
				newest = m.version
				funcs++
			}
		}
		if newest > 0 {
			ops++
		}
		if old.Patched() != (newest > 0) {
			s.fail("K5: function %d calls the handler: %v, with version %d the newest", f, old.Patched(), newest)
		}
		s.newest[f].Store(int64(newest))
	}
	if n := s.core.InUse(); n != funcs+ops {
		s.fail("K5: %d funcs and ops in use, want %d", n, funcs+ops)
	}
	for i, t := range s.tasks {
		if state := t.task.State(); state != livepatch.Idle {
			s.fail("K2: task %d is %v with no transition under way", i, state)
		}
	}
	if w := s.core.Warnings(); w != nil {
		s.warned(w)
	}
}
