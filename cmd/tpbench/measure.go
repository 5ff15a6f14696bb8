package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/harness/host"
	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/compare"
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

// A session is what a command that measures needs of this machine, and what it measures.
type session struct {
	cmd     *cobra.Command
	ticks   *clock.Clock
	allowed []int
	facts   []host.Fact
	worker  func(context.Context, harness.Task) *exec.Cmd
	seed    uint64
	plan    *harness.Plan
	guest   *guestRun // nil: this machine is measured

	// Of a comparison:
	earlier  *compare.Set // what the file held when this session began, or nil
	looks    []int        // harness.Runner.Looks
	by, base string       // of compare.Within: the arms of ab, if nothing else is said
	margin   float64      // likewise
}

// newSession prepares this machine for measuring. cmd has the flag --seed; without it the seed is
// random.
func newSession(cmd *cobra.Command, seed uint64) (*session, error) {
	s := newBareSession(cmd, seed)
	var err error
	if s.ticks, err = clock.Open(); err != nil {
		return nil, err
	}
	if s.allowed, err = host.Allowed(); err != nil {
		return nil, err
	}
	s.facts = append(s.facts, host.Fact{Key: "tsc", Value: fmt.Sprintf("%.0f Hz +-%.0f, step %.1f ns, overhead %.1f ns",
		s.ticks.Rate().Hz, s.ticks.Rate().Uncertainty, s.ticks.Precision(), s.ticks.Overhead().Median)})
	s.worker, err = workers(s.ticks)
	return s, err
}

// newBareSession is newSession for what is not measured by this machine's clock.
func newBareSession(cmd *cobra.Command, seed uint64) *session {
	if !cmd.Flags().Changed("seed") {
		seed = rand.Uint64()
	}
	return &session{cmd: cmd, seed: seed, facts: host.Facts(), by: compare.ArmKey, base: compare.ArmA, margin: compare.Margin}
}

// chooseArms makes the plan of a comparison: of chosen cases, with the torture of their strategies, but not in a guest.
func (s *session) chooseArms(chosen []benches.Chosen, wanted func(string) bool) error {
	if s.guest != nil {
		return s.choose(withoutRounds(chosen), wanted)
	}
	return s.choose(benches.WithTorture(withoutRounds(chosen)), func(name string) bool {
		return wanted(name) || benches.IsTorture(name)
	})
}

// withoutRounds makes the schedule set the rounds of chosen cases.
func withoutRounds(chosen []benches.Chosen) []benches.Chosen {
	for i := range chosen {
		chosen[i].Rounds = 0
	}
	return chosen
}

// choose makes the plan of chosen cases, with the names that are wanted.
func (s *session) choose(chosen []benches.Chosen, wanted func(string) bool) error {
	plan, err := benches.Plan(chosen, wanted, s.allowed, s.seed)
	if err != nil {
		return withRunnable(err, chosen, s.allowed)
	}
	if len(plan.Cases) == 0 {
		return usagef("no benchmark has all of these names and numbers; `tpbench list` shows what there is")
	}
	plan.SeedGiven = s.cmd.Flags().Changed("seed")
	s.plan = plan
	return nil
}

// run measures the plan and writes the samples to the file at path. Before it measures, it checks
// that the file can be written.
func (s *session) run(path string) error {
	s.facts = append(s.facts, host.Fact{Key: compare.CommandFact, Value: results.Visible(commandLine())})
	file, err := harness.Create(path, s.plan, s.facts, benches.Units())
	if err != nil {
		return err
	}
	stderr := s.cmd.ErrOrStderr()
	if done := file.Done(); done > 0 {
		fmt.Fprintf(stderr, "%s holds %d of %d samples of this run; measuring the others\n", path, done, s.plan.Samples())
	}
	bar := newProgress(stderr)
	runner := harness.Runner{Worker: s.worker, Progress: bar.show, Looks: s.looks}
	runner.Look = func(int) (bool, error) { return s.decided(path) }
	report, err := runner.Run(s.cmd.Context(), s.plan, file)
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

// decided reports whether every line of the gate family has its verdict.
func (s *session) decided(path string) (bool, error) {
	set, err := compare.Load(path)
	if err != nil {
		return false, err
	}
	report, err := compare.Within(set, s.by, s.base, s.margin)
	return err == nil && report.Decided(), err
}

// measure measures the chosen cases, and writes the samples of those that are wanted to the file at
// path.
func measure(cmd *cobra.Command, in place, chosen []benches.Chosen, wanted func(string) bool, seed uint64, path string) error {
	s, err := in.session(cmd, seed)
	if err != nil {
		return err
	}
	if chosen, err = in.narrow(cmd, chosen); err != nil {
		return err
	}
	if err := s.choose(chosen, wanted); err != nil {
		return err
	}
	if s.guest != nil {
		if _, err := s.firstBoot(); err != nil {
			return err
		}
		s.fold()
	}
	return s.run(path)
}

// report compares the arms of the run in the file at path, and writes the verdict. It does so too if the
// run lost samples; that error is returned as well.
func (s *session) report(measured error, path string, out output) error {
	if measured != nil && !is[lostError](measured) {
		return measured
	}
	set, err := compare.Load(path)
	var r *compare.Report
	if err == nil {
		r, err = compare.Within(set, s.by, s.base, s.margin)
	}
	if err != nil {
		return cmp.Or(measured, err) // so many samples were lost that there is nothing to compare
	}
	r.Command = commandLine()
	return errors.Join(out.write(s.cmd, r), measured)
}

// A lostError says that a run ended without some of its samples.
type lostError string

func (e lostError) Error() string { return string(e) }

// An interruptedError is context.Canceled with a sentence.
type interruptedError string

func (e interruptedError) Error() string { return string(e) }

// interrupted adds to context.Canceled what is left of the command's work. Other errors it returns.
func interrupted(err error, left string) error {
	if errors.Is(err, context.Canceled) {
		return interruptedError("interrupted; " + left)
	}
	return err
}

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
