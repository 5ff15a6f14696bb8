package stat

import (
	"errors"
	"math"
	"slices"

	"github.com/montanaflynn/stats"
	"golang.org/x/perf/benchmath"
)

// confidence is the level of all intervals in this package.
const confidence = 0.95

// A Summary is the median of a sample and its confidence interval.
//
// Lo and Hi are the closest two values of the sample between which the median is at that level;
// they need not be symmetric. With fewer than 6 values at least one is infinite, and Warnings says
// how many are needed. Min and Max are the smallest and the largest value.
type Summary struct {
	benchmath.Summary
	N        int
	Min, Max float64
}

// HasInterval reports whether Lo and Hi are finite.
func (s Summary) HasInterval() bool {
	return !math.IsInf(s.Lo, 0) && !math.IsInf(s.Hi, 0) && s.N > 0
}

// Mean returns the mean of values, or NaN if there are none.
func Mean(values []float64) float64 {
	mean, _ := stats.Mean(values) // without values it is NaN
	return mean
}

// RangeHolds returns the probability that the median is between the smallest and the largest of n
// values: that not all are on one side of it.
func RangeHolds(n int) float64 { return 1 - math.Exp2(1-float64(n)) }

// Summarize returns the summary of values, which it leaves unchanged. With no
// values, Center is NaN, N is 0 and there is a warning.
func Summarize(values []float64) Summary {
	if len(values) == 0 {
		none := benchmath.Summary{Center: math.NaN(), Lo: math.Inf(-1), Hi: math.Inf(1), Warnings: []error{errors.New("no samples")}}
		return Summary{Summary: none, Min: math.NaN(), Max: math.NaN()}
	}
	s := sample(values)
	return Summary{
		Summary: benchmath.AssumeNothing.Summary(s, confidence),
		N:       len(values),
		Min:     s.Values[0],
		Max:     s.Values[len(values)-1],
	}
}

// Compare tests whether two unpaired samples come from the same distribution,
// with the Mann-Whitney U test. Two samples that are constant and equal have
// P = 1 and a warning. It leaves both unchanged.
func Compare(a, b []float64) benchmath.Comparison {
	return benchmath.AssumeNothing.Compare(sample(a), sample(b))
}

// sample copies values, because benchmath sorts them in place.
func sample(values []float64) *benchmath.Sample {
	return benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds)
}
