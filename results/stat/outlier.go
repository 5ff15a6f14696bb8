package stat

import (
	"math"
	"slices"

	"github.com/aclements/go-moremath/stats"
)

// A Crowd is what values have in common, and how far one more value of their kind may be from it.
type Crowd struct {
	Center float64 // the median
	scale  float64
	df     float64
	n      int
}

// NewCrowd summarizes three values or more; ok is false for fewer.
//
// Some of the values may differ for reasons of their own. So the centre is the median, and the scale
// the median absolute deviation, times 1.4826 so that it is the standard deviation of normal values: both
// bear it if almost half of the values are anywhere (the Hodges-Lehmann centre bears 29 %, all on one side). The scale
// uses 37 % of what normal values tell (Rousseeuw and Croux, Alternatives to the Median Absolute
// Deviation, 1993), so tests with it have that share of the degrees of freedom. That of few values is too small on
// average, and is multiplied accordingly (Croux and Rousseeuw, Time-Efficient Algorithms for Two Highly
// Robust Estimators of Scale, 1992).
func NewCrowd(values []float64) (c Crowd, ok bool) {
	const consistency, efficiency = 1.4826, 0.37
	if len(values) < 3 {
		return Crowd{}, false
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	c = Crowd{Center: middle(sorted), n: len(values), df: max(1, efficiency*float64(len(values)))}
	c.scale = consistency * middle(deviations(sorted, c.Center))
	if n := len(values); n < len(fewValues) {
		c.scale *= fewValues[n]
	} else {
		c.scale *= float64(n) / (float64(n) - 0.8)
	}
	return c, true
}

// fewValues are the factors of the median absolute deviation by the number of values.
var fewValues = [...]float64{3: 1.495, 1.363, 1.206, 1.200, 1.140, 1.129, 1.107}

// middle is the median of sorted values.
func middle(sorted []float64) float64 {
	n := len(sorted)
	return sorted[(n-1)/2]/2 + sorted[n/2]/2
}

// deviations returns how far sorted values are from a center, sorted. They grow from the center to both sides, so
// the smaller one of the next two on either side is the next.
func deviations(sorted []float64, center float64) []float64 {
	above, _ := slices.BinarySearch(sorted, center)
	below := above - 1
	list := make([]float64, 0, len(sorted))
	for len(list) < len(sorted) {
		if above == len(sorted) || below >= 0 && center-sorted[below] < sorted[above]-center {
			list = append(list, center-sorted[below])
			below--
		} else {
			list = append(list, sorted[above]-center)
			above++
		}
	}
	return list
}

// P is the two-sided p value of "x is one more of the crowd", by Student's distribution. If most of the crowd are
// equal, only what is equal to them is one more: P is then 1 or 0.
func (c Crowd) P(x float64) float64 {
	distance := math.Abs(x - c.Center)
	switch {
	case distance == 0:
		return 1
	case c.scale == 0:
		return 0
	}
	return 2 * stats.TDist{V: c.df}.CDF(-distance/c.spread())
}

// Reach is how far from the center one more value may be at a level: P of the center plus Reach is
// alpha.
func (c Crowd) Reach(alpha float64) float64 {
	return reach(c.df, alpha) * c.spread()
}

// reaches are those of reach, by the degrees of freedom and the level.
var reaches memo[[2]float64, float64]

// reach returns the t for which the share alpha of Student's distribution is outside ±t.
func reach(df, alpha float64) float64 {
	return reaches.get([2]float64{df, alpha}, func() float64 { return -stats.InvCDF(stats.TDist{V: df})(alpha / 2) })
}

// spread is the standard error of one more value less the center. The variance of a median of n normal
// values is that of one, times pi/2n.
func (c Crowd) spread() float64 { return c.scale * math.Sqrt(1+math.Pi/2/float64(c.n)) }
