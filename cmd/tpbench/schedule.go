package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/host"
	"github.com/tpbench/tpbench/results/compare"
	"github.com/tpbench/tpbench/results/stat"
)

// A schedule says how long a comparison may take: so many rounds, or so much time, or else as many
// rounds as its lines need.
type schedule struct {
	rounds int
	budget time.Duration
}

func (sc *schedule) flags(f *pflag.FlagSet) {
	f.IntVar(&sc.rounds, "rounds", 0, "blocks of each benchmark; of one with 4 alignments, at each (default as many as the number of benchmarks needs)")
	f.DurationVar(&sc.budget, "budget", 0, "time to spend, such as 2m; stops early once every benchmark has a verdict")
}

func (sc *schedule) check(given *pflag.FlagSet) error {
	switch {
	case given.Changed("rounds") && sc.rounds < 1, sc.rounds > mostRounds:
		return usagef("--rounds %d: expected 1 to %d", sc.rounds, mostRounds)
	case given.Changed("budget") && sc.budget <= 0:
		return usagef("--budget %v: expected a time above 0, such as 2m", sc.budget)
	case sc.rounds > 0 && sc.budget > 0:
		return usagef("expected --rounds or --budget, not both")
	}
	return nil
}

// set sets the rounds of those cases of the plan that have none yet. So many lines will be compared.
// trial has measured each case once. A file at path that is to be continued keeps its rounds.
func (sc *schedule) set(s *session, lines int, path string, trial time.Duration) error {
	if sc.budget == 0 {
		rounds := sc.rounds
		if rounds == 0 {
			rounds = stat.LeastUnits(compare.Level / float64(lines))
		}
		s.setRounds(max(rounds, s.plan.Builds))
		return nil
	}
	looks := stat.Looks(compare.Level)
	rounds, _ := strconv.Atoi(factOf(path, roundsFact)) // 0 if the run begins
	if rounds == 0 {
		least := max(s.plan.Builds, stat.LeastUnits(looks[len(looks)-1].Alpha/float64(lines)))
		each := trial * 9 / 8 // an eighth for blocks that are measured again
		if rounds = int(sc.budget / each); rounds < least {
			return usagef("--budget %v: %d benchmarks need %d rounds, and a round takes %v here; expected %v or more, or fewer benchmarks",
				sc.budget, lines, least, each.Round(time.Millisecond), (each * time.Duration(least)).Round(time.Second))
		}
	}
	s.setRounds(rounds)
	most := 0
	for _, c := range s.plan.Cases {
		most = max(most, c.Rounds)
	}
	var words []string
	for _, l := range looks {
		s.looks = append(s.looks, int(l.Share*float64(most)+0.5))
		words = append(words, strconv.Itoa(s.looks[len(s.looks)-1]))
	}
	s.facts = append(s.facts,
		host.Fact{Key: roundsFact, Value: strconv.Itoa(rounds)},
		host.Fact{Key: compare.LooksFact, Value: strings.Join(words, " ")})
	return nil
}

// roundsFact is the configuration key of what a budget came to, for a session that continues the run.
const roundsFact = "rounds"

// factOf returns a fact of the file at path, or "" if there is no such file, or no sample in it yet.
func factOf(path, key string) string {
	set, err := compare.Load(path)
	if err != nil {
		return ""
	}
	return set.Fact(key)
}

// setRounds sets the rounds of the cases that have none. One with several layouts is measured so
// many times at each, unless each round has builds of its own: their layouts differ anyway.
func (s *session) setRounds(rounds int) {
	for i := range s.plan.Cases {
		switch c := &s.plan.Cases[i]; {
		case c.Rounds > 0:
		case s.plan.Builds > 0:
			c.Rounds = rounds
		default:
			c.Rounds = rounds * max(1, c.Layouts)
		}
	}
}

// trial measures each case of the plan once, and returns how long a round takes in the mean: one with
// several layouts counts once for each. Cases that fail in an arm are taken out of the plan in all
// arms, and named.
func (s *session) trial() (took time.Duration, failed []string, err error) {
	layouts := map[int][]harness.Planned{}
	for _, c := range s.plan.Cases {
		n := max(1, c.Layouts)
		if s.plan.Builds > 0 {
			n = 1
		}
		layouts[n] = append(layouts[n], c)
	}
	bar := newProgress(s.cmd.ErrOrStderr())
	defer bar.end()
	runner := harness.Runner{Worker: s.worker, Progress: bar.show}
	bad := map[string]bool{}
	for n, cases := range layouts {
		t, errs, err := runner.Trial(s.cmd.Context(), &harness.Plan{Cases: cases, Builds: s.plan.Builds})
		if err != nil {
			return 0, nil, err
		}
		took += t * time.Duration(n)
		for i, err := range errs {
			if err != nil {
				bad[cases[i].Names[0]] = true
				failed = append(failed, fmt.Sprintf("%s is left out, because arm %s cannot run it: %v", cases[i].Names[0], cases[i].Arm, err))
			}
		}
	}
	s.plan.Cases = slices.DeleteFunc(s.plan.Cases, func(c harness.Planned) bool { return bad[c.Names[0]] })
	slices.Sort(failed)
	return took, failed, nil
}

// arrange sets the schedule of a comparison, after a trial if there is a budget.
func (s *session) arrange(lines int, sc schedule, path string) error {
	if sc.budget == 0 {
		return sc.set(s, lines, path, 0)
	}
	took, failed, err := s.trial()
	if err != nil {
		return err
	}
	if len(failed) > 0 {
		return fmt.Errorf("%s", strings.Join(failed, "\n"))
	}
	return sc.set(s, lines, path, took)
}
