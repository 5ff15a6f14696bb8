//go:build steps

package livepatch_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/step"
	"github.com/tpbench/tpbench/impls/livepatch"
	"github.com/tpbench/tpbench/impls/rcu"
)

// A stage is what a script is played on: one function, two patches of it, and one task.
type stage struct {
	core    *livepatch.Core
	task    *livepatch.Task
	f       *livepatch.Function
	patches [2]*livepatch.Patch
	errs    []error
	called  []string // what the task's calls ran
}

// actions returns what the cells of scripts do.
func (s *stage) actions() map[string]func() {
	do := func(f func(*livepatch.Patch) error, p int) func() {
		return func() {
			if err := f(s.patches[p-1]); err != nil {
				s.errs = append(s.errs, err)
			}
		}
	}
	return map[string]func(){
		"enable first":                 do(s.core.Enable, 1),
		"disable first":                do(s.core.Disable, 1),
		"patch first":                  do(s.core.Patch, 1),
		"enable second":                do(s.core.Enable, 2),
		"disable second":               do(s.core.Disable, 2),
		"first is patched":             s.patched(1),
		"first and second are patched": func() { s.patched(1)(); s.patched(2)() },
		"complete": func() {
			for !s.core.TryComplete() {
				step.Wait("complete: tasks flip")
			}
		},
		"try to complete": func() {
			for range 100 {
				if s.core.TryComplete() {
					return
				}
				step.Wait("try to complete: tasks flip")
			}
		},
		"update": s.task.Update,
		"updates": func() { // at one safe point after another
			for range 50 {
				s.task.Update()
				step.Wait("updates: between safe points")
			}
		},
		"call": func() {
			names := map[code]string{{0, 0}: "original", {0, 1}: "first", {0, 2}: "second", freed: "freed"}
			s.called = append(s.called, names[call(s.task, s.f, nil)])
		},
	}
}

// patched does a whole transition, in which no column stops.
func (s *stage) patched(p int) func() {
	return func() {
		if err := s.core.Enable(s.patches[p-1]); err != nil {
			s.errs = append(s.errs, err)
		}
		s.task.Update()
		s.core.TryComplete()
	}
}

// String returns what was found: what the task called, the Core's warnings, and the task's side if
// it is not idle after all transitions.
func (s *stage) String() string {
	found := append([]string{}, s.called...)
	for _, w := range s.core.Warnings() {
		found = append(found, "WARN: "+w.String())
	}
	if state := s.task.State(); state != livepatch.Idle {
		found = append(found, fmt.Sprintf("left %v", state))
	}
	for _, err := range s.errs {
		found = append(found, err.Error())
	}
	return strings.Join(found, ", ")
}

// waits is klp-L1 of docs/interleavings.md, at each of the three places (a), (b) and (c) where a
// transition waits; see doc.go.
var waits = []judge.Replay{
	{Name: "klp-L1 (a), the func is freed", Script: `
core                                   task
first and second are patched
disable second
                                       update           // unpatched: it must not call the second any more
                                       call until livepatch: func held
complete                               //               removes the func, waits or not, frees it
                                       go on
`, Want: "first", Breaks: map[string]string{"rcu": "freed"}},
	{Name: "klp-L1 (a), the transition is cleared", Script: `
core                                   task
first and second are patched
disable second
                                       update           // unpatched: it must not call the second any more
                                       call until livepatch: func held
complete until livepatch: transition over
                                       go on            // in no transition: chooses the func that it holds
go on
`, Want: "first", Breaks: map[string]string{"rcu": "second"}},
	{Name: "klp-L1 (b), the task is idle", Script: `
core                                   task
enable first
                                       update           // patched
                                       call until livepatch: in transition
complete                               //               clears transition, waits or not, states = idle
                                       go on
`, Want: "first", Breaks: map[string]string{"rcu": "first, WARN: the handler found its task idle in a transition"}},
	{Name: "klp-L1 (c), an old target", Script: `
core                                   task
first is patched
enable second
                                       update until livepatch: target loaded
disable second                         //               reverses, waits or not
complete                               //               finds the task unpatched
                                       go on            // stores: patched
                                       updates
                                       call
`, Want: "first", Breaks: map[string]string{"rcu": "first, left patched"}},
	{Name: "klp-L1 (c), an old target, within the transition", Script: `
core                                   task
first is patched
enable second
                                       update until livepatch: target loaded
disable second                         //               reverses, waits or not
                                       go on            // stores: patched
try to complete
                                       updates
                                       call
`, Want: "first", Breaks: map[string]string{"rcu": "second, left patched"}},
	{Name: "klp-L1 (c), an old target, and the next transition", Script: `
core                                   task
first is patched
enable second
                                       update until livepatch: target loaded
disable second                         //               reverses, waits or not
complete                               //               finds the task unpatched
                                       go on            // stores: patched
enable second
complete
                                       updates
                                       call
`, Want: "second", Breaks: map[string]string{"rcu": "second, WARN: a task was not idle before a transition"}},
}

// ftrace has its own wait before the last func of a function is removed. It is rude in each
// variant, so no handler may find an empty stack, or freed memory.
var ftrace = []judge.Replay{
	{Name: "the last func is removed, ops held", Script: `
core                                   task
first is patched
disable first
                                       update
                                       call until livepatch: ops held
complete                               //               removes the call, waits, empties the stack, frees
                                       go on
`, Want: "original"},
	{Name: "the last func is removed, func held", Script: `
core                                   task
first is patched
disable first
                                       update
                                       call until livepatch: func held
complete
                                       go on
`, Want: "original"},
}

// orders are right without any wait, because of the order of loads and stores.
var orders = []judge.Replay{
	{Name: "a late handler", Script: `
core                                   task
patch first                            //               waits for the task
                                       update
disable first
                                       update
                                       call until livepatch: handler entered
complete until rcu: begun              //               ftrace's wait, which need not wait for this handler
                                       go on until livepatch: ops held
go on                                  //               empties the stack
                                       go on            // has found no ops
`, Want: "original"},
	{Name: "an early update", Script: `
core                                   task
                                       update until livepatch: update begun
enable first
                                       go on            // finds itself pending, and loads the new target
                                       call
complete
`, Want: "first"},
	{Name: "a call while the transition begins", Script: `
core                                   task
enable first until livepatch: transition initialised
                                       call
go on
                                       call
                                       update
                                       call
complete
`, Want: "original, original, first"},
}

// If this fails, a transition does not wait for a handler or an Update that RCU does not watch, at
// one of the three places, or, for rcu, the script no longer breaks it; or ftrace does not wait
// before it frees what handlers hold (K3); or the Core's steps come in another order.
func TestReplay(t *testing.T) {
	all := slices.Concat(waits, ftrace, orders)
	t.Run("unwatched", func(t *testing.T) { replay(t, all, false) })
	for i := range all { // each variant is right if RCU watches the task
		all[i].Breaks = maps.Clone(all[i].Breaks)
		for name := range all[i].Breaks {
			all[i].Breaks[name] = ""
		}
	}
	t.Run("watched", func(t *testing.T) { replay(t, all, true) })
}

// replay performs the scripts with a task that RCU watches, or not.
func replay(t *testing.T, scripts []judge.Replay, watched bool) {
	judge.Replays(t, "livepatch", livepatch.Variants(), 25, scripts, func(t *testing.T, r judge.Replay, v livepatch.Variant) (found string, trace []string) {
		d := v.New(rcu.Options{Lazy: rcu.OnlyBarrier})
		defer d.Close()
		all, err := livepatch.Functions()
		judge.Check(t, err)
		core, err := livepatch.New(d)
		judge.Check(t, err)
		s := &stage{core: core, task: core.NewTask(), f: all[0]}
		s.f.SetBody(goFunc(t, code{0, 0}))
		for i, name := range []string{"first", "second"} {
			s.patches[i] = &livepatch.Patch{Name: name, Replacements: []livepatch.Replacement{{Old: s.f, New: goFunc(t, code{0, version(i + 1)})}}}
		}
		if !watched {
			s.task.EnterIdle()
		}
		trace, err = step.Play(r.Script, s.actions())
		if err != nil {
			t.Fatalf("%v\n%s", err, r.Script)
		}
		found = s.String()
		s.task.Block()                                    // flips asleep: it is in no function
		for _, p := range slices.Backward(s.patches[:]) { // those that are left
			core.TryComplete()
			_ = core.Disable(p)
			core.TryComplete()
		}
		s.task.Wake()
		if !watched {
			s.task.ExitIdle()
		}
		s.task.Exit()
		judge.Check(t, core.Close())
		return found, trace
	})
}
