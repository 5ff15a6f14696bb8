package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/clock"
)

// clockEnv carries the coordinator's calibration to its workers.
const clockEnv = "TPBENCH_CLOCK"

// newWorker is the process that measures: tpbench worker LAYOUT NAME...
func newWorker() *cobra.Command {
	var patience time.Duration
	cmd := &cobra.Command{
		Use:    "worker LAYOUT NAME...",
		Short:  "Measure one sample (started by run and evidence)",
		Hidden: true,
		Args:   cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			layout, err := strconv.Atoi(args[0])
			if err != nil || layout < 0 {
				return usagef("worker: LAYOUT is a number from 0, not %q", args[0])
			}
			names := args[1:]
			c, err := benches.Find(names[0])
			if err != nil {
				return err
			}
			for _, n := range names {
				if !slices.Contains(c.Names, n) {
					return usagef("worker: %s and %s are not measured by one case", names[0], n)
				}
			}
			if c.Err != nil {
				return c.Err
			}
			ticks, err := inheritedClock()
			if err != nil {
				return err
			}
			return harness.Work(cmd.OutOrStdout(), ticks, &c.Case, names, layout, patience)
		},
	}
	cmd.Flags().DurationVar(&patience, "patience", 0, "how long to wait for a quiet core")
	return cmd
}

// inheritedClock is the coordinator's, or this process's own if it was started by
// hand.
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

// workers returns the command of a worker process of this same binary.
func workers(ticks *clock.Clock) (func(context.Context, []string, int, time.Duration) *exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this binary, to start workers: %w", err)
	}
	calibration, err := ticks.MarshalText()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, names []string, layout int, patience time.Duration) *exec.Cmd {
		args := append([]string{"worker", "--patience", patience.String(), strconv.Itoa(layout)}, names...)
		cmd := exec.CommandContext(ctx, self, args...)
		cmd.Env = append(os.Environ(), clockEnv+"="+string(calibration))
		return cmd
	}, nil
}
