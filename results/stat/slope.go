package stat

import (
	"fmt"
	"math"

	"github.com/aclements/go-moremath/stats"
)

// Slope fits y = c * x^Center by least squares of logarithms: 1 is linear
// growth, 0 none. The interval is the t interval of the slope; it assumes that the
// residuals of the logarithms are independent and normal.
//
// It needs three points (errTooFew), two different x, and values above zero.
func Slope(x, y []float64) (Estimate, error) {
	n := len(x)
	if n != len(y) {
		panic(fmt.Sprintf("stat: Slope of %d x and %d y", n, len(y)))
	}
	if n < 3 {
		return Estimate{}, fmt.Errorf("stat: slope through %d points: %w", n, errTooFew)
	}
	lx, ly := make([]float64, n), make([]float64, n)
	for i := range x {
		if x[i] <= 0 || y[i] <= 0 {
			return Estimate{}, fmt.Errorf("stat: log-log slope through (%v, %v): both must be above zero", x[i], y[i])
		}
		lx[i], ly[i] = math.Log(x[i]), math.Log(y[i])
	}
	mx, my := stats.Mean(lx), stats.Mean(ly)
	var sxx, sxy float64
	for i := range lx {
		sxx += (lx[i] - mx) * (lx[i] - mx)
		sxy += (lx[i] - mx) * (ly[i] - my)
	}
	if sxx == 0 {
		return Estimate{}, fmt.Errorf("stat: slope through %d points at one x: %w", n, errTooFew)
	}
	slope := sxy / sxx
	var rss float64 // the sum of the squared residuals
	for i := range lx {
		r := (ly[i] - my) - slope*(lx[i]-mx)
		rss += r * r
	}
	half := reach(float64(n-2), 1-confidence) * math.Sqrt(rss/float64(n-2)/sxx)
	return Estimate{Center: slope, Lo: slope - half, Hi: slope + half, N: n}, nil
}
