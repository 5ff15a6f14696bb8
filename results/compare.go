package results

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/tpbench/tpbench/results/stat"
	"golang.org/x/perf/benchmath"
)

// A Row compares one benchmark in one unit.
type Row struct {
	Name, Unit string // Unit is tidy
	Old, New   stat.Summary

	// Test has the p value of the U test, or P 0 for an exact count.
	Test  benchmath.Comparison
	Exact bool

	// Word is the verdict: "~" for no difference, slower or faster for a time, better or worse
	// for another unit, changed for one of unknown direction.
	Word string
}

// A Comparison of two runs.
type Comparison struct {
	Old, New *Run
	Rows     []Row    // by unit, then in natural order
	OnlyOld  []string // names, with the unit in brackets if only that is missing
	OnlyNew  []string
	Differ   []string // facts that differ and can move a number, with both values
}

// provenance holds the keys that differ from run to run as a matter of course.
var provenance = []string{"commit", "binary", "date", "seed", "plan", "tsc", "load", "steal"}

// Compare compares the benchmarks that two runs share. A difference counts if
// the U test shows it at the 5 % level. Exact counts need no test: a unit with
// assume=exact, or one that is no time and constant over two or more samples on
// either side, has changed if it differs.
func Compare(old, new *Run) *Comparison {
	c := &Comparison{Old: old, New: new, Differ: differ(old, new)}
	before := old.Samples.named()
	var units []string // of benchmarks in natural order, not of the shuffled file
	for _, g := range new.Samples.ByName() {
		for _, unit := range g.Samples.Units() {
			if !slices.Contains(units, unit) {
				units = append(units, unit)
			}
			if was := stat.Collapse(before[g.Value].Pairs(unit)); len(was) > 0 {
				c.Rows = append(c.Rows, compare(new, g.Value, unit, was, stat.Collapse(g.Samples.Pairs(unit))))
			}
		}
	}
	slices.SortStableFunc(c.Rows, func(a, b Row) int {
		return slices.Index(units, a.Unit) - slices.Index(units, b.Unit)
	})
	c.OnlyOld, c.OnlyNew = only(old, new), only(new, old)
	return c
}

func compare(run *Run, name, unit string, was, now []float64) Row {
	r := Row{Name: name, Unit: unit, Old: stat.Summarize(was), New: stat.Summarize(now)}
	constant := r.Old.Min == r.Old.Max && r.New.Min == r.New.Max
	declared := run.Units.GetAssumption(unit) == benchmath.AssumeExact
	if r.Exact = constant && (declared || !IsTime(unit) && r.Old.N > 1 && r.New.N > 1); r.Exact {
		r.Test = benchmath.Comparison{N1: r.Old.N, N2: r.New.N}
	} else {
		r.Test = stat.Compare(was, now)
	}

	direction := run.Units.GetBetter(unit) // -1 if lower is better, +1 if higher, 0 if unknown
	if direction == 0 && run.Units.Get(unit, "better") == nil && IsTime(unit) {
		direction = -1
	}
	better, worse := "better", "worse"
	if IsTime(unit) && direction < 0 {
		better, worse = "faster", "slower"
	}
	switch diff := r.New.Center - r.Old.Center; {
	case r.Test.P > r.Test.Alpha || diff == 0:
		r.Word = "~"
	case direction == 0:
		r.Word = "changed"
	case diff*float64(direction) > 0:
		r.Word = better
	default:
		r.Word = worse
	}
	return r
}

// only lists what a has and b does not.
func only(a, b *Run) []string {
	in := b.Samples.named()
	var names []string
	for _, g := range a.Samples.ByName() {
		other, ok := in[g.Value]
		if !ok {
			names = append(names, g.Value)
			continue
		}
		for _, unit := range g.Samples.Units() {
			if !slices.Contains(other.Units(), unit) {
				names = append(names, g.Value+" ["+unit+"]")
			}
		}
	}
	return names
}

// differ lists the facts in which two runs differ.
func differ(a, b *Run) []string {
	var facts []string
	seen := map[string]bool{}
	for _, kv := range slices.Concat(a.Config, b.Config) {
		if x, y := a.Get(kv.Key), b.Get(kv.Key); x != y && !slices.Contains(provenance, kv.Key) && !seen[kv.Key] {
			facts = append(facts, fmt.Sprintf("%s (%q, %q)", kv.Key, x, y))
			seen[kv.Key] = true
		}
	}
	return facts
}

// A Mean is the change that several benchmarks have in common.
type Mean struct {
	Benchmarks int     // of which it is the mean; each counts once, however many cases it has
	Delta      float64 // the geometric mean of New/Old, less 1
	Lo, Hi     float64 // its 95 % interval, if HasInterval
}

// HasInterval reports whether there are benchmarks enough for an interval.
func (m Mean) HasInterval() bool { return m.Benchmarks >= 3 }

// geomean returns the mean change of rows of one unit, or false if there is one benchmark
// only, or a median that is not above zero. The interval assumes that the benchmarks are a
// random sample of all possible ones.
func geomean(rows []Row) (m Mean, ok bool) {
	logs := map[string][]float64{}
	for _, r := range rows {
		if r.Old.Center <= 0 || r.New.Center <= 0 {
			return Mean{}, false
		}
		base, _, _ := strings.Cut(r.Name, "/")
		logs[base] = append(logs[base], math.Log(r.New.Center/r.Old.Center))
	}
	var means []float64
	for _, base := range slices.Sorted(maps.Keys(logs)) {
		means = append(means, mean(logs[base]))
	}
	if len(means) < 2 {
		return Mean{}, false
	}
	center, half := stat.MeanInterval(means)
	return Mean{len(means), math.Exp(center) - 1, math.Exp(center-half) - 1, math.Exp(center+half) - 1}, true
}

// WriteText writes the comparison as one table per unit, as benchstat does:
// medians with the half width of their interval, the change with its p value,
// and the verdict; then what could not be compared.
func (c *Comparison) WriteText(w io.Writer) error {
	var b strings.Builder
	if len(c.Differ) > 0 {
		fmt.Fprintf(&b, "warning: a change may not come from the code, because these facts differ: %s\n\n", strings.Join(c.Differ, ", "))
	}
	for rows := c.Rows; len(rows) > 0; {
		n := 1
		for n < len(rows) && rows[n].Unit == rows[0].Unit {
			n++
		}
		fmt.Fprint(&b, unitComparison(rows[:n]))
		rows = rows[n:]
	}
	for _, name := range c.OnlyOld {
		fmt.Fprintf(&b, "only in %s: %s\n", c.Old.Path, name)
	}
	for _, name := range c.OnlyNew {
		fmt.Fprintf(&b, "only in %s: %s\n", c.New.Path, name)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// unitComparison tabulates rows of one unit.
func unitComparison(rows []Row) *Table {
	unit := rows[0].Unit
	t := &Table{Title: unit, Columns: []string{"benchmark", "old", "±", "new", "±", "change", "test"}}
	warned := map[string]bool{}
	for _, r := range rows {
		row := []string{
			r.Name,
			Human(r.Old.Center, unit), r.Old.PctRangeString(),
			Human(r.New.Center, unit), r.New.PctRangeString(),
			r.Test.FormatDelta(r.Old.Center, r.New.Center), r.Test.String(),
		}
		if r.Exact { // a count needs no interval, and its difference no percent
			row[2], row[4] = "", ""
			row[5], row[6] = fmt.Sprintf("%+g", r.New.Center-r.Old.Center), "exact "+row[6]
		}
		if r.Word == "~" {
			row[5] = r.Word
		} else {
			row[5] += " " + r.Word
		}
		t.Rows = append(t.Rows, row)
		for _, w := range r.Test.Warnings {
			if !warned[w.Error()] {
				warned[w.Error()] = true
				t.Notes = append(t.Notes, w.Error())
			}
		}
	}
	if m, ok := geomean(rows); ok && IsTime(unit) {
		change := fmt.Sprintf("%+.2f%%", 100*m.Delta)
		test := "no interval"
		if m.HasInterval() {
			change += fmt.Sprintf(" [%+.2f%%..%+.2f%%]", 100*m.Lo, 100*m.Hi)
			test = "95 %"
		}
		t.Rows = append(t.Rows, []string{fmt.Sprintf("geomean of %d benchmarks", m.Benchmarks), "", "", "", "", change, test})
	}
	t.dropEmpty()
	return t
}
