package compare

import (
	"cmp"
	"slices"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
)

// lines makes the lines of contests, and tests them. The gate family is the main quantity of each benchmark,
// and what it costs in waits and the like, if that is not the same in all samples. Other quantities are left out if
// they are 0 in most samples.
func (r *Report) lines(all []contest) {
	type id struct{ name, arm string }
	of := map[id][]contest{}
	var order []id
	for _, c := range all {
		at := id{c.name, c.arm}
		if of[at] == nil {
			order = append(order, at)
		}
		of[at] = append(of[at], c)
		r.addArm(c.arm)
	}
	for _, at := range order {
		for i, l := range r.linesOf(of[at]) {
			l.main = i == 0
			l.Gate = l.main || l.costs
			if l.Gate || l.Base.Median != 0 || l.Other.Median != 0 {
				r.Lines = append(r.Lines, l)
			}
		}
	}
	slices.SortStableFunc(r.Lines, func(a, b *Line) int {
		if a.Gate != b.Gate {
			if a.Gate {
				return -1
			}
			return 1
		}
		return cmp.Or(results.Natural(a.Name, b.Name), r.compareArms(a.Arm, b.Arm))
	})
}

// linesOf makes the lines of one benchmark and one arm: one for each quantity that varies, the main one
// first. Exact counts are parts of the first.
func (r *Report) linesOf(contests []contest) []*Line {
	var lines []*Line
	var counts []Count
	var main *contest
	for i, c := range contests {
		if c.unit == mainUnit {
			main = &contests[i]
		}
	}
	if main == nil && slices.ContainsFunc(contests, func(c contest) bool { return c.unit == mistakesUnit && !c.baseSet.Foreign }) {
		return nil // torture, see safe.go
	}
	for _, c := range contests {
		switch {
		case isExact(c):
			first := c.declared() || slices.Contains(firstCounts, c.unit)
			counts = append(counts, Count{c.unit, c.base.values.first, c.other.values.first, false, c.better(), first})
		case c.releases != nil && main != nil && !isTimeLike(c.unit): // it explains the time
			counts = append(counts, Count{c.unit, side(c.base).Mean, side(c.other).Mean, true, c.better(), false})
		case main != nil && c.unit != mainUnit && derived(c, *main):
		default:
			lines = append(lines, newLine(c, r.margin))
		}
	}
	slices.SortStableFunc(lines, func(a, b *Line) int { return rank(a) - rank(b) })
	sortCounts(counts)
	if len(lines) == 0 && len(counts) > 0 { // there are counts alone
		c := contests[0]
		lines = []*Line{{Name: c.name, Arm: c.arm, From: c.from(), Unit: counts[0].Unit, N: min(c.base.values.n, c.other.values.n), Of: "samples"}}
	}
	if len(lines) > 0 {
		lines[0].Counts = counts
	}
	return lines
}

// rank orders the quantities of one benchmark: its main time, other times, the rest.
func rank(l *Line) int {
	switch {
	case l.Unit == mainUnit:
		return 0
	case isTimeLike(l.Unit):
		return 1
	}
	return 2
}

func newLine(c contest, margin float64) *Line {
	return &Line{Name: c.name, Arm: c.arm, From: c.from(), Unit: c.unit, Base: side(c.base), Other: side(c.other), better: c.better(), group: c.group, costs: c.costs(), test: test(c, margin)}
}

func side(s *series) Side {
	sorted := s.values.list()
	slices.Sort(sorted)
	sum := stat.Summarize(sorted)
	mean := 0.0
	for _, v := range sorted { // so that the lines' order does not matter, to the last bit
		mean += v / float64(s.values.n)
	}
	return Side{sum.Center, mean, sum.N}
}
