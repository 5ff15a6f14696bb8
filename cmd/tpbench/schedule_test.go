package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/results/compare"
	"github.com/tpbench/tpbench/results/stat"
)

// planned is a session of cases with so many layouts each; the last case has fixed rounds.
func planned(builds int, layouts ...int) *session {
	cmd := new(cobra.Command)
	cmd.SetErr(io.Discard)
	s := &session{cmd: cmd, plan: &harness.Plan{Builds: builds}}
	for _, n := range layouts {
		s.plan.Cases = append(s.plan.Cases, harness.Planned{Case: harness.Case{Layouts: n}})
	}
	s.plan.Cases = append(s.plan.Cases, harness.Planned{Rounds: 2})
	return s
}

// If this fails, a comparison has fewer rounds than a verdict about its lines needs, other looks than
// its rounds, a benchmark without some of the builds, or measures for longer than its budget.
func TestSchedule(t *testing.T) {
	const round, once = 8 * time.Second, 4 * time.Second // with blocks that are taken again, a round takes 9 s
	for _, c := range []struct {
		what   string
		sc     schedule
		builds int
		lines  int
		rounds []int // of cases with 0 and 4 layouts
		looks  string
		err    string
	}{
		{"one line", schedule{}, 0, 1, []int{7, 28}, "[]", ""},
		{"40 lines", schedule{}, 0, 40, []int{12, 48}, "[]", ""},
		{"builds", schedule{}, 13, 40, []int{16, 16}, "[]", ""},
		{"builds that are too few for the lines", schedule{}, 5, 1000, []int{8, 8}, "[]", ""},
		{"given", schedule{rounds: 2}, 0, 40, []int{2, 8}, "[]", ""},
		{"given, with builds", schedule{rounds: 17}, 13, 40, []int{20, 20}, "[]", ""},
		{"budget of 20 rounds", schedule{budget: 184 * time.Second}, 0, 1, []int{20, 80}, "[10 20 40 80]", ""},
		{"a moment less", schedule{budget: 184*time.Second - 1}, 0, 1, []int{19, 76}, "[10 19 38 76]", ""},
		{"budget, with builds", schedule{budget: 184 * time.Second}, 13, 40, []int{20, 20}, "[3 5 10 20]", ""},
		{"least budget", schedule{budget: 67 * time.Second}, 0, 1, []int{7, 28}, "[4 7 14 28]", ""},
		{"budget too small for the lines", schedule{budget: 67*time.Second - 1}, 0, 1, nil, "", "--budget 1m6.999999999s: 1 comparison needs 7 rounds of 9s here; expected 1m8s or more, or fewer benchmarks"},
		{"budget too small for the builds", schedule{budget: 100 * time.Second}, 13, 1, nil, "", "1 comparison needs 13 rounds, one for each build, of 9s here; expected 2m2s or more"},
		{"no time at all", schedule{budget: time.Second}, 0, 1, nil, "", "needs 7 rounds"},
		{"budget of years", schedule{budget: 1 << 62}, 0, 1, []int{mostRounds, 4 * mostRounds}, "[5000 10000 20000 40000]", ""},
	} {
		s := planned(c.builds, 0, 4)
		err := c.sc.set(s, c.lines, trialTime{round, once})
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) || exitCode(err) != 2 {
				t.Errorf("%s: error %v, want %q", c.what, err, c.err)
			}
			continue
		}
		must(t, err)
		if got := []int{s.plan.Cases[0].Rounds, s.plan.Cases[1].Rounds}; !slices.Equal(got, c.rounds) || s.plan.Cases[2].Rounds != 2 {
			t.Errorf("%s: rounds %d and %d, want %d and 2", c.what, got, s.plan.Cases[2].Rounds, c.rounds)
		}
		if got := fmt.Sprint(s.looks); got != c.looks {
			t.Errorf("%s: looks %s, want %s", c.what, got, c.looks)
		}
		facts := map[string]string{}
		for _, f := range s.facts {
			facts[f.Key] = f.Value
		}
		if want := strings.Trim(c.looks, "[]"); facts[compare.LooksFact] != want || facts[roundsFact] == "" {
			t.Errorf("%s: the file says %q", c.what, facts)
		}
	}
}

// If this fails, the last look of a budget, or a run without looks, cannot decide about its lines.
func TestEnough(t *testing.T) {
	looks := stat.Looks(compare.Level)
	for _, lines := range []int{1, 2, 7, 40, 300} {
		for _, c := range []struct {
			sc    schedule
			alpha float64
		}{{schedule{}, compare.Level}, {schedule{budget: 1}, looks[len(looks)-1].Alpha}} {
			n := c.sc.enough(lines)
			d := make([]float64, n)
			for i := range d {
				d[i] = 0.01 * float64(i+1)
			}
			if p := stat.Paired(d).P(0) * float64(lines); p > c.alpha {
				t.Errorf("%d lines, %v: %d units give p = %g at best", lines, c.sc, n, p)
			}
			if p := stat.Paired(d[1:]).P(0) * float64(lines); p <= c.alpha {
				t.Errorf("%d lines, %v: %d units are enough", lines, c.sc, n-1)
			}
		}
	}
}

// If this fails, a benchmark that a revision does not have is counted as one that dies in it, or the
// other way round: then what crashes is left out of the verdict.
func TestDeclines(t *testing.T) {
	for script, want := range map[string]bool{
		`echo "tpbench: no benchmark case is called X" >&2; exit 2`: true,
		`echo "tpbench: unknown flag: --slower" >&2; exit 2`:        true,
		`echo "tpbench: no membarrier" >&2; exit 3`:                 true,
		`echo "panic: tpbench: broken" >&2; exit 2`:                 false,
		`echo "fatal error: all goroutines are asleep" >&2; exit 2`: false,
		`echo "tpbench: the machine was too busy" >&2; exit 1`:      false,
		`kill -SEGV $$`: false,
		`exit 0`:        false,
	} {
		runner := harness.Runner{Worker: func(ctx context.Context, _ harness.Task) *exec.Cmd {
			return exec.CommandContext(ctx, "sh", "-c", script)
		}}
		_, errs, err := runner.Trial(t.Context(), &harness.Plan{Cases: []harness.Planned{{Case: harness.Case{Names: []string{"X"}}, Wanted: []string{"X"}}}})
		must(t, err)
		if got := declines(errs[0]); got != want {
			t.Errorf("%s: %v declines: %v", script, errs[0], got)
		}
	}
	if declines(nil) || declines(errors.New("exit status 2: tpbench: ")) {
		t.Error("an error of no process declines")
	}
}

// If this fails, what an arm lacks is measured in the others, or the run goes on with nothing to compare.
func TestLeave(t *testing.T) {
	var s *session
	begin := func() {
		s = planned(5)
		s.plan.Cases = nil
		for _, name := range []string{"X", "Y"} {
			s.plan.Cases = append(s.plan.Cases, harness.Planned{Case: harness.Case{Names: []string{name, name + "2"}}, Wanted: []string{name + "2"}})
		}
		benches.Arms(s.plan)
	}
	lackOf := func(arm, name string) lack { return lack{arm, name, errors.New("unknown")} }
	begin()
	must(t, s.leave(nil))
	if len(s.plan.Cases) != 6 || s.facts != nil {
		t.Errorf("nothing is lacking: %d cases, %v", len(s.plan.Cases), s.facts)
	}
	must(t, s.leave([]lack{lackOf(benches.Base, "X"), lackOf(benches.Again, "X")}))
	if len(s.plan.Cases) != 3 || slices.ContainsFunc(s.plan.Cases, func(c harness.Planned) bool { return c.Names[0] != "Y" }) {
		t.Errorf("X is lacking, and there is %v", s.plan.Cases)
	}
	if len(s.facts) != 1 || s.facts[0].Key != compare.LeftOutFact || s.facts[0].Value != "X" {
		t.Errorf("the file says %v", s.facts)
	}
	begin()
	if err := s.leave([]lack{lackOf(benches.Other, "X"), lackOf(benches.Other, "Y")}); err == nil || !strings.Contains(err.Error(), "in arm B: unknown") {
		t.Errorf("arm B has nothing: %v", err)
	}
	begin()
	if err := s.leave([]lack{lackOf(benches.Base, "X"), lackOf(benches.Other, "Y")}); err == nil || exitCode(err) != 2 {
		t.Errorf("the arms have nothing in common: %v", err)
	}
}
