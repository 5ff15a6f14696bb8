package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// If this fails, differences that resemble those before them have intervals that hold the truth too seldom, or independent
// ones have intervals that are wider than Widen says.
func TestWiden(t *testing.T) {
	for _, c := range []struct {
		n          int
		held       float64 // of AR(1) 0.4
		widerBound float64 // of independent differences
	}{{12, 0.92, 1.40}, {24, 0.93, 1.25}, {48, 0.94, 1.17}, {120, 0.94, 1.10}} {
		for _, rho := range []float64{0, 0.4} {
			r := rand.New(rand.NewPCG(4, uint64(c.n)))
			const sims = 1500
			held, wider := 0, 0.0
			for range sims {
				d := make([]float64, c.n)
				state := r.NormFloat64()
				for i := range d {
					state = rho*state + math.Sqrt(1-rho*rho)*r.NormFloat64()
					d[i] = state
				}
				wide, factor := Widen(d)
				wider += factor / sims
				if lo, hi := Paired(wide).Interval(0.05); lo <= 0 && hi >= 0 {
					held++
				}
			}
			share := float64(held) / sims
			t.Logf("n %d, AR(1) %v: %.1f %% held, %.2f wider", c.n, rho, 100*share, wider)
			if share < max(c.held, 0.95*(1-rho)) || rho == 0 && (share < 0.95 || wider > c.widerBound) {
				t.Errorf("n %d, AR(1) %v: got %.1f %% held and a factor of %.2f", c.n, rho, 100*share, wider)
			}
		}
	}
}

// If this fails, Widen moves the centre, makes a p value smaller, or is not the same for what is scaled or turned around.
func TestWidenKeeps(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 300 {
		n := r.IntN(30)
		d, back, times := make([]float64, n), make([]float64, n), make([]float64, n)
		for i := range d {
			d[i] = math.Round(8*r.NormFloat64()) / 8 // with ties
			back[n-1-i], times[i] = d[i], -4*d[i]
		}
		before := slices.Clone(d)
		wide, factor := Widen(d)
		if !slices.Equal(d, before) {
			t.Fatal("Widen changed its argument")
		}
		_, other := Widen(back)
		_, scaled := Widen(times)
		if factor < 1 || math.Abs(factor-other) > 1e-9 || math.Abs(factor-scaled) > 1e-9 || math.IsNaN(factor) {
			t.Fatalf("%v: got factors %v, %v backwards, %v scaled", d, factor, other, scaled)
		}
		s, w := Paired(d), Paired(wide)
		if n > 0 && math.Abs(s.Center()-w.Center()) > 1e-12 {
			t.Errorf("%v: the centre moved from %v to %v", d, s.Center(), w.Center())
		}
		for _, theta := range []float64{-1, 0, 0.3} {
			if n > 0 && w.P(theta) < s.P(theta)-1e-12 {
				t.Errorf("%v: P(%v) went from %v down to %v", d, theta, s.P(theta), w.P(theta))
			}
		}
	}
	if wide, factor := Widen([]float64{3, 3, 3, 3}); factor != 1 || !slices.Equal(wide, []float64{3, 3, 3, 3}) {
		t.Errorf("equal differences: got %v and %v, want them as they are", wide, factor)
	}
}

// If this fails, outliers hide that successive differences resemble each other.
func TestWidenBearsOutliers(t *testing.T) {
	d := make([]float64, 48)
	for i := range d {
		d[i] = float64((i/6)%2) + 0.01*float64(i%5) // six blocks in one state, six in the other
	}
	_, plain := Widen(d)
	d[10], d[30] = 1e6, -1e6
	_, outliers := Widen(d)
	if plain < 2 || outliers < 1.5 {
		t.Errorf("got factors %v, and %v with two outliers, want 2 and 1.5 at least", plain, outliers)
	}
}
