package stat

import (
	"math"
	"slices"

	"github.com/aclements/go-moremath/stats"
)

// A Crowd is what values have in common, and how far one more value of their kind may be from it.
type Crowd struct {
	Center float64 // Hodges-Lehmann
	scale  float64
	df     float64
	n      int
}

// NewCrowd summarizes three values or more; ok is false for fewer.
//
// The scale is the median absolute deviation, times 1.4826 so that it is the standard deviation of
// normal values. A few values that differ for reasons of their own hardly change it. It uses 37 %
// of what normal values tell (Rousseeuw and Croux, Alternatives to the Median Absolute Deviation, 1993),
// so tests with it have that share of the degrees of freedom.
func NewCrowd(values []float64) (c Crowd, ok bool) {
	const consistency, efficiency = 1.4826, 0.37
	if len(values) < 3 {
		return Crowd{}, false
	}
	c = Crowd{Center: Paired(values).Center(), n: len(values), df: max(1, efficiency*float64(len(values)))}
	var deviations []float64
	for _, v := range values {
		deviations = append(deviations, math.Abs(v-c.Center))
	}
	slices.Sort(deviations)
	n := len(deviations)
	c.scale = consistency * (deviations[(n-1)/2] + deviations[n/2]) / 2
	return c, true
}

// P is the two-sided p value of "x is one more of the crowd", by Student's distribution.
func (c Crowd) P(x float64) float64 {
	distance := math.Abs(x - c.Center)
	if distance == 0 {
		return 1
	}
	return 2 * (1 - stats.TDist{V: c.df}.CDF(distance/c.spread()))
}

// Reach is how far from the center one more value may be at a level.
func (c Crowd) Reach(alpha float64) float64 {
	return stats.InvCDF(stats.TDist{V: c.df})(1-alpha/2) * c.spread()
}

// spread is the standard error of one more value less the center.
func (c Crowd) spread() float64 { return c.scale * math.Sqrt(1+1/float64(c.n)) }
