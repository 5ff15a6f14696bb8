package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/compare"
	"github.com/tpbench/tpbench/results/stat"
)

// A tally counts what the trials of one effect have found.
type tally struct {
	percent       float64
	trials, lines int
	found         [counts]int
	detectable    []float64
	facts         []results.KeyValue // that all trials have in common
}

// What a tally counts: lines, and at the end whole trials.
const (
	countRaw = iota
	countSlower
	countFaster
	countHeld
	countGate
	counts
)

// words and units name the counts: in the table, and in selftest.txt.
var (
	words = [counts]string{"lines with p <= 5 % alone", "lines called slower", "lines called faster", "intervals that hold the truth", "trials that --gate fails"}
	units = [counts]string{"raw", "slower", "faster", "held", "gate"}
)

// share is how many of those that the tally has counted are of a kind.
func (t *tally) share(kind int) (n int, e stat.Estimate) {
	n = t.lines
	if kind == countGate {
		n = t.trials
	}
	return n, stat.Proportion(t.found[kind], n)
}

// show prints what the trials found, and writes it to DIR/selftest.txt.
func (run *selftest) show(w io.Writer, effects []float64) error {
	table := &results.Table{
		Title:   "selftest: arm B is slower by a known amount",
		Columns: []string{"slower by", "trials", "what", "found", "share", "95 %"},
		Notes: []string{
			"p <= 5 % alone: the line's own test says that the arms differ, before the adjustment for many lines.",
			"95 %: the interval of the share (Clopper and Pearson). would show: the median over the lines.",
		},
	}
	var tallies []*tally
	for _, percent := range effects {
		t := &tally{percent: percent}
		paths, err := filepath.Glob(filepath.Join(run.dir, fmt.Sprintf("effect-%g-trial-*.txt", percent)))
		if err != nil {
			return err
		}
		for _, path := range paths {
			if err := t.add(path); err != nil {
				return err
			}
		}
		tallies = append(tallies, t)
		table.Rows = append(table.Rows, t.rows()...)
	}
	path := filepath.Join(run.dir, "selftest.txt")
	if err := os.WriteFile(path, []byte(benchmarkLines(tallies)), 0o666); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%vwrote %s\n", table, path)
	return err
}

// add adds a trial.
func (t *tally) add(path string) error {
	set, err := compare.Load(path)
	if err != nil {
		return err
	}
	r, err := compare.Within(set, compare.ArmKey, compare.ArmA, compare.Margin)
	if err != nil {
		return err
	}
	if t.trials++; t.trials == 1 {
		t.facts = slices.Clone(set.Facts)
	}
	t.facts = slices.DeleteFunc(t.facts, func(f results.KeyValue) bool { return set.Fact(f.Key) != f.Value })
	note := func(kind int, is bool) {
		if is {
			t.found[kind]++
		}
	}
	note(countGate, r.Regressed())
	truth := 1 + t.percent/100
	for _, l := range r.Lines {
		if !l.Gate {
			continue
		}
		t.lines++
		note(countRaw, l.P <= compare.Level)
		note(countSlower, l.Word == compare.Slower)
		note(countFaster, l.Word == compare.Faster)
		note(countHeld, l.Lo <= truth && truth <= l.Hi)
		t.detectable = append(t.detectable, l.Detectable)
	}
	return nil
}

// wouldShow is the median of the changes that the lines would have shown; NaN if there is none.
func (t *tally) wouldShow() float64 {
	if len(t.detectable) == 0 {
		return math.NaN()
	}
	return stat.Summarize(t.detectable).Center
}

// rows are the effect's part of the table.
func (t *tally) rows() (rows [][]string) {
	for kind, what := range words {
		row := []string{"", "", what, "", "", ""}
		if n, e := t.share(kind); n > 0 {
			row[3], row[4] = fmt.Sprintf("%d of %d", t.found[kind], n), fmt.Sprintf("%.1f %%", 100*e.Center)
			row[5] = fmt.Sprintf("[%.1f..%.1f]", 100*e.Lo, 100*e.Hi)
		}
		rows = append(rows, row)
	}
	rows[0][0], rows[0][1] = fmt.Sprintf("%g %%", t.percent), strconv.Itoa(t.trials)
	if show := t.wouldShow(); !math.IsNaN(show) && !math.IsInf(show, 0) {
		rows = append(rows, []string{"", "", "would show", "", fmt.Sprintf("%.2f %%", 100*show), ""})
	}
	return rows
}

// benchmarkLines has the tallies in Go benchmark format: the facts that all trials have in common, and a
// line for each effect. Its number of iterations is that of lines; each share has its bounds beside it.
func benchmarkLines(tallies []*tally) string {
	tallies = slices.DeleteFunc(slices.Clone(tallies), func(t *tally) bool { return t.lines == 0 })
	var b strings.Builder
	for i, t := range tallies {
		if i == 0 {
			for _, f := range t.facts {
				differs := func(t *tally) bool { return !slices.Contains(t.facts, f) }
				if !slices.ContainsFunc(tallies, differs) && f.Key != "tpbench" && f.Key != slowerFact {
					fmt.Fprintf(&b, "%s: %s\n", f.Key, f.Value)
				}
			}
		}
		fmt.Fprintf(&b, "BenchmarkSelftest/%s=%g %d %d trials", slowerFact, t.percent, t.lines, t.trials)
		for kind, unit := range units {
			_, e := t.share(kind)
			fmt.Fprintf(&b, " %.6g %s %.6g %s-lo %.6g %s-hi", e.Center, unit, e.Lo, unit, e.Hi, unit)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
