package harness

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// If this fails, a trial does not measure each arm of each case once, or does not say which of them
// cannot be measured, or how long a round takes.
func TestTrial(t *testing.T) {
	const nap, failing = 50 * time.Millisecond, 500 * time.Millisecond
	r := script(`[ "$1$arm" = YA2 ] && { sleep 0.5; echo "unknown benchmark" >&2; exit 1; }; sleep 0.05; ` + honest)
	var tasks []Task
	inner := r.Worker
	r.Worker = func(ctx context.Context, task Task) *exec.Cmd {
		tasks = append(tasks, task)
		return inner(ctx, task)
	}
	var told []Progress
	r.Progress = func(at Progress) { told = append(told, at) }
	p := armed()
	began := time.Now()
	took, failed, err := r.Trial(t.Context(), p)
	elapsed := time.Since(began)
	var measured time.Duration
	for i, d := range took {
		if failed[i] == nil {
			measured += d
		}
	}
	if err != nil || measured < 5*nap || measured > elapsed-failing {
		t.Errorf("5 samples of %v, and one of %v that failed, took %v of %v, %v", nap, failing, took, elapsed, err)
	}
	if len(tasks) != 6 || len(took) != 6 || len(failed) != 6 || len(told) != 6 || told[5].Total != 9 || told[5].Done != 7 {
		t.Fatalf("%d tasks, errors %v, progress %+v", len(tasks), failed, told)
	}
	for i, c := range p.Cases {
		if task := tasks[i]; task.Arm != c.Arm || task.Names[0] != c.Wanted[0] || task.Slower != c.Slower || task.Round != 0 || task.Layout != 0 || task.Build != 0 || task.Patience != 0 || told[i].Next != withArm(c.Wanted[0], c.Arm) {
			t.Errorf("task %+v for %+v, announced as %s", task, c, told[i].Next)
		}
		if broken := c.Block == "Y" && c.Arm == "A2"; broken != (failed[i] != nil) || broken && !strings.Contains(failed[i].Error(), "unknown benchmark") {
			t.Errorf("%s of arm %s: %v", c.Wanted, c.Arm, failed[i])
		}
	}
	r, ctx := interruptedWhen(t, func(at Progress) bool { return at.Done > 1 })
	if took, failed, err := r.Trial(ctx, p); !errors.Is(err, context.Canceled) || took != nil || failed != nil {
		t.Errorf("interrupted: %v, %v, %v", took, failed, err)
	}
}
