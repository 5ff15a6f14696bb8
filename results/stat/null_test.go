package stat

import (
	"math"
	"testing"

	"github.com/aclements/go-moremath/stats"
)

// If this fails, the distribution of the signed-rank statistic is not the table's. These are the largest
// sums of the ranks of the rarer sign that are significant (F. Wilcoxon and R. A. Wilcox, Some
// rapid approximate statistical procedures, 1964).
func TestSignedRankTable(t *testing.T) {
	for alpha, table := range map[float64]map[int]int{
		0.05: {6: 0, 7: 2, 8: 3, 9: 5, 10: 8, 11: 10, 12: 13, 13: 17, 14: 21, 15: 25, 16: 29, 17: 34, 18: 40, 19: 46, 20: 52, 25: 89, 30: 137},
		0.01: {8: 0, 9: 1, 10: 3, 11: 5, 12: 7, 13: 9, 14: 12, 15: 15, 16: 19, 20: 37, 25: 68, 30: 109},
	} {
		for n, want := range table {
			d := signedRank(n)
			if got := d.most - d.critical(alpha); got != want {
				t.Errorf("%d units at %v: %d is significant, want %d", n, alpha, got, want)
			}
		}
	}
}

// If this fails, the distribution of the Mann-Whitney statistic is not the table's of the largest
// significant counts at 5 %, or differs from go-moremath's.
func TestMannWhitneyTable(t *testing.T) {
	for sizes, want := range map[[2]int]int{{4, 4}: 0, {5, 5}: 2, {6, 6}: 5, {8, 8}: 13, {10, 10}: 23, {12, 12}: 37, {15, 15}: 64, {20, 20}: 127, {5, 10}: 8, {12, 7}: 18} {
		d := mannWhitney(sizes[0], sizes[1])
		if got := d.most - d.critical(0.05); got != want {
			t.Errorf("%v: %d is significant, want %d", sizes, got, want)
		}
	}
	for _, sizes := range [][2]int{{1, 1}, {1, 9}, {9, 2}, {7, 8}, {25, 25}, {33, 33}} {
		d, u := mannWhitney(sizes[0], sizes[1]), stats.UDist{N1: sizes[0], N2: sizes[1]}
		if d.tails == nil {
			t.Fatalf("%v: not exact", sizes)
		}
		for k := 0; k <= d.most; k++ {
			if got, want := d.atLeast(k), u.CDF(float64(d.most-k)); !within(got, want, 1e-9*want) {
				t.Fatalf("%v: %d or more with %v, want %v", sizes, k, got, want)
			}
		}
	}
}

// If this fails, the normal distribution differs from the exact one where it takes over: it must not be
// more than 1 % too small, nor smaller at all where p is 0.02 or less, nor much too large at 0.001.
func TestNormal(t *testing.T) {
	for _, tc := range []struct {
		exact          null
		lowest, at0001 float64
	}{
		{signedRank(exactUnits), 0.99, 1.06},
		{mannWhitney(33, 33), 0.99, 1.18},
		{mannWhitney(7, 500), 0.97, 1.7},
	} {
		if tc.exact.tails == nil {
			t.Fatalf("%d: not exact", tc.exact.most)
		}
		var variance float64
		for k, tail := range tc.exact.tails {
			if k < tc.exact.most {
				tail -= tc.exact.tails[k+1] // the probability of k
			}
			variance += tail * math.Pow(float64(k)-float64(tc.exact.most)/2, 2)
		}
		normal := null{most: tc.exact.most, sd: math.Sqrt(variance)}
		for k := range tc.exact.most + 1 {
			p, q := tc.exact.atLeast(k), normal.atLeast(k)
			if q < tc.lowest*p || p <= 0.02 && q < p || p >= 0.001 && q > tc.at0001*p {
				t.Fatalf("%d: %d or more with %v, exact %v", tc.exact.most, k, q, p)
			}
		}
	}
	x := float64(exactUnits + 1)
	if d := signedRank(exactUnits + 1); d.tails != nil || !near(d.sd*d.sd, x*(x+1)*(2*x+1)/24) {
		t.Errorf("%d units: sd %v", exactUnits+1, d.sd)
	}
	if d := mannWhitney(50, 40); d.tails != nil || !near(d.sd*d.sd, 50*40*91./12) {
		t.Errorf("50 and 40: sd %v", d.sd)
	}
	if d := mannWhitney(4, 100_000); d.tails == nil || !near(d.atLeast(d.most), 24/(100_001.*100_002*100_003*100_004)) {
		t.Errorf("4 against 100,000: %v", d.atLeast(d.most))
	}
}
