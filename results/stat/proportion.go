package stat

import (
	"fmt"
	"math"
)

// Proportion returns the share k/n and its exact 95 % interval: from the smallest probability with
// which k or more of n are seen in 2.5 % of cases, to the largest with which k or fewer are. With n 0
// the interval is from 0 to 1 and the share is NaN.
//
// Source: C. J. Clopper and E. S. Pearson, The use of confidence or fiducial limits illustrated in
// the case of the binomial, 1934.
func Proportion(k, n int) Estimate {
	if k < 0 || k > n {
		panic(fmt.Sprintf("stat: Proportion of %d of %d", k, n))
	}
	return Estimate{Center: float64(k) / float64(n), Lo: leastShare(k, n), Hi: 1 - leastShare(n-k, n), N: n}
}

// leastShare returns the probability with which k or more of n are seen in (1-confidence)/2 of cases.
func leastShare(k, n int) float64 {
	if k == 0 {
		return 0
	}
	lo, hi := 0.0, float64(k)/float64(n)
	for range 60 { // halvings: to the precision of a float64
		if p := (lo + hi) / 2; seen(k, n, p) < (1-confidence)/2 {
			lo = p
		} else {
			hi = p
		}
	}
	return lo
}

// seen returns the probability of k or more of n, each with probability p, at most k/n: the
// summands then shrink from the first.
func seen(k, n int, p float64) float64 {
	lgamma := func(i int) float64 {
		v, _ := math.Lgamma(float64(i + 1))
		return v
	}
	term := math.Exp(lgamma(n) - lgamma(k) - lgamma(n-k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
	sum := term
	for i := k; i < n && term > sum*1e-17; i++ {
		term *= float64(n-i) / float64(i+1) * p / (1 - p)
		sum += term
	}
	return sum
}
