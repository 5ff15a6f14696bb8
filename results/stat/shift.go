package stat

import (
	"math"
	"slices"
)

// A Shift is what differences say about their location: a test of every value that the location may
// have, the interval of the values that the test does not reject, and the centre.
//
// The test counts how many averages of two differences (Paired), or how many differences between
// the two sides (Unpaired), are above the value and how many are below. One that is equal to the
// value supports neither side, so ties and zeros make p larger, never smaller. Interval and P are
// the same test: theta is in Interval(alpha) if and only if P(theta) > alpha, for alpha below 1.
//
// A Shift of no difference has an infinite interval, P 1 and Center NaN. A Shift remembers what it has counted, so
// only one goroutine may use it at a time.
type Shift struct {
	sums sums
	null null
	n    int
}

// Paired returns the shift of the differences d, one for each unit, in any order: log ratios, for
// the ratio of two arms. They must be finite. Paired leaves d unchanged.
//
// The test is the sign-flip test with the ranks of the differences as weights. It is exact if
// each difference less the location has either sign with probability 1/2, whatever its size is.
// A random order of the two arms in a block makes it so when the arms do not differ. The sum of the
// ranks of the positive differences is the number of averages (d[i]+d[j])/2, i <= j, above zero;
// so the interval is between two of these averages, and the centre is their median.
//
// The distribution of the statistic is exact up to 200 units and normal, with the correction for
// continuity, above.
//
// Sources: F. Wilcoxon, Individual comparisons by ranking methods, 1945 (the test); J. W. Tukey,
// The simplest signed-rank tests, 1949 (the averages, named after J. E. Walsh); J. L. Hodges and
// E. L. Lehmann, Estimates of location based on rank tests, 1963 (the centre).
func Paired(d []float64) Shift {
	halves := make([]float64, len(d))
	for i, v := range d {
		halves[i] = v / 2 // the sum of two halves cannot overflow
	}
	slices.Sort(halves)
	return Shift{sums{halves, halves, true, &points{}}, signedRank(len(d)), len(d)}
}

// Unpaired returns the shift of b against a: the location of b less that of a. The values of
// both sides are independent, finite, and in any order. Unpaired leaves them unchanged.
//
// The test is the Mann-Whitney test, which counts the differences b[j]-a[i] above zero. It is exact
// if b less the shift has the distribution of a. The interval is between two of the differences,
// and the centre is their median.
//
// The distribution of the statistic is exact as long as the number of ways to mix both
// sides is below 2^63 (33 values a side, or 4 against 100,000), and normal, with the correction for
// continuity, beyond.
//
// Sources: H. B. Mann and D. R. Whitney, On a test of whether one of two random variables is
// stochastically larger than the other, 1947; Hodges and Lehmann, 1963, as for Paired.
func Unpaired(a, b []float64) Shift {
	xs, ys := slices.Clone(b), make([]float64, len(a))
	for i, v := range a {
		ys[i] = -v
	}
	slices.Sort(xs)
	slices.Sort(ys)
	return Shift{sums{xs, ys, false, &points{}}, mannWhitney(len(a), len(b)), min(len(a), len(b))}
}

// N returns the number of units, or of an unpaired shift the number of values on the smaller side.
func (s Shift) N() int { return s.n }

// Center returns the Hodges-Lehmann estimate of the location: the median of the averages or
// differences that the test counts. It is NaN if there is none.
func (s Shift) Center() float64 {
	n := s.sums.number()
	if n == 0 {
		return math.NaN()
	}
	lo, hi := s.sums.smallest((n+1)/2), s.sums.smallest(n/2+1)
	if lo == hi {
		return lo
	}
	return lo/2 + hi/2
}

// Interval returns the smallest and the largest location that the test at level alpha, below 1, does
// not reject. They hold the location with probability 1-alpha or more. If n is too small for alpha,
// so that no result of the test is significant, they are -Inf and +Inf.
func (s Shift) Interval(alpha float64) (lo, hi float64) {
	k := s.null.critical(alpha)
	n := s.sums.number()
	if k > n {
		return math.Inf(-1), math.Inf(1)
	}
	return s.sums.smallest(n - k + 1), s.sums.smallest(k)
}

// P returns the two-sided p value of "the location is theta".
func (s Shift) P(theta float64) float64 {
	return min(1, 2*min(s.PAbove(theta), s.PBelow(theta)))
}

// PAbove returns the one-sided p value of "the location is theta or less": small if the location
// is above theta.
func (s Shift) PAbove(theta float64) float64 {
	return s.null.atLeast(s.sums.number() - s.sums.count(theta, true))
}

// PBelow returns the one-sided p value of "the location is theta or more": small if the location
// is below theta.
func (s Shift) PBelow(theta float64) float64 { return s.null.atLeast(s.sums.count(theta, false)) }

// Equivalence returns the p value of "the location is not within ±margin of theta": small if it is.
// It is the larger of two one-sided p values (D. J. Schuirmann, A comparison of the two one-sided
// tests procedure and the power approach, 1987), and needs no division of alpha between them.
func (s Shift) Equivalence(theta, margin float64) float64 {
	return max(s.PAbove(theta-margin), s.PBelow(theta+margin))
}
