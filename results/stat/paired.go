package stat

import (
	"errors"
	"fmt"
	"math"

	"github.com/aclements/go-moremath/stats"
)

// ErrTooFew is wrapped by errors about samples too few for the statistic.
var ErrTooFew = errors.New("too few samples")

// A Pair is one value of a benchmark and the round it was measured in. Values
// of two benchmarks from the same round may be compared with each other.
type Pair struct {
	Round int
	Value float64
}

// An Estimate is a number with its 95 % interval.
type Estimate struct {
	Center, Lo, Hi float64
	N              int // pairs or points it rests on
	Warnings       []error
}

// PairedRatio estimates a/b as the geometric mean of the ratios of the rounds
// both have, with a t interval on their logarithms. Swapping a and b gives the
// reciprocal; the unit cancels.
//
// It needs two common rounds (ErrTooFew) and values above zero. Below six
// rounds it warns: the interval then stands on the assumption that log ratios
// are normal, which so few cannot show.
func PairedRatio(a, b []Pair) (Estimate, error) {
	var logs []float64
	for _, p := range match(a, b) {
		if p.a <= 0 || p.b <= 0 {
			return Estimate{}, fmt.Errorf("stat: ratio of %v to %v in round %d: both must be above zero", p.a, p.b, p.round)
		}
		logs = append(logs, math.Log(p.a)-math.Log(p.b))
	}
	n := len(logs)
	if n < 2 {
		return Estimate{}, fmt.Errorf("stat: paired ratio of %d common rounds: %w", n, ErrTooFew)
	}
	mean, half := stats.Mean(logs), 0.0
	if sd := stats.StdDev(logs); sd > 0 {
		half = tQuantile(n-1) * sd / math.Sqrt(float64(n))
	}
	e := Estimate{Center: math.Exp(mean), Lo: math.Exp(mean - half), Hi: math.Exp(mean + half), N: n}
	if n < 6 {
		e.Warnings = append(e.Warnings, fmt.Errorf("interval from %d rounds assumes normal log ratios; run 6 or more", n))
	}
	return e, nil
}

// PairedDiffs returns a-b for each round that both have, in a's order, for
// Summarize. It is how the empty loop is subtracted from what ran inside it.
func PairedDiffs(a, b []Pair) []Pair {
	var diffs []Pair
	for _, p := range match(a, b) {
		diffs = append(diffs, Pair{p.round, p.a - p.b})
	}
	return diffs
}

// A matched is a round that both of two benchmarks have.
type matched struct {
	round int
	a, b  float64
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
			both = append(both, matched{p.Round, p.Value, v})
		}
	}
	return both
}

// tQuantile returns the t for which Student's distribution with df degrees of
// freedom holds Confidence of its weight within ±t.
func tQuantile(df int) float64 {
	return stats.InvCDF(stats.TDist{V: float64(df)})(1 - (1-Confidence)/2)
}
