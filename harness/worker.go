package harness

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/harness/host"
)

// A Task is what one worker process measures.
type Task struct {
	Names    []string      // of one Case: those whose samples are wanted, without the arm
	Arm      string        // Planned.Arm; the command of the worker may depend on it
	Round    int           // Env.Round
	Layout   int           // Env.Layout
	Build    int           // below Plan.Builds; the command of the worker may depend on it
	Slower   float64       // Planned.Slower
	Patience time.Duration // the longest wait for a quiet core
}

// Work measures one sample of the case on the calling goroutine, which stays pinned, and writes a
// comment line and a benchmark line for each name of the task. It is the body of a worker process.
// When ctx is done it lets the operation that runs end, closes the case, and returns ctx's error.
func Work(ctx context.Context, w io.Writer, c *clock.Clock, cs *Case, task Task) error {
	allowed, err := host.Allowed()
	if err != nil {
		return err
	}
	if err := cs.CheckCPUs(allowed); err != nil {
		return err
	}
	// Go's scheduler needs a P for each pinned thread, and others for other goroutines.
	runtime.GOMAXPROCS(cs.CPUs + 2)
	// The measuring thread gets the last CPU: on most machines CPU 0 handles interrupts.
	if err := host.Pin(allowed[cs.CPUs-1]); err != nil {
		return err
	}
	env := &Env{Layout: task.Layout, Round: task.Round, Pinned: true, CPUs: allowed[:cs.CPUs-1]}
	op, err := cs.Open(env)
	if err != nil {
		return err
	}
	runtime.GC()
	debug.SetGCPercent(-1)
	samples, err := newSampler(c, cs, op, env, task.Slower).measure(ctx, cs, task.Patience)
	if op.Close != nil {
		op.Close()
	}
	if err != nil {
		return err
	}
	for i, s := range samples {
		if !slices.Contains(task.Names, cs.Names[i]) {
			continue
		}
		if _, err := io.WriteString(w, s.lines(cs.Names[i])); err != nil {
			return err
		}
	}
	return nil
}

// CheckCPUs returns a *host.UnavailableError if the case needs more CPUs than this process may use.
func (cs *Case) CheckCPUs(allowed []int) error {
	if len(allowed) >= cs.CPUs {
		return nil
	}
	return &host.UnavailableError{
		What: fmt.Sprintf("%s needs %d CPUs and this process may use %d (%s)", cs.Names[0], cs.CPUs, len(allowed), host.FormatCPUs(allowed)),
		Do:   "give it more: with taskset, in the cpuset of its cgroup, or on a larger machine",
	}
}
