package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/impls/kernel"
)

// clockEnv carries the coordinator's calibration to its workers.
const clockEnv = "TPBENCH_CLOCK"

// mostSlower bounds a known slowdown, so that a worker ends before it is taken to hang.
const mostSlower = 100

// newWorker returns the command of the process that measures one sample: tpbench worker NAME...
func newWorker() *cobra.Command {
	var task harness.Task
	cmd := startedCommand("worker NAME...", "Measure one sample (run and evidence start it)", cobra.MinimumNArgs(1), func(cmd *cobra.Command, args []string) error {
		task.Names = args
		c, err := benches.Find(args[0])
		if err != nil {
			return err
		}
		for _, n := range args {
			if !slices.Contains(c.Names, n) {
				return usagef("worker: %s and %s are not of one case", args[0], n)
			}
		}
		if task.Layout < 0 || task.Layout >= max(1, c.Layouts) {
			return usagef("worker: --layout %d: expected less than %d, the layouts of %s", task.Layout, max(1, c.Layouts), args[0])
		}
		if !(task.Slower >= 0 && task.Slower <= mostSlower) {
			return usagef("worker: --slower %v: expected 0 to %d", task.Slower, mostSlower)
		}
		if err := c.Check(); err != nil {
			return err
		}
		if c.Benchmark.Apart != "" {
			if err := alone(); err != nil {
				return err
			}
		}
		ticks, err := inheritedClock()
		if err != nil {
			return err
		}
		return harness.Work(cmd.Context(), cmd.OutOrStdout(), ticks, &c.Case, task)
	})
	f := cmd.Flags()
	f.IntVar(&task.Round, "round", 0, "round of the sample")
	f.IntVar(&task.Layout, "layout", 0, "alignment to measure at")
	f.Float64Var(&task.Slower, "slower", 0, "share by which each timed part is made longer: 0.005 is half a percent")
	f.DurationVar(&task.Patience, "patience", 0, "longest wait for a quiet core")
	return cmd
}

// alone puts back what a worker that was killed has left in the running kernel, and returns an error if another program has
// begun to trace since the run began. Either would make each transition another one.
func alone() error {
	if _, err := kernel.Sweep(); err != nil {
		return err
	}
	return kernel.Busy()
}

// startedCommand returns a hidden command, which other commands start as a process.
func startedCommand(use, short string, args cobra.PositionalArgs, run func(*cobra.Command, []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Hidden: true, Args: args, RunE: func(cmd *cobra.Command, args []string) error {
		if err := harness.ShowStacks(); err != nil {
			return err
		}
		return run(cmd, args)
	}}
}

// inheritedClock returns the coordinator's clock, or a new one if no coordinator started this
// process.
func inheritedClock() (*clock.Clock, error) {
	text, ok := os.LookupEnv(clockEnv)
	if !ok {
		return clock.Open()
	}
	ticks := new(clock.Clock)
	if err := ticks.UnmarshalText([]byte(text)); err != nil {
		return nil, fmt.Errorf("%s: %w", clockEnv, err)
	}
	return ticks, nil
}

// self is this binary, also if its file has been replaced since it was started. So a worker is
// always the same binary as its coordinator.
const self = "/proc/self/exe"

// checkSelf returns an error if no worker of this binary can be started.
func checkSelf() error {
	if _, err := os.Stat(self); err != nil {
		return fmt.Errorf("finding this binary, to start workers: %w", err)
	}
	return nil
}

// itself gives a command of self the name with which this process was started.
func itself(cmd *exec.Cmd) *exec.Cmd {
	cmd.Args[0] = os.Args[0]
	return cmd
}

// workers returns a function that makes the command of a worker.
func workers(ticks *clock.Clock) (func(context.Context, harness.Task) *exec.Cmd, error) {
	if err := checkSelf(); err != nil {
		return nil, err
	}
	start, err := workersOf(ticks, func(harness.Task) string { return self })
	return func(ctx context.Context, t harness.Task) *exec.Cmd { return itself(start(ctx, t)) }, err
}

// workersOf returns a function that makes the command of a worker of the program that has a task.
func workersOf(ticks *clock.Clock, program func(harness.Task) string) (func(context.Context, harness.Task) *exec.Cmd, error) {
	calibration, err := ticks.MarshalText()
	return func(ctx context.Context, t harness.Task) *exec.Cmd {
		cmd := exec.CommandContext(ctx, program(t), workerArgs(t)...)
		cmd.Env = append(os.Environ(), clockEnv+"="+string(calibration))
		return cmd
	}, err
}

// workerArgs returns the arguments of the worker of a task. A binary of an older revision does
// not know --slower, so it stands there only if it is needed.
func workerArgs(t harness.Task) []string {
	args := []string{"worker", "--round", strconv.Itoa(t.Round), "--layout", strconv.Itoa(t.Layout), "--patience", t.Patience.String()}
	if t.Slower > 0 {
		args = append(args, "--slower", strconv.FormatFloat(t.Slower, 'g', -1, 64))
	}
	return append(args, t.Names...)
}
