package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/builds"
	"github.com/tpbench/tpbench/harness/host"
	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/compare"
)

// A selftest is one call of "tpbench selftest".
type selftest struct {
	cases    selection
	effects  []string // in percent
	trials   int
	builds   int
	schedule schedule
	dir      string
	seed     uint64
}

func newSelftest() *cobra.Command {
	var run selftest
	cmd := &cobra.Command{
		Use:   "selftest [REV] --out DIR",
		Short: "Measure how often comparisons are wrong on this machine: false alarms, and changes that are missed",
		Long: `selftest compares this program with itself, as "tpbench ab" compares two revisions, many times. In some
trials arm B is not changed: each difference that is found is a false alarm. In the others, arm B is slower by
an amount that is known, because its timed parts spin: each difference that is not found is missed.

With REV, the arms are builds of that revision, each with functions in another order; otherwise they are
this binary.

Each trial is a file in DIR that "tpbench compare" reads. DIR/selftest.txt has what all trials there found, in
Go benchmark format. With the DIR of an interrupted selftest and the same flags, selftest measures what is
missing; with more --trials it adds some.`,
		Example: `  tpbench selftest --bench ReadSide --gp memb,qsbr --effects 0,1 --trials 10 --out selftest
  tpbench selftest HEAD --effects 0 --trials 25 --out a-against-a`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("selftest takes one revision or none, not %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			effects, err := run.check(cmd.Flags(), args)
			if err != nil {
				return err
			}
			return run.all(cmd, args, effects)
		},
	}
	f := cmd.Flags()
	run.cases.flags(f)
	f.StringSliceVar(&run.effects, "effects", []string{"0", "0.5", "1", "5"}, "by how many percent arm B is slower, at most 100")
	f.IntVar(&run.trials, "trials", 2, "trials of each effect; each compares all chosen benchmarks")
	f.IntVar(&run.builds, "builds", usualBuilds, "with REV: builds of each arm")
	run.schedule.flags(f)
	f.StringVar(&run.dir, "out", "", "directory to write the trials to")
	f.Uint64Var(&run.seed, "seed", 0, "determines the order of the samples and the layouts, others in each trial (default random; each file names its own)")
	return cmd
}

// check returns the effects, or an error if the flags are wrong.
func (run *selftest) check(given *pflag.FlagSet, revisions []string) (effects []float64, err error) {
	switch {
	case run.dir == "":
		return nil, usagef("selftest needs --out DIR, the directory to write the trials to")
	case run.trials < 1 || run.trials > mostRounds:
		return nil, usagef("--trials %d: expected 1 to %d", run.trials, mostRounds)
	case len(revisions) == 0 && given.Changed("builds"):
		return nil, usagef("--builds is for a revision; expected REV, too")
	}
	for _, text := range run.effects {
		percent, err := strconv.ParseFloat(text, 64)
		if err != nil || !(percent >= 0 && percent <= 100) {
			return nil, usagef("--effects %s: expected percents from 0 to 100, with commas between them", text)
		}
		if slices.Contains(effects, percent) {
			return nil, usagef("--effects has %g twice", percent)
		}
		effects = append(effects, percent)
	}
	if len(effects) == 0 {
		return nil, usagef("--effects: expected percents, with commas between them")
	}
	if err := run.schedule.check(given); err != nil || len(revisions) == 0 {
		return effects, err
	}
	return effects, checkBuilds(run.builds, given.Changed("builds"), run.schedule)
}

// all measures the trials that DIR lacks, the effects in turn, and shows what all have found.
func (run *selftest) all(cmd *cobra.Command, revisions []string, effects []float64) error {
	if err := os.MkdirAll(run.dir, 0o777); err != nil {
		return err
	}
	asked := []host.Fact{run.asked(cmd.Flags())}
	var rev *builds.Revision
	if len(revisions) > 0 {
		var err error
		if rev, err = builds.Resolve(cmd.Context(), ".", revisions[0]); err != nil {
			return err
		}
		asked = append(asked, armFacts(rev, rev)...)
	}
	for trial := range run.trials {
		for i, e := range effects {
			path := filepath.Join(run.dir, fmt.Sprintf("effect-%g-trial-%03d.txt", e, trial))
			facts := append(slices.Clone(asked), host.Fact{Key: slowerFact, Value: fmt.Sprint(e)})
			if set, err := compare.Load(path); err == nil && set.Complete {
				if err := sameTrial(set, path, facts); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%s\n", path)
			seed := run.seed + uint64(trial*len(effects)+i) // each trial has an order and layouts of its own
			if err := run.trial(cmd, rev, e, path, seed, facts); err != nil && !is[lostError](err) {
				return err
			}
		}
	}
	return run.show(cmd.OutOrStdout(), effects)
}

// asked is what a trial measures, as it was asked for: trials of something else must not be added to these.
func (run *selftest) asked(given *pflag.FlagSet) host.Fact {
	var flags []string
	given.Visit(func(f *pflag.Flag) {
		if slices.Contains(append([]string{"builds", "rounds", "budget"}, selectionFlags...), f.Name) {
			flags = append(flags, "--"+f.Name+"="+f.Value.String())
		}
	})
	return host.Fact{Key: "selftest", Value: cmp.Or(results.Visible(strings.Join(flags, " ")), "gate family")}
}

// sameTrial returns an error if a whole trial has other facts.
func sameTrial(set *compare.Set, path string, facts []host.Fact) error {
	for _, f := range facts {
		if was := set.Fact(f.Key); was != f.Value {
			return &harness.FileError{Path: path, Msg: fmt.Sprintf("this trial is of another selftest (%s was %q, now it is %q); name another directory with --out", f.Key, was, f.Value)}
		}
	}
	return nil
}

// trial measures one trial of arms that differ by so much; rev is nil if they are this binary.
func (run *selftest) trial(cmd *cobra.Command, rev *builds.Revision, percent float64, path string, seed uint64, facts []host.Fact) error {
	s, err := newSession(cmd, seed)
	if err != nil {
		return err
	}
	if err := s.resume(path, run.schedule, facts...); err != nil {
		return err
	}
	chosen, wanted, err := run.cases.orGate(cmd)
	if err != nil {
		return err
	}
	if err := s.choose(withoutRounds(chosen), wanted); err != nil { // safety is not what is tested
		return err
	}
	benches.Arms(s.plan)
	for i := range s.plan.Cases {
		if c := &s.plan.Cases[i]; c.Arm == benches.Other {
			c.Slower = percent / 100
		}
	}
	if rev != nil {
		return s.measureBuilds(rev, rev, run.builds, run.schedule, path)
	}
	if err := s.arrange(run.schedule); err != nil {
		return err
	}
	return s.run(path)
}

// slowerFact is the configuration key of a trial's effect, in percent.
const slowerFact = "slower-percent"
