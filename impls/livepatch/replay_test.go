//go:build steps

package livepatch_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/dispatch"
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
	called  []string // versions, by the task's calls
}

// The words that scripts are made of.
func (s *stage) actions() map[string]func() {
	do := func(f func(*livepatch.Patch) error, p int) func() {
		return func() {
			if err := f(s.patches[p-1]); err != nil {
				s.errs = append(s.errs, err)
			}
		}
	}
	return map[string]func(){
		"enable first":   do(s.core.Enable, 1),
		"disable first":  do(s.core.Disable, 1),
		"patch first":    do(s.core.Patch, 1),
		"unpatch first":  do(s.core.Unpatch, 1),
		"enable second":  do(s.core.Enable, 2),
		"disable second": do(s.core.Disable, 2),
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
		"updates": func() { // at one safe point after the other
			for range 50 {
				s.task.Update()
				step.Wait("updates: between safe points")
			}
		},
		"call": func() { s.called = append(s.called, call(s.task, s.f)) },
	}
}

// String is what was found: what the task called, what the Core was warned of, and a task
// that is not idle although no transition is under way.
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

// A replay is a script, what is found after it with a sound variant, and what with a
// busted one that it breaks.
type replay struct {
	name   string
	script string
	sound  string
	breaks map[string]string
}

// l1 is klp-L1 of docs/interleavings.md, at each of the three places.
var l1 = []replay{
	{"(a), the func is freed", `
core                                   task
patch first                            //
                                       update
enable second
                                       update
complete
disable second
                                       update           // unpatched: it is not to call the second any more
                                       call until livepatch: func held
complete                               //               removes it, waits or not, frees it
                                       go on
`, "first", map[string]string{"rcu": "freed"}},
	{"(a), transition is cleared", `
core                                   task
patch first                            //
                                       update
enable second
                                       update
complete
disable second
                                       update           // unpatched: it is not to call the second any more
                                       call until livepatch: func held
complete until livepatch: transition over
                                       go on            // in no transition: chooses what it holds
go on
`, "first", map[string]string{"rcu": "second"}},
	{"(b), the task is idle", `
core                                   task
enable first
                                       update           // patched
                                       call until livepatch: in transition
complete                               //               clears transition, waits or not, states = idle
                                       go on
`, "first", map[string]string{"rcu": "first, WARN: the handler found its task idle in a transition"}},
	{"(c), an old target", `
core                                   task
patch first                            //
                                       update
enable second
                                       update until livepatch: target loaded
disable second                         //               reverses, waits or not
complete                               //               the task is unpatched, or so it seems
                                       go on            // stores: patched
                                       updates
                                       call
`, "first", map[string]string{"rcu": "first, left patched"}},
	{"(c), an old target, within the transition", `
core                                   task
patch first                            //
                                       update
enable second
                                       update until livepatch: target loaded
disable second                         //               reverses, waits or not
                                       go on            // stores: patched
try to complete
                                       updates
                                       call
`, "first", map[string]string{"rcu": "second, left patched"}},
	{"(c), an old target, and the next transition", `
core                                   task
patch first                            //
                                       update
enable second
                                       update until livepatch: target loaded
disable second                         //               reverses, waits or not
complete                               //               the task is unpatched, or so it seems
                                       go on            // stores: patched
enable second
complete
                                       updates
                                       call
`, "second", map[string]string{"rcu": "second, WARN: a task was not idle before a transition"}},
}

// ftrace is its own wait, which is rude whatever the variant: nobody is to find the stack
// empty, or its ops freed.
var ftrace = []replay{
	{"the last func goes, ops held", `
core                                   task
patch first
                                       update
disable first
                                       update
                                       call until livepatch: ops held
complete                               //               calls nobody, waits, empties the stack, frees
                                       go on
`, "original", map[string]string{}},
	{"the last func goes, func held", `
core                                   task
patch first
                                       update
disable first
                                       update
                                       call until livepatch: func held
complete
                                       go on
`, "original", map[string]string{}},
}

// orders are what holds without any wait, by the order of loads and stores alone.
var orders = []replay{
	{"a handler that is late", `
core                                   task
patch first
                                       update
disable first
                                       update
                                       call until livepatch: handler entered
complete until rcu: begun              //               ftrace's wait, which need not wait for it
                                       go on until livepatch: ops held
go on                                  //               empties the stack
                                       go on            // has found no ops
`, "original", map[string]string{}},
	{"an update that is early", `
core                                   task
                                       update until livepatch: update begun
enable first
                                       go on            // finds itself told: to go to the target of now
                                       call
complete
`, "first", map[string]string{}},
	{"a call while the transition begins", `
core                                   task
enable first until livepatch: transition initialised
                                       call
go on
                                       call
                                       update
                                       call
complete
`, "original, original, first", map[string]string{}},
}

// If this fails, a handler or an Update sees two steps of the Core in the wrong order.
func TestReplayOrders(t *testing.T) { play(t, orders) }

// If this fails, a transition does not wait for a handler, or an Update, that RCU does not
// watch, at one of the three places; or, for rcu, the script has lost its point.
func TestReplayL1(t *testing.T) { play(t, l1) }

// If this fails, ftrace does not wait for handlers before it takes away what they hold:
// K3.
func TestReplayFtrace(t *testing.T) { play(t, ftrace) }

// play performs every script with every variant, again and again, with a task that RCU does
// not watch and with one that it does: the latter must be safe with all of them.
func play(t *testing.T, replays []replay) {
	for _, p := range replays {
		t.Run(p.name, func(t *testing.T) {
			t.Log(p.script)
			for _, v := range livepatch.Variants() {
				t.Run(v.Name, func(t *testing.T) {
					judge.Need(t, v.Supported(), "livepatch", v.Name)
					for _, watched := range []bool{false, true} {
						want := p.sound
						if found, busted := p.breaks[v.Name]; busted && !watched {
							want = found
						}
						for i := range 25 {
							if found, trace := p.play(t, v, watched); found != want {
								t.Fatalf("watched %v, time %d: found %q, want %q\n%s\n%s", watched, i, found, want, p.script, strings.Join(trace, "\n"))
							}
						}
					}
				})
			}
		})
		for name := range p.breaks {
			if v, err := impls.Find("livepatch", livepatch.Variants(), name); err != nil || v.Status == impls.Sound {
				t.Errorf("%s: breaks %s, of which there is no busted one", p.name, name)
			}
		}
	}
}

func (p replay) play(t *testing.T, v livepatch.Variant, watched bool) (found string, trace []string) {
	t.Helper()
	d := v.New(rcu.Options{Lazy: rcu.OnlyBarrier})
	defer d.Close()
	all, err := livepatch.Functions()
	judge.Check(t, err)
	core, err := livepatch.New(d)
	judge.Check(t, err)
	s := &stage{core: core, task: core.NewTask(), f: all[0]}
	codes := make([]dispatch.Func, len(versions))
	for i, f := range versions {
		codes[i], err = dispatch.GoFunc(f)
		judge.Check(t, err)
	}
	s.f.SetBody(codes[0])
	for i, name := range []string{"first", "second"} {
		s.patches[i] = &livepatch.Patch{Name: name, Replacements: []livepatch.Replacement{{Old: s.f, New: codes[i+1]}}}
	}
	if !watched {
		s.task.EnterIdle()
	}
	trace, err = step.Play(p.script, s.actions())
	if err != nil {
		t.Fatalf("%v\n%s", err, p.script)
	}
	found = s.String()
	s.task.Block()                                    // who is in no function any more flips asleep, told or not
	for _, p := range slices.Backward(s.patches[:]) { // whatever is left
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
}
