package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/builds"
	"github.com/tpbench/tpbench/harness/host"
	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/compare"
)

// An ab is one call of "tpbench ab".
type ab struct {
	cases      selection
	cmdA, cmdB string
	builds     int
	schedule   schedule
	path       string
	seed       uint64
	out        output
}

// Numbers of builds of an arm.
const (
	// fewestBuilds sample the layout at least roughly.
	fewestBuilds = 5

	// usualBuilds are enough for the 40 lines of the gate family, and have no factor in common with
	// the number of alignments of a timed loop, so that each build is measured at each.
	usualBuilds = 13

	mostBuilds = 1000
)

// program is what ab builds of a revision.
const program = "./cmd/tpbench"

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

Without --bench and --impl, it measures the gate family: 40 benchmarks that stand for all.

With --cmd-a and --cmd-b it compares two commands that print Go benchmark format, such as the test
binaries of two revisions of any project. A runs twice in each round, as A and A2.

If FILE was left by an interrupted run with the same flags, ab measures what is missing.`,
		Example: `  tpbench ab main my-branch
  tpbench ab HEAD . --bench DisableAll --impl batched --gp memb --budget 2m
  tpbench ab --cmd-a './old.test -test.bench=.' --cmd-b './new.test -test.bench=.' --rounds 12`,
		Args: func(_ *cobra.Command, args []string) error {
			switch commands := run.cmdA != "" || run.cmdB != ""; {
			case commands && (run.cmdA == "" || run.cmdB == ""):
				return usagef("expected both --cmd-a and --cmd-b")
			case commands && len(args) > 0:
				return usagef("ab takes two revisions, or --cmd-a and --cmd-b, not both")
			case !commands && len(args) != 2:
				return usagef("ab takes two revisions, REV1 and REV2, not %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := run.schedule.check(cmd.Flags()); err != nil {
				return err
			}
			if run.builds < fewestBuilds || run.builds > mostBuilds {
				return usagef("--builds %d: expected %d to %d", run.builds, fewestBuilds, mostBuilds)
			}
			if run.cmdA != "" {
				for _, flag := range append(slices.Clone(selectionFlags), "builds") {
					if cmd.Flags().Changed(flag) {
						return usagef("--%s is for revisions, and not for --cmd-a and --cmd-b", flag)
					}
				}
			}
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
	f.StringVar(&run.cmdA, "cmd-a", "", "shell command of arm A, which prints Go benchmark format")
	f.StringVar(&run.cmdB, "cmd-b", "", "shell command of arm B")
	f.IntVar(&run.builds, "builds", usualBuilds, "builds of each arm")
	run.schedule.flags(f)
	f.StringVarP(&run.path, "output", "o", "", "file to write the results to (default tpbench-ab-TIME.txt)")
	f.Uint64Var(&run.seed, "seed", 0, "determines the order of the samples in each round (default random; the file names it)")
	run.out.flags(f)
	return cmd
}

// revisions compares two revisions.
func (run *ab) revisions(cmd *cobra.Command, nameA, nameB string) error {
	ctx := cmd.Context()
	a, err := builds.Resolve(ctx, ".", nameA)
	if err != nil {
		return err
	}
	b, err := builds.Resolve(ctx, ".", nameB)
	if err != nil {
		return err
	}
	bar := newProgress(cmd.ErrOrStderr())
	same, _, err := builds.SameCode(ctx, a, b, program, bar.step)
	bar.end()
	if err != nil {
		return err
	}
	if same {
		r := compare.Same(a.String(), b.String())
		r.Command = commandLine()
		return run.out.write(cmd, r)
	}
	s, err := newSession(cmd, run.seed)
	if err != nil {
		return err
	}
	chosen, wanted, err := run.cases.orGate(cmd)
	if err != nil {
		return err
	}
	if err := s.chooseArms(chosen, wanted); err != nil {
		return err
	}
	lines := benches.Arms(s.plan)
	if err := s.build(a, b, run.builds, run.path); err != nil {
		return err
	}
	if err := s.fit(lines, run.schedule, run.path); err != nil {
		return err
	}
	err = s.report(s.run(run.path), run.path, run.out)
	if !errors.Is(err, context.Canceled) {
		os.RemoveAll(programsOf(run.path)) // an interrupted run goes on with them
	}
	return err
}

// commands compares two shell commands.
func (run *ab) commands(cmd *cobra.Command) error {
	s, err := newSession(cmd, run.seed)
	if err != nil {
		return err
	}
	began := time.Now()
	learned, err := learnCommands(cmd.Context(), run.cmdA, run.cmdB)
	if err != nil {
		return err
	}
	took := time.Since(began) * 3 / 2 // both ran once; in a round A runs twice
	stderr := cmd.ErrOrStderr()
	for _, p := range learned.problems {
		fmt.Fprintln(stderr, results.Visible(p))
	}
	for arm, names := range map[string][]string{benches.Base: learned.onlyA, benches.Other: learned.onlyB} {
		for _, n := range names {
			fmt.Fprintf(stderr, "%s is left out: only arm %s has it\n", results.Visible(n), arm)
		}
	}
	if len(learned.both) == 0 {
		return usagef("the commands have no benchmark in common")
	}
	of := map[string]string{benches.Base: run.cmdA, benches.Again: run.cmdA, benches.Other: run.cmdB}
	s.plan = &harness.Plan{Seed: s.seed, SeedGiven: cmd.Flags().Changed("seed")}
	for _, arm := range []string{benches.Base, benches.Again, benches.Other} {
		c := harness.Case{Names: learned.both, CPUs: 1, Slow: slowestCommand}
		s.plan.Cases = append(s.plan.Cases, harness.Planned{Case: c, Wanted: learned.both, Block: "commands", Arm: arm})
	}
	s.by, s.base = compare.ArmKey, compare.ArmA
	s.facts = append(s.facts, host.Fact{Key: compare.FactA, Value: oneLine(run.cmdA)}, host.Fact{Key: compare.FactB, Value: oneLine(run.cmdB)})
	s.worker = func(ctx context.Context, t harness.Task) *exec.Cmd {
		return itself(exec.CommandContext(ctx, self, "command-worker", "--packages="+strconv.FormatBool(learned.packages), "--", of[t.Arm]))
	}
	if err := run.schedule.set(s, len(learned.both), run.path, took); err != nil {
		return err
	}
	return s.report(s.run(run.path), run.path, run.out)
}

// slowestCommand is longer than a command should take that is run a dozen times.
const slowestCommand = time.Hour

// oneLine makes a command fit for a configuration line.
func oneLine(command string) string {
	return results.Visible(strings.Join(strings.Fields(command), " "))
}

// fit measures a round, takes out what one arm cannot run, and sets the schedule.
func (s *session) fit(lines int, sc schedule, path string) error {
	took, failed, err := s.trial()
	if err != nil {
		return err
	}
	for _, f := range failed {
		fmt.Fprintln(s.cmd.ErrOrStderr(), f)
	}
	if len(s.plan.Cases) == 0 {
		return fmt.Errorf("no benchmark runs in both arms, for the reasons above")
	}
	return sc.set(s, lines, path, took)
}

// programsOf is the directory of the programs that a run measures.
func programsOf(path string) string { return path + ".programs" }

// layoutsFact is the configuration key of the first seed of the builds' layouts.
const layoutsFact = "layouts"

// build builds n programs of each arm, and makes them the workers. A run that is continued has its
// file's layouts.
func (s *session) build(a, b *builds.Revision, n int, path string) error {
	first, err := strconv.ParseUint(factOf(path, layoutsFact), 10, 62)
	if err != nil {
		first = 1 + rand.Uint64N(1<<61)
	}
	programs := map[string][]string{}
	bar := newProgress(s.cmd.ErrOrStderr())
	defer bar.end()
	for i, arm := range []struct {
		name     string
		revision *builds.Revision
	}{{benches.Base, a}, {benches.Again, a}, {benches.Other, b}} {
		var seeds []uint64
		for j := range n {
			seeds = append(seeds, first+uint64(i*n+j))
		}
		programs[arm.name], err = arm.revision.Build(s.cmd.Context(), program, programsOf(path), seeds, bar.step)
		if err != nil {
			return err
		}
	}
	s.plan.Builds = n
	s.by, s.base = compare.ArmKey, compare.ArmA
	s.facts = append(s.facts,
		host.Fact{Key: compare.FactA, Value: a.String()},
		host.Fact{Key: compare.FactB, Value: b.String()},
		host.Fact{Key: layoutsFact, Value: strconv.FormatUint(first, 10)})
	s.worker, err = workersOf(s.ticks, func(t harness.Task) string { return programs[t.Arm][t.Build] })
	return err
}

// chooseArms makes the plan of what is compared in several arms, with the torture of its strategies.
func (s *session) chooseArms(chosen []benches.Chosen, wanted func(string) bool) error {
	for i := range chosen {
		chosen[i].Rounds = 0 // until the schedule is known
	}
	return s.choose(append(chosen, benches.Tortured(chosen)), func(name string) bool {
		return wanted(name) || strings.HasPrefix(name, benches.TortureName+"/")
	})
}
