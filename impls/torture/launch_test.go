package torture

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/impls/internal/judge"
)

// made is a subject whose attack is the given one.
func made(attack func(*attack) error) Subject {
	return Subject{Family: "made", Name: "up", Check: func() error { return nil }, attack: attack}
}

// If this fails, some threads of an attack run while others are still on their way, and a
// flavour whose readers alone have the CPUs for a while was never tortured; or the time
// of the attack starts before they run.
func TestLaunchTogether(t *testing.T) {
	const n = mostThreads
	for range 20 {
		var launched time.Time
		var runs, early, timeless atomic.Int32
		s := made(func(a *attack) error {
			time.Sleep(3 * time.Millisecond) // it prepares for longer than it may run
			launched = time.Now()
			var list []thread
			for i := range n {
				list = append(list, thread{i, func() error {
					runs.Add(1)
					if a.ready.Load() < n {
						early.Add(1)
					}
					if a.began.Before(launched) {
						timeless.Add(1)
					}
					for !a.over() {
						runtime.Gosched()
					}
					return nil
				}})
			}
			return a.launch(list...)
		})
		r, err := s.Torture(context.Background(), Options{For: time.Millisecond})
		judge.Check(t, err)
		if runs.Load() != n || early.Load() > 0 || timeless.Load() > 0 {
			t.Fatalf("%d of %d threads ran, %d before all were ready, %d before the time started", runs.Load(), n, early.Load(), timeless.Load())
		}
		if since := time.Since(launched); r.After < time.Millisecond || r.After > since {
			t.Fatalf("took %v, want 1 ms or more, and no more than the %v since the launch", r.After, since)
		}
	}
}

// If this fails, what came before the gate counts as time that a failure took.
func TestFailureAfterGate(t *testing.T) {
	var passed time.Duration
	s := made(func(a *attack) error {
		time.Sleep(20 * time.Millisecond)
		launched := time.Now()
		return a.launch(thread{0, func() error {
			a.fail("X1: x")
			passed = time.Since(launched)
			return nil
		}})
	})
	r, err := s.Torture(context.Background(), Options{For: time.Hour})
	judge.Check(t, err)
	if r.Failure != "X1: x" || r.After <= 0 || r.After > passed {
		t.Errorf("%q after %v, want within %v", r.Failure, r.After, passed)
	}
}

// If this fails, an attack goes on when one of its threads has ended, or its error is lost.
// The failure may be a hang.
func TestThreadEndsAttack(t *testing.T) {
	broken := errors.New("broken")
	s := made(func(a *attack) error {
		wait := func() error {
			for !a.over() {
				runtime.Gosched()
			}
			return nil
		}
		return a.launch(thread{0, wait}, thread{1, func() error { return broken }}, thread{0, wait})
	})
	if _, err := s.Torture(context.Background(), Options{For: time.Hour}); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

// If this fails, a caller that is interrupted before the gate opens has to wait for the whole
// run. The failure is a hang.
func TestInterruptedBeforeGate(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	ran := false
	s := made(func(a *attack) error {
		cancel()
		return a.launch(thread{0, func() error {
			for !a.over() {
				runtime.Gosched()
			}
			ran = true
			return nil
		}})
	})
	_, err := s.Torture(ctx, Options{For: time.Hour})
	judge.Check(t, err)
	if !ran {
		t.Error("the thread did not run, which others may wait for")
	}
}

// noCPU is no CPU of any machine: more than a CPUSet has.
const noCPU = 1 << 20

// If this fails, an attack whose threads cannot all be pinned runs with the others, or hides
// the error, or waits for ever. Every family is to be launched in this one way.
func TestCannotPin(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("pins nothing")
	}
	families := map[string]bool{}
	for _, s := range Subjects() {
		if families[s.Family] || s.Check() != nil {
			continue
		}
		families[s.Family] = true
		t.Run(s.Family, func(t *testing.T) {
			r, err := s.Torture(context.Background(), Options{For: time.Hour, Beside: []int{noCPU}})
			if err == nil || !strings.Contains(err.Error(), "pinning to CPU 1048576: ") {
				t.Errorf("error %v, want one about CPU 1048576", err)
			}
			if r.Executions > 0 || r.Transitions > 0 || r.Failure != "" {
				t.Errorf("%+v, want nothing", r)
			}
		})
	}
	if len(families) == 0 {
		t.Skip("nothing can be tortured here")
	}
}

// If this fails, a failure that is known is lost when the process hangs or dies before the
// attack has ended. The failure of the test may be a hang.
func TestProgressTellsFailure(t *testing.T) {
	told := make(chan Report, 1)
	s := made(func(a *attack) error {
		return a.launch(thread{0, func() error {
			a.passes[0].Add(3)
			a.transitions.Add(2)
			a.fail("X1: x")
			if r := <-told; r.Failure != "X1: x" || r.Executions != 3 || r.Transitions != 2 || r.After <= 0 {
				t.Errorf("told %+v", r)
			}
			return nil
		}})
	})
	_, err := s.Torture(context.Background(), Options{For: time.Hour, Progress: func(r Report) {
		if r.Failure != "" {
			select {
			case told <- r:
			default:
			}
		}
	}})
	judge.Check(t, err)
}

// If this fails, a Progress that blocks keeps the threads going after their time is over. The
// failure is a hang.
func TestProgressBlocks(t *testing.T) {
	stopped := make(chan struct{})
	s := made(func(a *attack) error {
		defer close(stopped)
		blocked := make(chan struct{})
		return a.launch(thread{0, func() error {
			<-blocked
			return nil
		}}, thread{0, func() error {
			for !a.over() {
				runtime.Gosched()
			}
			close(blocked)
			return nil
		}})
	})
	_, err := s.Torture(context.Background(), Options{For: 30 * time.Millisecond, Progress: func(Report) { <-stopped }})
	judge.Check(t, err)
}

// If this fails, a family launches threads in another way, or more than GOMAXPROCS was made
// for: one that has no P does not run.
func TestThreadsFit(t *testing.T) {
	families := []string{}
	for _, s := range Subjects() {
		if s.Status == impls.Busted || slices.Contains(families, s.Family) || s.Check() != nil {
			continue
		}
		families = append(families, s.Family)
		launches := s.attack
		s.attack = func(a *attack) error {
			err := launches(a)
			if n := a.ready.Load(); n < 3 || n > mostThreads {
				t.Errorf("%s: %d threads, want 3 to %d", s.Family, n, mostThreads)
			}
			return err
		}
		_, err := s.Torture(context.Background(), Options{For: time.Millisecond})
		judge.Check(t, err)
	}
}
