package main

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/harness"
)

// A trialTime is how long the samples of a comparison take.
type trialTime struct {
	round time.Duration // of those that every round has; several layouts count as so many rounds
	once  time.Duration // of all rounds of the others, whose number is fixed
}

// trial measures each case of the plan once. Benchmarks that an arm lacks are left out in all arms, and
// named. One whose worker dies stays: its samples will be lost, and the verdict counts that.
func (s *session) trial() (trialTime, error) {
	var took trialTime
	bar := newProgress(s.cmd.ErrOrStderr())
	defer bar.end()
	bar.note("one trial of each benchmark")
	runner := harness.Runner{Worker: s.worker, Progress: func(at harness.Progress) {
		bar.redraw("trial: %d of %d samples  %s", at.Done, at.Total, at.Next)
	}}
	each, failed, err := runner.Trial(s.cmd.Context(), s.plan)
	if err != nil {
		return took, interruptedError("interrupted in the trial; nothing was measured yet")
	}
	bar.end()
	var lacks []lack
	for i, c := range s.plan.Cases {
		switch t := each[i]; {
		case declines(failed[i]):
			lacks = append(lacks, lack{c.Arm, c.Names[0], failed[i]})
		case failed[i] != nil:
			fmt.Fprintf(s.cmd.ErrOrStderr(), "the trial of %s%s failed: %v\n", c.Names[0], inArm(c.Arm), failed[i])
		case c.Rounds > 0:
			took.once += t * time.Duration(c.Rounds)
		case s.plan.Builds > 0:
			took.round += t
		default:
			took.round += t * time.Duration(max(1, c.Layouts))
		}
	}
	return took, s.leave(lacks)
}

// A lack is a benchmark that an arm cannot run.
type lack struct {
	arm, name string // of the first phase
	err       error
}

// declines reports whether a worker ended with a sentence that says that its binary does not have
// the benchmark, or cannot measure it here.
func declines(err error) bool {
	// A panic has the exit code 2, too.
	exit, ok := errors.AsType[*exec.ExitError](err)
	return ok && (exit.ExitCode() == 2 || exit.ExitCode() == 3) && strings.Contains(err.Error(), exit.String()+": tpbench: ")
}

// leave leaves out what an arm lacks. Its error says that nothing is left.
func (s *session) leave(lacks []lack) error {
	cases, count := map[string]int{}, map[string]int{}
	for _, c := range s.plan.Cases {
		cases[c.Arm]++
	}
	var names []string
	for _, l := range lacks {
		if count[l.arm]++; count[l.arm] == cases[l.arm] {
			return usagef("nothing can be compared%s: %w; a revision that is much older or newer may start its workers in another way", inArm(l.arm), l.err)
		}
		if !slices.Contains(names, l.name) {
			fmt.Fprintf(s.cmd.ErrOrStderr(), "%s is left out, since it cannot run%s: %v\n", l.name, inArm(l.arm), l.err)
			names = append(names, l.name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	s.leaveOut(names)
	if benches.Lines(s.plan) == 0 {
		return usagef("no benchmark is left to compare")
	}
	return nil
}

// inArm is the end of a sentence about a case.
func inArm(arm string) string {
	if arm == "" {
		return ""
	}
	return " in arm " + arm
}
