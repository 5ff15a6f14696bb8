package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/harness/host"
)

// measure runs the chosen cases and writes them to the file at path. Before it measures it
// checks that they can run here and that the file can be written. A nil seed means a random
// one.
func measure(ctx context.Context, stderr io.Writer, chosen []benches.Chosen, wanted func(string) bool, seed *uint64, path string) error {
	ticks, err := clock.Open()
	if err != nil {
		return err
	}
	allowed, err := host.Allowed()
	if err != nil {
		return err
	}
	asked := seed != nil
	if !asked {
		random := rand.Uint64()
		seed = &random
	}
	plan, err := benches.Plan(chosen, wanted, allowed, *seed)
	if err != nil {
		return withRunnable(err, chosen, allowed)
	}
	plan.AskedFor = asked
	if len(plan.Cases) == 0 {
		return usagef("no benchmark fits what was asked for; `tpbench list` shows what there is")
	}
	facts := append(host.Facts(), host.Fact{Key: "tsc", Value: fmt.Sprintf("%.0f Hz +-%.0f, step %.1f ns, overhead %.1f ns",
		ticks.Rate().Hz, ticks.Rate().Uncertainty, ticks.Precision(), ticks.Overhead().Median)})
	start, err := workers(ticks)
	if err != nil {
		return err
	}
	file, err := harness.Create(path, plan, facts, benches.Units())
	if err != nil {
		return err
	}
	if done := file.Done(); done > 0 {
		fmt.Fprintf(stderr, "%s holds %d of %d samples of this run; going on from there\n", path, done, plan.Samples())
	}
	bar := newProgress(stderr)
	runner := harness.Runner{Worker: start, Progress: bar.show}
	report, err := runner.Run(ctx, plan, file)
	bar.end()
	for _, lost := range report.Lost {
		fmt.Fprintln(stderr, lost)
	}
	if errors.Is(err, context.Canceled) {
		return interruptedError(fmt.Sprintf("interrupted: %d of %d samples are in %s; the same command with that file goes on from there",
			report.Done, report.Total, path))
	}
	if err == nil && len(report.Lost) > 0 {
		return lostError(fmt.Sprintf("%d of %d samples were lost, for the reasons above; the same command with %s takes them again", len(report.Lost), report.Total, path))
	}
	return err
}

// asked returns the value of a flag, or nil if it was not given.
func asked(cmd *cobra.Command, flag string, value *uint64) *uint64 {
	if cmd.Flags().Changed(flag) {
		return value
	}
	return nil
}

// A lostError is the error of a run that ended without some of its samples.
type lostError string

func (e lostError) Error() string { return string(e) }

// An interruptedError is context.Canceled in a sentence.
type interruptedError string

func (e interruptedError) Error() string { return string(e) }

func (e interruptedError) Is(target error) bool { return target == context.Canceled }

// withRunnable adds to the error of a case that cannot run here the cases that can.
func withRunnable(err error, chosen []benches.Chosen, allowed []int) error {
	var can []string
	seen := map[string]bool{}
	for _, ch := range chosen {
		for _, c := range ch.Cases {
			what := c.Summary()
			if c.Runnable(allowed) == nil && !seen[what] {
				seen[what] = true
				can = append(can, what)
			}
		}
	}
	if len(can) == 0 {
		return fmt.Errorf("%w; nothing of what was asked for can run here", err)
	}
	return fmt.Errorf("%w; nothing was measured. What can run here: %s", err, join(can))
}
