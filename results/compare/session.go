package compare

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/tpbench/tpbench/results/stat"
)

// Common is what all times of two files have in common: the machine or the session made it, or all
// benchmarks are slower for one reason of the program. Two files cannot tell these apart.
type Common struct {
	Ratio  number `json:"ratio"`
	Lo     number `json:"lo"` // the 95 % interval, if there are benchmarks enough
	Hi     number `json:"hi"`
	Groups int    `json:"benchmarks"` // of which it is the median
}

// session judges the times of two files. Each benchmark is compared with what the others have in common, and
// with how much they differ among themselves:
//
//  1. The difference of a group is the median over the lines of one benchmark, however many cases it has.
//     With few benchmarks each line is a group.
//  2. For each line, the groups of the other benchmarks are a crowd. Where there are fewer than three,
//     only a change counts that no machine makes.
//  3. A line differs if its samples differ by other than the crowd's centre (Mann-Whitney), and if the line is not
//     one more of the crowd (Student). Its p value is the larger one.
//
// What is compared are times: an exact count does not depend on the session.
func session(lines []*Line) *Common {
	const leastBases = 4
	bases, single := map[string][]float64{}, map[string][]float64{}
	var timed []*Line
	group := func(l *Line) string { return l.group }
	for _, l := range lines {
		if l.test == nil || !isTimeLike(l.Unit) || l.test.why != "" {
			continue
		}
		timed = append(timed, l)
		if l.Gate { // other times of a benchmark say the same again
			bases[l.group] = append(bases[l.group], l.slower())
			single[l.Name] = []float64{l.slower()}
		}
	}
	groups := bases
	if len(bases) < leastBases {
		groups, group = single, func(l *Line) string { return l.Name }
	}
	of := map[string]float64{}
	for name, values := range groups {
		of[name] = stat.Summarize(values).Center
	}
	crowds := crowdsOf(of)
	for _, l := range timed {
		l.judge(crowds[group(l)])
	}
	if len(of) < 2 {
		return nil
	}
	all := stat.Summarize(slices.Collect(maps.Values(of)))
	return &Common{number(math.Exp(all.Center)), number(math.Exp(all.Lo)), number(math.Exp(all.Hi)), len(of)}
}

// crowdsOf returns for each group the crowd of all others, or nil if there are too few.
func crowdsOf(groups map[string]float64) map[string]*stat.Crowd {
	names := slices.SortedFunc(maps.Keys(groups), func(a, b string) int { return cmp.Compare(groups[a], groups[b]) })
	crowds := make(map[string]*stat.Crowd, len(names))
	all := make([]float64, len(names)) // sorted, so that NewCrowd has little to sort
	for i, name := range names {
		all[i] = groups[name]
	}
	for i, name := range names {
		others := slices.Concat(all[:i], all[i+1:])
		if crowd, ok := stat.NewCrowd(others); ok {
			crowds[name] = &crowd
		}
	}
	return crowds
}

// mostDrift is more than a machine differs between two sessions: up to 1.5 was seen on shared
// guests, for code that a neighbour on the core slows down.
const mostDrift = 2.0

// fewOthers is why nothing is said about a line; a note says more.
const fewOthers = "two sessions, few benchmarks"

// judge has a line tested against the crowd of the other benchmarks.
func (l *Line) judge(crowd *stat.Crowd) {
	t := l.test
	if crowd == nil {
		t.alone, t.floor = true, math.Log(mostDrift)
		if math.Abs(t.center()) <= t.floor {
			t.why = fewOthers
		}
		return
	}
	t.common, t.crowd, t.floor = crowd.Center*l.sign(), crowd, crowd.Reach(Level)
}

// slower is the line's difference, above zero if the other arm is slower.
func (l *Line) slower() float64 { return l.test.at * l.sign() }

// sign is +1 where more is slower, as of a time, and -1 for a rate.
func (l *Line) sign() float64 {
	if l.better > 0 {
		return -1
	}
	return 1
}
