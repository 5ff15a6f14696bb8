package main

import (
	"cmp"
	"context"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/host"
	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/compare"
)

// An ab is one call of "tpbench ab".
type ab struct {
	cases      selection
	in         place
	cmdA, cmdB string
	builds     int
	schedule   schedule
	path       string
	seed       uint64
	out        output
}

func newAB() *cobra.Command {
	var run ab
	cmd := &cobra.Command{
		Use:   "ab REV1 REV2 | ab --cmd-a COMMAND --cmd-b COMMAND",
		Short: "Compare two revisions of this repository, or two commands, with a verdict for each benchmark",
		Long: `ab says whether REV2 (arm B) is slower than REV1 (arm A). A revision is a commit, a branch, a tag, or
"." for the working tree as it is.

ab builds both revisions, REV1 twice (arms A and A2), each several times with functions in
another order, because the order alone changes times. It measures one sample of each arm one after the other,
in random order, with another build in each round. B is slower only if it is slower than A and A2, and by
more than these two differ. If both revisions have the same machine code, ab says so and measures nothing.
Safety comes first: a strategy that torture broke is worse, whatever its time.

Without --bench, --impl and the like, it measures the gate family: 33 cases with 40 times, which stand for all.
--budget is the time to measure for; the builds take half a minute more.

With --cmd-a and --cmd-b it compares two commands that print Go benchmark format, such as the test
binaries of two revisions of any project. A runs twice in each round, as A and A2.

` + guestHelp + ` Each arm has one build.

If FILE was left by an interrupted run with the same flags, ab measures what is missing. Until then, the
builds are in FILE.programs.`,
		Example: `  tpbench ab main my-branch
  tpbench ab HEAD . --bench DisableAll --impl batched --gp memb --budget 2m
  tpbench ab main my-branch --guest vmlinuz --bench DisableAll --impl batched --gp memb
  tpbench ab --cmd-a './old.test -test.run=none -test.bench=.' --cmd-b './new.test -test.run=none -test.bench=.' --rounds 12`,
		Args: func(cmd *cobra.Command, args []string) error { return run.check(cmd.Flags(), args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			if run.path == "" {
				run.path = "tpbench-ab-" + time.Now().UTC().Format("20060102-150405") + ".txt"
			}
			if run.cmdA != "" {
				return run.commands(cmd)
			}
			return run.revisions(cmd, args[0], args[1])
		},
	}
	f := cmd.Flags()
	run.cases.flags(f)
	run.in.flags(f)
	f.StringVar(&run.cmdA, "cmd-a", "", "shell command of arm A, which prints Go benchmark format")
	f.StringVar(&run.cmdB, "cmd-b", "", "shell command of arm B")
	f.IntVar(&run.builds, "builds", usualBuilds, "builds of each arm")
	run.schedule.flags(f)
	f.StringVarP(&run.path, "output", "o", "", "file to write the results to (default tpbench-ab-TIME.txt)")
	f.Uint64Var(&run.seed, "seed", 0, "determines the order of the samples in each round, and the layouts (default random; the file names it)")
	run.out.flags(f)
	return cmd
}

// check returns an error if the flags and arguments do not fit together.
func (run *ab) check(given *pflag.FlagSet, args []string) error {
	commands := given.Changed("cmd-a") || given.Changed("cmd-b")
	switch {
	case commands && (strings.TrimSpace(run.cmdA) == "" || strings.TrimSpace(run.cmdB) == ""):
		return usagef("expected two commands, --cmd-a and --cmd-b")
	case commands && len(args) > 0:
		return usagef("ab takes two revisions, or --cmd-a and --cmd-b, not both")
	case !commands && len(args) != 2:
		return usagef("ab takes two revisions, REV1 and REV2, not %d", len(args))
	}
	for _, flag := range append(slices.Clone(selectionFlags), "builds", "guest") {
		if commands && given.Changed(flag) {
			return usagef("--%s is for revisions, and not for --cmd-a and --cmd-b", flag)
		}
	}
	if err := cmp.Or(run.schedule.check(given), run.out.check(), run.in.check(given)); err != nil || commands {
		return err
	}
	if run.in.image != "" && given.Changed("builds") {
		return usagef("--builds is for the host: in a guest the order of the code changes nothing, and each arm has one build")
	}
	return checkBuilds(run.builds, given.Changed("builds"), run.schedule)
}

// commands compares two shell commands. Each runs once before, to learn the names of its benchmarks and how
// long it takes.
func (run *ab) commands(cmd *cobra.Command) error {
	s, err := newSession(cmd, run.seed)
	if err != nil {
		return err
	}
	factA := host.Fact{Key: compare.FactA, Value: results.Visible(strings.TrimSpace(run.cmdA))}
	factB := host.Fact{Key: compare.FactB, Value: results.Visible(strings.TrimSpace(run.cmdB))}
	if err := s.resume(run.path, run.schedule, factA, factB); err != nil {
		return err
	}
	began := time.Now()
	learned, err := learnCommands(cmd.Context(), run.cmdA, run.cmdB)
	switch {
	case cmd.Context().Err() != nil:
		return interrupted(cmd.Context().Err(), "nothing was measured")
	case err != nil:
		return usageError{err} // the user gave the command
	}
	took := trialTime{round: time.Since(began) * 3 / 2} // both ran once; in a round A runs twice
	if run.cmdA == run.cmdB {
		took.round *= 2 // it ran once
	}
	learned.show(cmd.ErrOrStderr())
	if len(learned.both) == 0 {
		return usagef("the commands have no benchmark in common")
	}
	of := map[string]string{benches.Base: run.cmdA, benches.Again: run.cmdA, benches.Other: run.cmdB}
	s.plan = &harness.Plan{Seed: s.seed, SeedGiven: cmd.Flags().Changed("seed")}
	for _, arm := range []string{benches.Base, benches.Again, benches.Other} {
		c := harness.Case{Names: learned.both, CPUs: 1, Slow: slowestCommand}
		s.plan.Cases = append(s.plan.Cases, harness.Planned{Case: c, Wanted: learned.both, Block: "commands", Arm: arm})
	}
	s.margin = run.out.share()
	s.worker = func(ctx context.Context, t harness.Task) *exec.Cmd {
		args := []string{"command-worker", "--packages=" + strconv.FormatBool(learned.packages)}
		for _, name := range t.Names {
			args = append(args, "--name="+name)
		}
		return itself(exec.CommandContext(ctx, self, append(args, "--", of[t.Arm])...))
	}
	if err := run.schedule.set(s, len(learned.both), took); err != nil {
		return err
	}
	return s.report(s.run(run.path), run.path, run.out)
}

// slowestCommand is longer than a command should take that is run a dozen times.
const slowestCommand = time.Hour
