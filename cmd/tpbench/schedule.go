package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/tpbench/tpbench/benches"
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
	f.IntVar(&sc.rounds, "rounds", 0, "blocks of each benchmark; without builds, of one with 4 alignments at each (default as many as the number of comparisons needs)")
	f.DurationVar(&sc.budget, "budget", 0, "time to measure for, such as 2m; stops early once every benchmark has a verdict")
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

// alpha is the level of the last look at the samples, which is the only one without a budget.
func (sc *schedule) alpha() float64 {
	if sc.budget == 0 {
		return compare.Level
	}
	looks := stat.Looks(compare.Level)
	return looks[len(looks)-1].Alpha
}

// enough is how many units a verdict about so many lines needs at least.
func (sc *schedule) enough(lines int) int { return stat.LeastUnits(sc.alpha() / float64(lines)) }

// usual is how many units there are without --rounds and --budget: 12 for 40 lines. The least number would do only
// if all agree; so one may differ a little.
func (sc *schedule) usual(lines int) int { return sc.enough(lines) + 1 }

// set sets the rounds of those cases of the plan that have none yet, and with a budget the looks.
// A run that is continued keeps the rounds of its file. So many lines will be compared. A trial took so long.
func (sc *schedule) set(s *session, lines int, took trialTime) error {
	rounds, err := sc.roundsOf(s, lines, took)
	if err != nil {
		return err
	}
	what, units := "rounds", rounds
	if s.plan.Builds > 0 {
		what, units = "builds", s.plan.Builds
	}
	if units < sc.enough(lines) {
		fmt.Fprintf(s.cmd.ErrOrStderr(), "%d %s are too few for a verdict about times: %s %d; only torture, losses and exact counts can decide\n",
			units, what, need(lines), sc.enough(lines))
	}
	s.facts = append(s.facts, host.Fact{Key: roundsFact, Value: strconv.Itoa(rounds)})
	most := s.setRounds(rounds)
	if sc.budget == 0 {
		return nil
	}
	var words []string
	for _, l := range stat.Looks(compare.Level) {
		s.looks = append(s.looks, int(l.Share*float64(most)+0.5))
		words = append(words, strconv.Itoa(s.looks[len(s.looks)-1]))
	}
	s.facts = append(s.facts, host.Fact{Key: compare.LooksFact, Value: strings.Join(words, " ")})
	return nil
}

// roundsFact is the configuration key of a comparison's rounds.
const roundsFact = "rounds"

func (sc *schedule) roundsOf(s *session, lines int, took trialTime) (int, error) {
	enough := max(sc.enough(lines), s.plan.Builds)
	switch {
	case s.earlier != nil:
		return strconv.Atoi(s.earlier.Fact(roundsFact)) // resume has checked that there is one
	case sc.rounds > 0:
		return sc.rounds, nil
	case sc.budget == 0 && s.plan.Builds > 0:
		return s.plan.Builds, nil // more of one build are not more units
	case sc.budget == 0:
		return sc.usual(lines), nil
	}
	each := took.round * 9 / 8 // an eighth for blocks that are measured again
	rounds := int((sc.budget - took.once) / max(each, 1))
	if rounds < enough {
		why := ""
		if s.plan.Builds == enough {
			why = ", one for each build,"
		}
		return 0, usagef("--budget %v: %s %d rounds%s of %v here; expected %v or more, or fewer benchmarks",
			sc.budget, need(lines), enough, why, each.Round(time.Millisecond), (took.once + each*time.Duration(enough) + time.Second).Truncate(time.Second))
	}
	return min(rounds, mostRounds), nil
}

// need begins a sentence on what so many lines need.
func need(lines int) string {
	if lines == 1 {
		return "1 comparison needs"
	}
	return fmt.Sprintf("%d comparisons need", lines)
}

// setRounds sets the rounds of the cases that have none, and returns the largest number of rounds. A case with
// several layouts is measured so many times at each, unless each round has builds of its own:
// their layouts differ anyway. Then all cases get as many, a multiple of the layouts: a case that is
// not due in every round would miss some builds.
func (s *session) setRounds(rounds int) (most int) {
	if s.plan.Builds > 0 {
		for _, c := range s.plan.Cases {
			layouts := max(1, c.Layouts)
			most = max(most, (rounds+layouts-1)/layouts*layouts)
		}
	}
	for i := range s.plan.Cases {
		switch c := &s.plan.Cases[i]; {
		case c.Rounds > 0:
		case s.plan.Builds > 0:
			c.Rounds = most
		default:
			c.Rounds = rounds * max(1, c.Layouts)
		}
		most = max(most, s.plan.Cases[i].Rounds)
	}
	return most
}

// arrange sets the schedule of a comparison in arms of this or other binaries. It measures a trial first if
// there is a budget, or if there are builds, some of which may lack a benchmark.
func (s *session) arrange(sc schedule) error {
	var took trialTime
	var err error
	switch {
	case s.earlier != nil:
		if names := s.earlier.Fact(compare.LeftOutFact); names != "" {
			s.leaveOut(strings.Fields(names))
		}
	case s.guest != nil:
		took, err = s.firstBoot()
	case sc.budget > 0 || s.plan.Builds > 0:
		took, err = s.trial()
	}
	if err != nil {
		return err
	}
	lines := benches.Lines(s.plan)
	if s.guest != nil {
		s.fold()
	}
	return sc.set(s, lines, took)
}

// leaveOut takes cases out of the plan, by the names of their first phases.
func (s *session) leaveOut(names []string) {
	s.plan.Cases = slices.DeleteFunc(s.plan.Cases, func(c harness.Planned) bool { return slices.Contains(names, c.Names[0]) })
	s.facts = append(s.facts, host.Fact{Key: compare.LeftOutFact, Value: strings.Join(names, " ")})
}
