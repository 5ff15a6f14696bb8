package stat

import (
	"math"
	"testing"
)

// If this fails, the interval of a share is not that of Clopper and Pearson: 0 of 20 has the closed form
// 1-0.025^(1/20), 10 of 20 and 1 of 10 are in the tables.
func TestProportion(t *testing.T) {
	for _, tc := range []struct {
		k, n   int
		lo, hi float64
	}{
		{0, 20, 0, 1 - math.Pow(0.025, 1./20)},
		{20, 20, math.Pow(0.025, 1./20), 1},
		{10, 20, 0.2720, 0.7280},
		{1, 10, 0.0025, 0.4450},
		{63, 1000, 0.0488, 0.0799},
		{1, 1, 0.025, 1},
	} {
		e := Proportion(tc.k, tc.n)
		if e.Center != float64(tc.k)/float64(tc.n) || e.N != tc.n || !within(e.Lo, tc.lo, 6e-5) || !within(e.Hi, tc.hi, 6e-5) {
			t.Errorf("%d of %d: %+v, want [%v, %v]", tc.k, tc.n, e, tc.lo, tc.hi)
		}
	}
	if e := Proportion(0, 0); !math.IsNaN(e.Center) || e.Lo != 0 || e.Hi != 1 {
		t.Errorf("0 of 0: %+v", e)
	}
	for _, n := range []int{100_000, 1_000_000} { // half of so many: the normal interval
		if e := Proportion(n/2, n); !within(e.Hi-e.Lo, 1.959964/math.Sqrt(float64(n)), 5./float64(n)) {
			t.Errorf("half of %d: %+v", n, e)
		}
	}
	for _, bad := range [][2]int{{-1, 3}, {4, 3}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%d of %d: no panic", bad[0], bad[1])
				}
			}()
			Proportion(bad[0], bad[1])
		}()
	}
}

// If this fails, an interval of a share holds the probability less often than in 95 % of cases: the exact
// coverage, summed over all counts that can be seen.
func TestProportionHolds(t *testing.T) {
	const n = 30
	var es [n + 1]Estimate
	for k := range es {
		es[k] = Proportion(k, n)
		if k > 0 && (es[k].Lo <= es[k-1].Lo || es[k].Hi < es[k-1].Hi) {
			t.Errorf("%d of %d has %+v, one less %+v", k, n, es[k], es[k-1])
		}
	}
	worst := 1.0
	for p := 0.005; p < 1; p += 0.005 {
		held := 0.0
		term := math.Pow(1-p, n) // of k successes
		for k, e := range es {
			if e.Lo <= p && p <= e.Hi {
				held += term
			}
			term *= float64(n-k) / float64(k+1) * p / (1 - p)
		}
		worst = min(worst, held)
	}
	if worst < confidence || worst > 0.96 {
		t.Errorf("%.4f of intervals hold the worst probability, want 0.95 or a little more", worst)
	}
}
