package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/harness/host"
)

// mostEvents is 400 times the number of events in a kernel. A worker needs 2 GB of memory for
// so many.
const mostEvents = 1_000_000

// checkEvents returns an error if --events cannot be n.
func checkEvents(n int) error {
	if n < 1 {
		return usagef("--events %d: expected 1 or more", n)
	}
	if n > mostEvents {
		return usagef("--events %d: expected %d or fewer", n, mostEvents)
	}
	return nil
}

// measure measures the chosen cases, and writes the samples of those that are wanted to the
// file at path. Before it measures, it checks that the cases can run here and that the file can
// be written. cmd has the flag --seed; without it the seed is random.
func measure(cmd *cobra.Command, chosen []benches.Chosen, wanted func(string) bool, seed uint64, path string) error {
	ticks, err := clock.Open()
	if err != nil {
		return err
	}
	allowed, err := host.Allowed()
	if err != nil {
		return err
	}
	given := cmd.Flags().Changed("seed")
	if !given {
		seed = rand.Uint64()
	}
	plan, err := benches.Plan(chosen, wanted, allowed, seed)
	if err != nil {
		return withRunnable(err, chosen, allowed)
	}
	plan.SeedGiven = given
	if len(plan.Cases) == 0 {
		return usagef("no benchmark has all of these names and numbers; `tpbench list` shows what there is")
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
	stderr := cmd.ErrOrStderr()
	if done := file.Done(); done > 0 {
		fmt.Fprintf(stderr, "%s holds %d of %d samples of this run; measuring the others\n", path, done, plan.Samples())
	}
	bar := newProgress(stderr)
	runner := harness.Runner{Worker: start, Progress: bar.show}
	report, err := runner.Run(cmd.Context(), plan, file)
	bar.end()
	for _, lost := range report.Lost {
		fmt.Fprintln(stderr, lost)
	}
	if errors.Is(err, context.Canceled) {
		return interruptedError(fmt.Sprintf("interrupted: %d of %d samples are in %s; the same command with that file measures the others",
			report.Done, report.Total, path))
	}
	if err == nil && len(report.Lost) > 0 {
		return lostError(fmt.Sprintf("%d of %d samples were lost, for the reasons above; the same command with %s measures them again", len(report.Lost), report.Total, path))
	}
	return err
}

// A lostError says that a run ended without some of its samples.
type lostError string

func (e lostError) Error() string { return string(e) }

// An interruptedError is context.Canceled with a sentence.
type interruptedError string

func (e interruptedError) Error() string { return string(e) }

func (e interruptedError) Is(target error) bool { return target == context.Canceled }

// withRunnable adds to the error of a case that cannot run here which chosen cases can.
func withRunnable(err error, chosen []benches.Chosen, allowed []int) error {
	var can []string
	for _, ch := range chosen {
		for _, c := range ch.Cases {
			if what := c.Summary(); c.Runnable(allowed) == nil && !slices.Contains(can, what) {
				can = append(can, what)
			}
		}
	}
	if len(can) == 0 {
		return fmt.Errorf("%w; none of the chosen benchmarks can run here", err)
	}
	return fmt.Errorf("%w; nothing was measured. These can run here: %s", err, join(can))
}
