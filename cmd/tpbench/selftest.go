package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/harness/builds"
	"github.com/tpbench/tpbench/harness/host"
	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/compare"
	"github.com/tpbench/tpbench/results/stat"
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

Each trial is a file in DIR that "tpbench compare" reads. With the DIR of an interrupted selftest and the
same flags, selftest measures what is missing.`,
		Example: `  tpbench selftest --bench ReadSide --gp memb,qsbr --effects 0,1 --trials 10 --out selftest
  tpbench selftest HEAD --effects 0 --trials 25 --out a-against-a`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("selftest takes one revision or none, not %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case run.dir == "":
				return usagef("selftest needs --out DIR, the directory to write the trials to")
			case run.trials < 1 || run.trials > mostRounds:
				return usagef("--trials %d: expected 1 to %d", run.trials, mostRounds)
			case run.builds < fewestBuilds || run.builds > mostBuilds:
				return usagef("--builds %d: expected %d to %d", run.builds, fewestBuilds, mostBuilds)
			}
			if err := run.schedule.check(cmd.Flags()); err != nil {
				return err
			}
			return run.all(cmd, args)
		},
	}
	f := cmd.Flags()
	run.cases.flags(f)
	f.StringSliceVar(&run.effects, "effects", []string{"0", "0.5", "1", "5"}, "by how many percent arm B is slower, at most 100")
	f.IntVar(&run.trials, "trials", 2, "trials of each effect; each compares all chosen benchmarks")
	f.IntVar(&run.builds, "builds", usualBuilds, "with REV: builds of each arm")
	run.schedule.flags(f)
	f.StringVar(&run.dir, "out", "", "directory to write the trials to")
	f.Uint64Var(&run.seed, "seed", 0, "determines the order of the samples in each round (default random; each file names its own)")
	return cmd
}

// all measures the trials that DIR lacks, the effects in turn, and shows what all have found.
func (run *selftest) all(cmd *cobra.Command, revisions []string) error {
	var effects []float64
	for _, text := range run.effects {
		percent, err := strconv.ParseFloat(text, 64)
		if err != nil || percent < 0 || percent > 100 {
			return usagef("--effects %s: expected percents from 0 to 100, with commas between them", text)
		}
		effects = append(effects, percent)
	}
	if err := os.MkdirAll(run.dir, 0o777); err != nil {
		return err
	}
	for trial := range run.trials {
		for _, e := range effects {
			path := filepath.Join(run.dir, fmt.Sprintf("effect-%g-trial-%03d.txt", e, trial))
			if set, err := compare.Load(path); err == nil && set.Complete {
				continue
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%s\n", path)
			if err := run.trial(cmd, revisions, e, path); err != nil && !is[lostError](err) {
				return err
			}
		}
	}
	return run.show(cmd.OutOrStdout(), effects)
}

// trial measures one trial.
func (run *selftest) trial(cmd *cobra.Command, revisions []string, percent float64, path string) error {
	s, err := newSession(cmd, run.seed)
	if err != nil {
		return err
	}
	chosen, wanted, err := run.cases.orGate(cmd)
	if err != nil {
		return err
	}
	for i := range chosen {
		chosen[i].Rounds = 0 // until the schedule is known
	}
	if err := s.choose(chosen, wanted); err != nil {
		return err
	}
	lines := benches.Arms(s.plan)
	s.by, s.base = compare.ArmKey, compare.ArmA
	for i := range s.plan.Cases {
		if c := &s.plan.Cases[i]; c.Arm == benches.Other {
			c.Slower = percent / 100
		}
	}
	if len(revisions) > 0 {
		rev, err := builds.Resolve(cmd.Context(), ".", revisions[0])
		if err != nil {
			return err
		}
		if err := s.build(rev, rev, run.builds, path); err != nil {
			return err
		}
	}
	s.facts = append(s.facts, host.Fact{Key: slowerFact, Value: fmt.Sprint(percent)})
	if err := s.arrange(lines, run.schedule, path); err != nil {
		return err
	}
	err = s.run(path)
	if !errors.Is(err, context.Canceled) {
		os.RemoveAll(programsOf(path)) // an interrupted trial goes on with them
	}
	return err
}

// slowerFact is the configuration key of a trial's effect, in percent.
const slowerFact = "slower-percent"

// A tally counts what trials of one effect have found.
type tally struct {
	percent                          float64
	trials, lines                    int
	raw, slower, faster, gates, held int
	detectable                       []float64
}

// show prints what the trials found.
func (run *selftest) show(w io.Writer, effects []float64) error {
	t := &results.Table{
		Title:   "selftest: arm B slower by a known amount",
		Columns: []string{"slower by", "trials", "lines", "p <= 5 %", "called slower", "called faster", "gate failed", "interval holds it", "would show"},
		Notes: []string{
			"p <= 5 %: lines whose own test says that the arms differ, before the adjustment for many lines.",
			"[lo..hi]: 95 % interval of the share (Clopper and Pearson). would show: the median over the lines.",
		},
	}
	for _, percent := range effects {
		sum := tally{percent: percent}
		paths, err := filepath.Glob(filepath.Join(run.dir, fmt.Sprintf("effect-%g-trial-*.txt", percent)))
		if err != nil {
			return err
		}
		for _, path := range paths {
			if err := sum.add(path); err != nil {
				return err
			}
		}
		t.Rows = append(t.Rows, sum.row())
	}
	_, err := fmt.Fprint(w, t)
	return err
}

// add adds a trial.
func (sum *tally) add(path string) error {
	set, err := compare.Load(path)
	if err != nil {
		return err
	}
	r, err := compare.Within(set, compare.ArmKey, compare.ArmA)
	if err != nil {
		return err
	}
	sum.trials++
	if r.Regressed() {
		sum.gates++
	}
	truth := 1 + sum.percent/100
	for _, l := range r.Lines {
		if !l.Gate {
			continue
		}
		sum.lines++
		for _, found := range []struct {
			count *int
			is    bool
		}{
			{&sum.raw, l.P <= compare.Level},
			{&sum.slower, l.Word == compare.Slower},
			{&sum.faster, l.Word == compare.Faster},
			{&sum.held, l.Lo <= truth && truth <= l.Hi},
		} {
			if found.is {
				*found.count++
			}
		}
		sum.detectable = append(sum.detectable, l.Detectable)
	}
	return nil
}

func (sum *tally) row() []string {
	share := func(k, n int) string {
		if n == 0 {
			return ""
		}
		e := stat.Proportion(k, n)
		return fmt.Sprintf("%d of %d, %.1f %% [%.1f..%.1f]", k, n, 100*e.Center, 100*e.Lo, 100*e.Hi)
	}
	show := ""
	if n := len(sum.detectable); n > 0 {
		slices.Sort(sum.detectable)
		if v := sum.detectable[n/2]; !math.IsInf(v, 0) {
			show = fmt.Sprintf("%.2f %%", 100*v)
		}
	}
	return []string{fmt.Sprintf("%g %%", sum.percent), strconv.Itoa(sum.trials), strconv.Itoa(sum.lines),
		share(sum.raw, sum.lines), share(sum.slower, sum.lines), share(sum.faster, sum.lines), share(sum.gates, sum.trials), share(sum.held, sum.lines), show}
}
