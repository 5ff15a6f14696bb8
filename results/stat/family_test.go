package stat

import (
	"math"
	"slices"
	"testing"
)

// If this fails, an adjusted p value is not that of its definition: the least alpha at which
// the procedure, step by step, rejects.
func TestAdjustedIsTheProcedure(t *testing.T) {
	holm := func(p []float64, alpha float64) (rejected int) { // smallest first, until one is too large
		for rejected < len(p) && p[rejected]*float64(len(p)-rejected) <= alpha {
			rejected++
		}
		return rejected
	}
	bh := func(p []float64, alpha float64) (rejected int) { // the last that is small enough, and all before
		for i, v := range p {
			if v*float64(len(p))/float64(i+1) <= alpha {
				rejected = i + 1
			}
		}
		return rejected
	}
	r := fixed(t, 21)
	for range 500 {
		p := make([]float64, r.IntN(12))
		for i := range p {
			switch r.IntN(8) {
			case 0:
				p[i] = 1
			case 1:
				p[i] = 0.01 // equal ones
			default:
				p[i] = math.Pow(r.Float64(), 3)
			}
		}
		sorted := slices.Sorted(slices.Values(p))
		for name, tc := range map[string]struct {
			adjust  func([]float64) []float64
			rejects func([]float64, float64) int
		}{"Holm": {Holm, holm}, "BenjaminiHochberg": {BenjaminiHochberg, bh}} {
			was := slices.Clone(p)
			adjusted := tc.adjust(p)
			if !slices.Equal(p, was) || len(adjusted) != len(p) {
				t.Fatalf("%s(%v) = %v, and left %v", name, was, adjusted, p)
			}
			for _, alpha := range append(slices.Clone(adjusted), 0.05, r.Float64(), 0) {
				rejected := tc.rejects(sorted, alpha)
				for i, v := range p {
					if want := alpha >= 1 || rejected > 0 && v <= sorted[rejected-1]; want != (adjusted[i] <= alpha) {
						t.Fatalf("%s(%v) = %v; at %v the procedure rejects %d", name, p, adjusted, alpha, rejected)
					}
				}
			}
		}
	}
}

// If this fails, a test that could not be made loses its place in the family, or spoils the others.
func TestAdjustedNaN(t *testing.T) {
	p := []float64{math.NaN(), 0.01, math.NaN(), 0.02}
	if got := Holm(p); !slices.Equal(got, []float64{1, 0.04, 1, 0.06}) {
		t.Errorf("Holm: %v", got)
	}
	if got := BenjaminiHochberg(p); !slices.Equal(got, []float64{1, 0.04, 1, 0.04}) {
		t.Errorf("BenjaminiHochberg: %v", got)
	}
	if Holm(nil) != nil || len(BenjaminiHochberg([]float64{})) != 0 {
		t.Error("an empty family has adjusted values")
	}
}

// If this fails, a family of 40 lines contains false calls more often than alpha (Holm), or more of its
// calls are false than alpha (Benjamini-Hochberg), on lines of 12 units that are compared with
// one base, so that they depend on each other.
func TestFamily(t *testing.T) {
	r := fixed(t, 22)
	const families, lines, units, alpha = 1000, 40, 12, 0.05
	for _, differ := range []int{0, 10} {
		wrong, found, share := 0, 0, 0.0
		for range families {
			base := normals(r, units)
			var p []float64
			for line := range lines {
				d := normals(r, units)
				for i := range d {
					d[i] -= base[i]
					if line < differ {
						d[i] += 4
					}
				}
				p = append(p, Paired(d).P(0))
			}
			anyWrong, calls, falseCalls := false, 0., 0.
			holm, bh := Holm(p), BenjaminiHochberg(p)
			for line := range lines {
				if holm[line] <= alpha {
					if line < differ {
						found++
					} else {
						anyWrong = true
					}
				}
				if bh[line] <= alpha {
					calls++
					if line >= differ {
						falseCalls++
					}
				}
			}
			if anyWrong {
				wrong++
			}
			if calls > 0 {
				share += falseCalls / calls
			}
		}
		t.Logf("%d of %d lines differ: false calls in %d of %d families, %.3f of BH's calls are false, Holm found %d", differ, lines, wrong, families, share/families, found)
		if rate := float64(wrong) / families; rate > alpha+margin(alpha, families) {
			t.Errorf("%d lines differ: %.3f of families with false calls", differ, rate)
		}
		if share/families > alpha+margin(alpha, families) {
			t.Errorf("%d lines differ: %.3f of calls are false", differ, share/families)
		}
		if found < families*differ*9/10 {
			t.Errorf("Holm found %d of %d", found, families*differ)
		}
	}
}
