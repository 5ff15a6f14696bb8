package results

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/tpbench/tpbench/results/stat"
	"golang.org/x/perf/benchmath"
)

// A Change is what became of a benchmark between two files.
type Change int

const (
	Same    Change = iota // no difference shown; that is no proof of equality
	Better                // in the direction the unit's better= says
	Worse                 // in the other
	Changed               // in a unit of unknown direction
)

// A Row compares one benchmark in one unit.
type Row struct {
	Name, Unit string // Unit is tidy
	Old, New   stat.Summary

	// Test has the p value of the U test, or P 0 for an exact count.
	Test  benchmath.Comparison
	Exact bool

	Better int // -1 if lower is better, +1 if higher, 0 if unknown
	Change Change
}

// A Comparison of two runs.
type Comparison struct {
	Old, New *Run
	Rows     []Row    // by unit, then in natural order
	OnlyOld  []string // names, with the unit in brackets if only that is missing
	OnlyNew  []string
	Differ   []string // configuration keys that differ and can move a number
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
	r := Row{Name: name, Unit: unit, Old: stat.Summarize(was), New: stat.Summarize(now), Better: run.Units.GetBetter(unit)}
	if r.Better == 0 && run.Units.Get(unit, "better") == nil && IsTime(unit) {
		r.Better = -1
	}
	constant := r.Old.Min == r.Old.Max && r.New.Min == r.New.Max
	declared := run.Units.GetAssumption(unit) == benchmath.AssumeExact
	if r.Exact = constant && (declared || !IsTime(unit) && r.Old.N > 1 && r.New.N > 1); r.Exact {
		r.Test = benchmath.Comparison{N1: r.Old.N, N2: r.New.N}
	} else {
		r.Test = stat.Compare(was, now)
	}
	switch diff := r.New.Center - r.Old.Center; {
	case r.Test.P > r.Test.Alpha || diff == 0:
		r.Change = Same
	case r.Better == 0:
		r.Change = Changed
	case diff*float64(r.Better) > 0:
		r.Change = Better
	default:
		r.Change = Worse
	}
	return r
}

// Word is the row's verdict: "~" for no difference, slower or faster for a
// time, better or worse for another unit, changed for one of unknown direction.
func (r *Row) Word() string {
	time := IsTime(r.Unit) && r.Better < 0
	switch {
	case r.Change == Same:
		return "~"
	case r.Change == Changed:
		return "changed"
	case r.Change == Better && time:
		return "faster"
	case r.Change == Better:
		return "better"
	case time:
		return "slower"
	}
	return "worse"
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

// differ lists the configuration keys in which two runs differ.
func differ(a, b *Run) []string {
	var keys []string
	for _, kv := range slices.Concat(a.Config, b.Config) {
		if a.Get(kv.Key) != b.Get(kv.Key) && !slices.Contains(provenance, kv.Key) && !slices.Contains(keys, kv.Key) {
			keys = append(keys, kv.Key)
		}
	}
	return keys
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
