package stat

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"

	"github.com/aclements/go-moremath/stats"
)

// errTooFew is wrapped by errors about samples too few for the statistic.
var errTooFew = errors.New("too few samples")

// A Pair is one value of a benchmark and the round it was measured in. Values
// of two benchmarks from one round are compared with each other. Rounds with one Cluster
// have something in common, such as the alignment of the timed loop.
type Pair struct {
	Round   int
	Cluster int
	Value   float64
}

// An Estimate is a number with its 95 % interval.
type Estimate struct {
	Center, Lo, Hi float64
	N              int // the number of pairs or points
	Clusters       int // the number of clusters, from which the interval is computed; 0 if there is one
	Warnings       []error
}

// PairedRatio estimates a/b as the geometric mean of the ratios of the rounds that both have, with
// a t interval of their logarithms. With a and b swapped it is the reciprocal.
//
// Rounds of one cluster are not independent: a bad alignment is in each of them. If there are
// several clusters, the interval is computed from the mean logarithm of each.
//
// It needs two common rounds (errTooFew) and values above zero. It warns if the interval is
// computed from fewer than six numbers: it then assumes that log ratios are normal, and so few
// cannot show whether they are.
func PairedRatio(a, b []Pair) (Estimate, error) {
	clusters := map[int][]float64{}
	n := 0
	for p, q := range match(a, b) {
		if p.Value <= 0 || q.Value <= 0 {
			return Estimate{}, fmt.Errorf("stat: ratio of %v to %v in round %d: both must be above zero", p.Value, q.Value, p.Round)
		}
		clusters[p.Cluster] = append(clusters[p.Cluster], math.Log(p.Value)-math.Log(q.Value))
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

// MeanInterval returns the mean of two values or more, and half the width of its t interval.
func MeanInterval(values []float64) (mean, half float64) {
	half = reach(float64(len(values)-1), 1-confidence) * stats.StdDev(values) / math.Sqrt(float64(len(values)))
	return stats.Mean(values), half
}

// PairedDiffs returns a-b for each round that both have, in a's order. It subtracts the time of
// an empty loop from that of a loop with an operation in it.
func PairedDiffs(a, b []Pair) []Pair {
	var diffs []Pair
	for p, q := range match(a, b) {
		diffs = append(diffs, Pair{p.Round, p.Cluster, p.Value - q.Value})
	}
	return diffs
}

// Collapse returns the values to summarize: the median of each cluster if there are several, and
// else the value of each pair.
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

// match returns the pairs of the rounds that a and b both have, in a's order.
func match(a, b []Pair) iter.Seq2[Pair, Pair] {
	inB := make(map[int]Pair, len(b))
	for _, p := range b {
		inB[p.Round] = p
	}
	return func(yield func(Pair, Pair) bool) {
		for _, p := range a {
			if q, ok := inB[p.Round]; ok && !yield(p, q) {
				return
			}
		}
	}
}
