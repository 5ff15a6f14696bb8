package stat

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/aclements/go-moremath/stats"
)

// errTooFew is wrapped by errors about samples too few for the statistic.
var errTooFew = errors.New("too few samples")

// A Pair is one value of a benchmark and the round it was measured in. Values
// of two benchmarks from the same round may be compared with each other. Cluster says
// what else the round had in common with others: the alignment of the timed loop, say.
type Pair struct {
	Round   int
	Cluster int
	Value   float64
}

// An Estimate is a number with its 95 % interval.
type Estimate struct {
	Center, Lo, Hi float64
	N              int // pairs or points it rests on
	Clusters       int // that those belong to, if more than one: what the interval rests on
	Warnings       []error
}

// PairedRatio estimates a/b as the geometric mean of the ratios of the rounds
// both have, with a t interval on their logarithms. Swapping a and b gives the
// reciprocal; the unit cancels.
//
// Rounds of one cluster are no independent witnesses: a loop that stands badly stands
// badly in each of them. Where there are several clusters, the interval is that of their
// mean logarithms.
//
// It needs two common rounds (errTooFew) and values above zero. Below six
// of what the interval rests on it warns: the interval then stands on the assumption that
// log ratios are normal, which so few cannot show.
func PairedRatio(a, b []Pair) (Estimate, error) {
	clusters := map[int][]float64{}
	n := 0
	for _, p := range match(a, b) {
		if p.a <= 0 || p.b <= 0 {
			return Estimate{}, fmt.Errorf("stat: ratio of %v to %v in round %d: both must be above zero", p.a, p.b, p.round)
		}
		clusters[p.cluster] = append(clusters[p.cluster], math.Log(p.a)-math.Log(p.b))
		n++
	}
	if n < 2 {
		return Estimate{}, fmt.Errorf("stat: paired ratio of %d common rounds: %w", n, errTooFew)
	}
	var logs []float64
	e := Estimate{N: n}
	of := "rounds"
	for _, c := range slices.Sorted(maps.Keys(clusters)) {
		if len(clusters) == 1 {
			logs = clusters[c]
			break
		}
		logs = append(logs, stats.Mean(clusters[c]))
		e.Clusters, of = len(clusters), "alignments"
	}
	mean, half := MeanInterval(logs)
	e.Center, e.Lo, e.Hi = math.Exp(mean), math.Exp(mean-half), math.Exp(mean+half)
	if len(logs) < 6 {
		e.Warnings = append(e.Warnings, fmt.Errorf("an interval from %d %s takes log ratios for normal, which so few cannot show", len(logs), of))
	}
	return e, nil
}

// MeanInterval returns the mean of two values or more, and half the width of its t
// interval.
func MeanInterval(values []float64) (mean, half float64) {
	half = tQuantile(len(values)-1) * stats.StdDev(values) / math.Sqrt(float64(len(values)))
	return stats.Mean(values), half
}

// PairedDiffs returns a-b for each round that both have, in a's order, for
// Summarize. It is how the empty loop is subtracted from what ran inside it.
func PairedDiffs(a, b []Pair) []Pair {
	var diffs []Pair
	for _, p := range match(a, b) {
		diffs = append(diffs, Pair{p.round, p.cluster, p.a - p.b})
	}
	return diffs
}

// Collapse returns what a summary of the pairs rests on: the median of each cluster if
// there are several, and else their values.
func Collapse(ps []Pair) []float64 {
	clusters := map[int][]float64{}
	var all []float64
	for _, p := range ps {
		clusters[p.Cluster] = append(clusters[p.Cluster], p.Value)
		all = append(all, p.Value)
	}
	if len(clusters) < 2 {
		return all
	}
	var medians []float64
	for _, c := range slices.Sorted(maps.Keys(clusters)) {
		medians = append(medians, Summarize(clusters[c]).Center)
	}
	return medians
}

// A matched is a round that both of two benchmarks have.
type matched struct {
	round, cluster int // the cluster of a's
	a, b           float64
}

// match returns the rounds that a and b both have, in a's order.
func match(a, b []Pair) []matched {
	inB := make(map[int]float64, len(b))
	for _, p := range b {
		inB[p.Round] = p.Value
	}
	var both []matched
	for _, p := range a {
		if v, ok := inB[p.Round]; ok {
			both = append(both, matched{p.Round, p.Cluster, p.Value, v})
		}
	}
	return both
}

// tQuantile returns the t for which Student's distribution with df degrees of
// freedom holds confidence of its weight within ±t.
func tQuantile(df int) float64 {
	return stats.InvCDF(stats.TDist{V: float64(df)})(1 - (1-confidence)/2)
}
