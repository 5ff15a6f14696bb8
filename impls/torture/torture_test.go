package torture

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/rcu"
)

// made is a subject whose attack is the given one.
func made(attack func(*Attack) error) *Subject {
	return &Subject{Family: "made", Name: "one", Check: func() error { return nil }, Attack: attack}
}

// runs is a thread that runs f.
func runs(f func()) Thread {
	return Thread{Run: func() error { f(); return nil }}
}

// wait returns when the attack is over.
func (a *Attack) wait() {
	for !a.Over() {
		runtime.Gosched()
	}
}

// If this fails, some threads of an attack run before all are ready, so that readers may run
// without updaters for most of the time; or the time of the attack starts before they run.
func TestLaunchTogether(t *testing.T) {
	const n = mostThreads
	for range 20 {
		var launched time.Time
		var ran, early, untimed atomic.Int32
		s := made(func(a *Attack) error {
			time.Sleep(3 * time.Millisecond) // the preparation is longer than the run
			launched = time.Now()
			var list []Thread
			for i := range n {
				list = append(list, runs(func() {
					ran.Add(1)
					if a.ready.Load() < n {
						early.Add(1)
					}
					if a.began.Before(launched) {
						untimed.Add(1)
					}
					a.wait()
				}))
				list[i].CPU = i
			}
			return a.Launch(list...)
		})
		r, err := s.Torture(t.Context(), Options{For: time.Millisecond})
		judge.Check(t, err)
		if ran.Load() != n || early.Load() > 0 || untimed.Load() > 0 {
			t.Fatalf("%d of %d threads ran, %d before all were ready, %d before the time started", ran.Load(), n, early.Load(), untimed.Load())
		}
		if since := time.Since(launched); r.After < time.Millisecond || r.After > since {
			t.Fatalf("took %v, want 1 ms or more, and no more than the %v since the launch", r.After, since)
		}
	}
}

// If this fails, an attack does not end when one of its threads has ended, or its error is lost,
// or that of an attack that starts no thread, or more than GOMAXPROCS allows for, of which one
// would do nothing. The failure may be a hang.
func TestLaunchErrors(t *testing.T) {
	broken := errors.New("broken")
	for name, attack := range map[string]func(*Attack) error{
		"a thread's error": func(a *Attack) error {
			return a.Launch(runs(a.wait), Thread{CPU: 1, Run: func() error { return broken }}, runs(a.wait))
		},
		"no thread":        func(*Attack) error { return nil },
		"too many threads": func(a *Attack) error { return a.Launch(make([]Thread, mostThreads+1)...) },
		"too many intruders": func(a *Attack) error {
			return a.Launch(slices.Repeat([]Thread{{Interrupted: true}}, mostThreads/2+1)...)
		},
	} {
		_, err := made(attack).Torture(t.Context(), Options{For: time.Hour})
		if err == nil || errors.Is(err, broken) != (name == "a thread's error") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// If this fails, an interrupt during the preparation is lost, and Torture returns only when
// the run is over. The failure is a hang.
func TestInterruptedEarly(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ran := false
	_, err := made(func(a *Attack) error {
		cancel()
		return a.Launch(runs(func() {
			a.wait()
			ran = true
		}))
	}).Torture(ctx, Options{For: time.Hour})
	judge.Check(t, err)
	if !ran {
		t.Error("the thread did not run, and others may wait for it")
	}
}

// If this fails, a failure is lost when the process hangs or dies before the attack has ended, or
// its time includes the preparation. The failure of the test may be a hang.
func TestFailure(t *testing.T) {
	reported := make(chan Report, 1)
	var passed time.Duration
	check := func(r Report) {
		if r.Failure != "X1: x" || r.Executions != 3 || r.Transitions != 2 || r.After <= 0 || r.After > passed {
			t.Errorf("reported %+v, want a time within %v", r, passed)
		}
	}
	r, err := made(func(a *Attack) error {
		time.Sleep(20 * time.Millisecond)
		launched := time.Now()
		return a.Launch(runs(func() {
			a.Passed(0, 3)
			a.Changed(2)
			a.Fail("X1: x")
			passed = time.Since(launched)
			check(<-reported)
		}))
	}).Torture(t.Context(), Options{For: time.Hour, Progress: func(r Report) {
		if r.Failure != "" {
			select {
			case reported <- r:
			default:
			}
		}
	}})
	judge.Check(t, err)
	check(r)
}

// If this fails, threads do not end on time while a call of Progress blocks. The failure is a
// hang.
func TestProgressBlocks(t *testing.T) {
	stopped := make(chan struct{})
	_, err := made(func(a *Attack) error {
		defer close(stopped)
		return a.Launch(runs(a.wait))
	}).Torture(t.Context(), Options{For: 30 * time.Millisecond, Progress: func(Report) { <-stopped }})
	judge.Check(t, err)
}

// If this fails, the readers of other families are in a flavour that is busted or slow, or its
// grace periods wait for readers in no section. The last failure is a hang.
func TestFlavour(t *testing.T) {
	v := Flavour()
	judge.Need(t, v.Supported(), "rcu", v.Name)
	if v.Status != impls.Sound || v.Slow {
		t.Errorf("%s is %v, slow: %v", v.Name, v.Status, v.Slow)
	}
	d := v.New(rcu.Options{})
	defer d.Close()
	r := d.Register()
	defer r.Unregister()
	d.Synchronize()
}
