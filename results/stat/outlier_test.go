package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// If this fails, one more value of a kind is called an outlier more or less often than the level says.
func TestCrowdP(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 37))
	for _, n := range []int{3, 4, 5, 9, 39} {
		const all = 8000
		outside, beyond := 0, 0
		for range all {
			values := make([]float64, n)
			for i := range values {
				values[i] = 5 + r.NormFloat64()
			}
			c, ok := NewCrowd(values)
			if !ok {
				t.Fatalf("no crowd of %d", n)
			}
			x := 5 + r.NormFloat64()
			if c.P(x) <= 0.05 {
				outside++
			}
			if math.Abs(x-c.Center) >= c.Reach(0.05) {
				beyond++
			}
		}
		t.Logf("%d values: %.2f %% outside", n, 100*float64(outside)/all)
		if outside != beyond {
			t.Errorf("%d values: P says %d are outside, Reach %d", n, outside, beyond)
		}
		if share := float64(outside) / all; share > 0.065 || share < 0.01 {
			t.Errorf("%d values: got %.1f %% outside at 5 %%", n, 100*share)
		}
	}
}

// If this fails, values that differ for reasons of their own move the crowd, or make it wide.
func TestCrowdBearsOutliers(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 37))
	values := make([]float64, 40)
	for i := range values {
		values[i] = r.NormFloat64()
		if i%5 < 2 {
			values[i] += 1000 // 40 %
		}
	}
	c, _ := NewCrowd(values)
	if math.Abs(c.Center) > 2 || c.Reach(0.05) > 15 {
		t.Errorf("got center %v and reach %v, want those of the 60 %% around 0", c.Center, c.Reach(0.05))
	}
	if p := c.P(1000); p > 1e-6 {
		t.Errorf("got P %v of what 1000 deviations away, want almost 0", p)
	}
}

// If this fails, few or equal values give a number that is none.
func TestCrowdOfFew(t *testing.T) {
	for n := range 3 {
		if _, ok := NewCrowd(make([]float64, n)); ok {
			t.Errorf("got a crowd of %d", n)
		}
	}
	c, ok := NewCrowd([]float64{2, 2, 2})
	if !ok || c.Center != 2 || c.Reach(0.05) != 0 || c.P(2) != 1 || c.P(2.1) != 0 {
		t.Errorf("three equal values: got %+v, reach %v, P %v and %v, want 2, 0, 1 and 0", c, c.Reach(0.05), c.P(2), c.P(2.1))
	}
	c, _ = NewCrowd([]float64{1, 2, 3})
	for _, alpha := range []float64{0.05, 1e-3, 1e-6} {
		if reach := c.Reach(alpha); !(reach > 0) || math.Abs(c.P(c.Center+reach)/alpha-1) > 1e-3 {
			t.Errorf("P of what Reach says at %v is %v", alpha, c.P(c.Center+reach))
		}
	}
}
