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

// wait returns when the attack is over.
func (a *Attack) wait() error {
	for !a.Over() {
		runtime.Gosched()
	}
	return nil
}

// If this fails, some threads of an attack run before all are ready, so that readers may run
// without updaters for most of the time; or the time of the attack starts before they run.
func TestLaunchTogether(t *testing.T) {
	const n = mostThreads
	for range 20 {
		var launched time.Time
		var runs, early, untimed atomic.Int32
		s := made(func(a *Attack) error {
			time.Sleep(3 * time.Millisecond) // the preparation is longer than the run
			launched = time.Now()
			var list []Thread
			for i := range n {
				list = append(list, Thread{i, func() error {
					runs.Add(1)
					if a.ready.Load() < n {
						early.Add(1)
					}
					if a.began.Before(launched) {
						untimed.Add(1)
					}
					return a.wait()
				}})
			}
			return a.Launch(list...)
		})
		r, err := s.Torture(context.Background(), Options{For: time.Millisecond})
		judge.Check(t, err)
		if runs.Load() != n || early.Load() > 0 || untimed.Load() > 0 {
			t.Fatalf("%d of %d threads ran, %d before all were ready, %d before the time started", runs.Load(), n, early.Load(), untimed.Load())
		}
		if since := time.Since(launched); r.After < time.Millisecond || r.After > since {
			t.Fatalf("took %v, want 1 ms or more, and no more than the %v since the launch", r.After, since)
		}
	}
}

// If this fails, the time of a failure includes the preparation.
func TestFailureTime(t *testing.T) {
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

// If this fails, an attack does not end when one of its threads has ended, or its error is lost.
// The failure may be a hang.
func TestThreadEndsAttack(t *testing.T) {
	broken := errors.New("broken")
	s := made(func(a *Attack) error {
		return a.Launch(Thread{0, a.wait}, Thread{1, func() error { return broken }}, Thread{0, a.wait})
	})
	if _, err := s.Torture(context.Background(), Options{For: time.Hour}); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

// If this fails, an interrupt during the preparation is lost, and Torture returns only when
// the run is over. The failure is a hang.
func TestInterruptedEarly(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	ran := false
	s := made(func(a *Attack) error {
		cancel()
		return a.Launch(Thread{0, func() error {
			a.wait()
			ran = true
			return nil
		}})
	})
	_, err := s.Torture(ctx, Options{For: time.Hour})
	judge.Check(t, err)
	if !ran {
		t.Error("the thread did not run, and others may wait for it")
	}
}

// If this fails, a failure is lost when the process hangs or dies before the attack has ended.
// The failure of the test may be a hang.
func TestProgressHasFailure(t *testing.T) {
	reported := make(chan Report, 1)
	s := made(func(a *Attack) error {
		return a.Launch(Thread{0, func() error {
			a.Passed(0, 3)
			a.Changed(2)
			a.Fail("X1: x")
			if r := <-reported; r.Failure != "X1: x" || r.Executions != 3 || r.Transitions != 2 || r.After <= 0 {
				t.Errorf("reported %+v", r)
			}
			return nil
		}})
	})
	_, err := s.Torture(context.Background(), Options{For: time.Hour, Progress: func(r Report) {
		if r.Failure != "" {
			select {
			case reported <- r:
			default:
			}
		}
	}})
	judge.Check(t, err)
}

// If this fails, threads do not end on time while a call of Progress blocks. The failure is a
// hang.
func TestProgressBlocks(t *testing.T) {
	stopped := make(chan struct{})
	s := made(func(a *Attack) error {
		defer close(stopped)
		blocked := make(chan struct{})
		return a.Launch(Thread{0, func() error {
			<-blocked
			return nil
		}}, Thread{0, func() error {
			a.wait()
			close(blocked)
			return nil
		}})
	})
	_, err := s.Torture(context.Background(), Options{For: 30 * time.Millisecond, Progress: func(Report) { <-stopped }})
	judge.Check(t, err)
}

// If this fails, an attack that starts no thread looks like one that ran; or one runs that has
// more threads than GOMAXPROCS allows for, of which one does nothing.
func TestLaunchErrors(t *testing.T) {
	for name, s := range map[string]Subject{
		"no thread":        made(func(*Attack) error { return nil }),
		"too many threads": made(func(a *Attack) error { return a.Launch(make([]Thread, mostThreads+1)...) }),
	} {
		if _, err := s.Torture(context.Background(), Options{For: time.Hour}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
