package torture

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tpbench/tpbench/impls/internal/judge"
)

// made is a subject whose attack is the given one.
func made(attack func(*Attack) error) Subject {
	return Subject{Family: "made", Name: "one", Check: func() error { return nil }, Attack: attack}
}

// If this fails, some threads of an attack run while others are still on their way, and a
// flavour whose readers alone have the CPUs for a while was never tortured; or the time
// of the attack starts before they run.
func TestLaunchTogether(t *testing.T) {
	const n = mostThreads
	for range 20 {
		var launched time.Time
		var runs, early, timeless atomic.Int32
		s := made(func(a *Attack) error {
			time.Sleep(3 * time.Millisecond) // it prepares for longer than it may run
			launched = time.Now()
			var list []Thread
			for i := range n {
				list = append(list, Thread{i, func() error {
					runs.Add(1)
					if a.ready.Load() < n {
						early.Add(1)
					}
					if a.began.Before(launched) {
						timeless.Add(1)
					}
					for !a.Over() {
						runtime.Gosched()
					}
					return nil
				}})
			}
			return a.Launch(list...)
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
	s := made(func(a *Attack) error {
		time.Sleep(20 * time.Millisecond)
		launched := time.Now()
		return a.Launch(Thread{0, func() error {
			a.Fail("X1: x")
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
	s := made(func(a *Attack) error {
		wait := func() error {
			for !a.Over() {
				runtime.Gosched()
			}
			return nil
		}
		return a.Launch(Thread{0, wait}, Thread{1, func() error { return broken }}, Thread{0, wait})
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
	s := made(func(a *Attack) error {
		cancel()
		return a.Launch(Thread{0, func() error {
			for !a.Over() {
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

// If this fails, a failure that is known is lost when the process hangs or dies before the
// attack has ended. The failure of the test may be a hang.
func TestProgressTellsFailure(t *testing.T) {
	told := make(chan Report, 1)
	s := made(func(a *Attack) error {
		return a.Launch(Thread{0, func() error {
			a.Passed(0, 3)
			a.Changed(2)
			a.Fail("X1: x")
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
	s := made(func(a *Attack) error {
		defer close(stopped)
		blocked := make(chan struct{})
		return a.Launch(Thread{0, func() error {
			<-blocked
			return nil
		}}, Thread{0, func() error {
			for !a.Over() {
				runtime.Gosched()
			}
			close(blocked)
			return nil
		}})
	})
	_, err := s.Torture(context.Background(), Options{For: 30 * time.Millisecond, Progress: func(Report) { <-stopped }})
	judge.Check(t, err)
}

// If this fails, an attack that starts no thread passes for one that ran; or one with more
// threads than GOMAXPROCS allows for runs, and a thread without a P does nothing.
func TestLaunchRefuses(t *testing.T) {
	for name, s := range map[string]Subject{
		"no thread":        made(func(*Attack) error { return nil }),
		"too many threads": made(func(a *Attack) error { return a.Launch(make([]Thread, mostThreads+1)...) }),
	} {
		if _, err := s.Torture(context.Background(), Options{For: time.Hour}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
