package stat

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// random returns the test's generator: TEST_SEED repeats a failed run.
func random(t *testing.T) *rand.Rand {
	t.Helper()
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv("TEST_SEED"), fmt.Sprint(rand.Uint64())), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("TEST_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func near(a, b float64) bool { return within(a, b, 1e-9*math.Max(math.Abs(a), math.Abs(b))) }

// within is false for NaN. (A comparison whether the distance is too large accepts NaN.)
func within(a, b, distance float64) bool { return math.Abs(a-b) <= distance }

func lognormal(r *rand.Rand, n int) []float64 {
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = math.Exp(r.NormFloat64())
	}
	return xs
}

func pairs(values ...float64) []Pair {
	ps := make([]Pair, len(values))
	for i, v := range values {
		ps[i] = Pair{Round: i, Value: v}
	}
	return ps
}

// If this fails, an interval is not that of its definition. k of n values are
// below the median with probability C(n,k)/2^n, so it is between the lo-th and
// the hi-th with the sum over lo <= k < hi; for no closer two is that 95 %.
func TestSummarize(t *testing.T) {
	holds := func(n, lo, hi int) (p float64) {
		for k := lo; k < hi; k++ {
			p += math.Exp2(-float64(n)) * float64(new(big.Int).Binomial(int64(n), int64(k)).Int64())
		}
		return p
	}
	for n := 1; n <= 29; n++ { // for more, benchmath uses the normal approximation
		var xs []float64
		for i := n; i >= 1; i-- {
			xs = append(xs, float64(i))
		}
		s := Summarize(xs)
		if s.Center != float64(n+1)/2 || s.Min != 1 || s.Max != float64(n) || s.N != n {
			t.Errorf("n=%d: got %+v", n, s)
		}
		if xs[0] != float64(n) {
			t.Fatal("Summarize sorted the caller's slice")
		}
		if s.HasInterval() != (n >= 6) {
			t.Errorf("n=%d: HasInterval = %v", n, s.HasInterval())
		}
		if n < 6 {
			if !strings.Contains(s.Warnings[0].Error(), "need >= 6 samples") {
				t.Errorf("n=%d: warnings %v", n, s.Warnings)
			}
			continue
		}
		lo, hi := int(s.Lo), int(s.Hi)
		if p := holds(n, lo, hi); p < confidence || !near(p, s.Confidence) {
			t.Errorf("n=%d: [%d..%d] holds the median with %v, not %v", n, lo, hi, p, s.Confidence)
		}
		for l := 1; l+hi-lo-1 <= n; l++ {
			if holds(n, l, l+hi-lo-1) >= confidence {
				t.Errorf("n=%d: [%d..%d] is shorter than [%d..%d]", n, l, l+hi-lo-1, lo, hi)
			}
		}
	}
	if s := Summarize(nil); !math.IsNaN(s.Center) || s.HasInterval() || len(s.Warnings) != 1 {
		t.Errorf("no samples: got %+v", s)
	}
	var s Summary
	for _, s.N = range []int{0, 9} {
		for _, s.Lo = range []float64{math.Inf(-1), 1} {
			for _, s.Hi = range []float64{2, math.Inf(1)} {
				if want := s.N == 9 && s.Lo == 1 && s.Hi == 2; s.HasInterval() != want {
					t.Errorf("%+v: HasInterval is not %v", s, want)
				}
			}
		}
	}
}

// If this fails, a summary depends on the unit, or its center is not the median.
func TestSummarizeScales(t *testing.T) {
	r := random(t)
	for range 100 {
		xs := lognormal(r, 1+r.IntN(40))
		k := math.Exp(r.NormFloat64())
		scaled := make([]float64, len(xs))
		for i := range xs {
			scaled[i] = k * xs[i]
		}
		a, b := Summarize(xs), Summarize(scaled)
		sorted, n := slices.Sorted(slices.Values(xs)), len(xs)
		if median := (sorted[(n-1)/2] + sorted[n/2]) / 2; !near(a.Center, median) {
			t.Fatalf("median of %v: %v, want %v", xs, a.Center, median)
		}
		if !near(k*a.Center, b.Center) || a.HasInterval() && (!near(k*a.Lo, b.Lo) || !near(k*a.Hi, b.Hi)) {
			t.Fatalf("times %v: %+v became %+v", k, a, b)
		}
	}
}

// If this fails, a p-value is wrong: of the 70 ways to choose 4 of 8 values,
// 2 are as extreme as complete separation.
func TestCompare(t *testing.T) {
	low, high := []float64{1, 2, 3, 4}, []float64{5, 6, 7, 8}
	c := Compare(low, high)
	if !near(c.P, 2.0/70) || c.Alpha != 0.05 || len(c.Warnings) != 0 {
		t.Errorf("separated: %+v, want p = 2/70 at alpha 0.05", c)
	}
	if d := Compare(high, low); d.P != c.P {
		t.Errorf("swapped: p = %v, not %v", d.P, c.P)
	}
	if c := Compare(low[:3], high[:3]); c.P <= c.Alpha || len(c.Warnings) == 0 {
		t.Errorf("3 and 3 values are never significant and must warn: %+v", c)
	}
	if c := Compare([]float64{7, 7}, []float64{7, 7}); c.P != 1 || len(c.Warnings) == 0 {
		t.Errorf("constant and equal: %+v, want p = 1 and a warning", c)
	}
}

// If this fails, a t differs from the table of Student's distribution in textbooks.
func TestTQuantile(t *testing.T) {
	for df, want := range map[int]float64{1: 12.706, 2: 4.303, 3: 3.182, 5: 2.571, 10: 2.228, 30: 2.042} {
		if got := reach(float64(df), 0.05); !within(got, want, 0.0005) {
			t.Errorf("t(%d) = %v, want %v", df, got, want)
		}
	}
}

// If this fails, a ratio or its interval is wrong, or has no warning or error where it needs one.
// Log ratios -1, 0, 1 have mean 0 and standard error 1/sqrt 3.
func TestPairedRatio(t *testing.T) {
	e, err := PairedRatio(pairs(1, math.E, math.E*math.E), pairs(math.E, math.E, math.E))
	half := 4.302652729749 / math.Sqrt(3)
	if err != nil || !near(e.Center, 1) || !near(e.Lo, math.Exp(-half)) || !near(e.Hi, math.Exp(half)) || e.N != 3 {
		t.Errorf("got %+v, %v", e, err)
	}
	if len(e.Warnings) != 1 {
		t.Errorf("three rounds: warnings %v", e.Warnings)
	}

	constant, err := PairedRatio(pairs(2, 4, 6), pairs(1, 2, 3))
	if err != nil || !near(constant.Center, 2) || !near(constant.Lo, 2) || !near(constant.Hi, 2) {
		t.Errorf("a constant ratio of 2: %+v, %v", constant, err)
	}

	unmatched := []Pair{{7, 0, 10}, {1, 0, 4}, {0, 0, 2}}
	if e, err := PairedRatio(unmatched, pairs(1, 2, 3)); err != nil || e.N != 2 || !near(e.Center, 2) {
		t.Errorf("rounds matched by number: %+v, %v", e, err)
	}
	if _, err := PairedRatio(unmatched[:2], pairs(1, 2)); !errors.Is(err, errTooFew) {
		t.Errorf("one common round: %v", err)
	}
	for _, bad := range []float64{0, -1} {
		for _, tc := range [][2][]Pair{{pairs(1, bad), pairs(1, 1)}, {pairs(1, 1), pairs(1, bad)}, {pairs(1, bad), pairs(1, bad)}} {
			if e, err := PairedRatio(tc[0], tc[1]); err == nil {
				t.Errorf("ratio of %v to %v: %+v and no error", tc[0], tc[1], e)
			}
		}
	}
}

// If this fails, a ratio is not the geometric mean, depends on which benchmark is first, or changes
// when the machine gets slower.
func TestPairedRatioProperties(t *testing.T) {
	r := random(t)
	for i := range 100 {
		n := 2 + i%20
		x, y := lognormal(r, n), lognormal(r, n)
		ratio, err := PairedRatio(pairs(x...), pairs(y...))
		if err != nil {
			t.Fatal(err)
		}
		var product = 1.0
		for i := range x {
			product *= x[i] / y[i]
		}
		if !near(ratio.Center, math.Pow(product, 1/float64(n))) {
			t.Fatalf("not the geometric mean of the ratios: %+v", ratio)
		}
		if warned := len(ratio.Warnings) > 0; warned != (n < 6) {
			t.Fatalf("%d rounds: warnings %v", n, ratio.Warnings)
		}
		swapped, _ := PairedRatio(pairs(y...), pairs(x...))
		if !near(swapped.Center, 1/ratio.Center) || !near(swapped.Lo, 1/ratio.Hi) || !near(swapped.Hi, 1/ratio.Lo) {
			t.Fatalf("swapped is not the reciprocal: %+v, %+v", ratio, swapped)
		}
		// A round that slows both by the same factor changes nothing.
		drift := lognormal(r, n)
		for i := range drift {
			x[i] *= drift[i]
			y[i] *= drift[i]
		}
		drifted, _ := PairedRatio(pairs(x...), pairs(y...))
		if !within(drifted.Lo/ratio.Lo, 1, 1e-6) || !within(drifted.Hi/ratio.Hi, 1, 1e-6) {
			t.Fatalf("drift moved the ratio: %+v, %+v", ratio, drifted)
		}
	}
}

// If this fails, the share of intervals that contain the true ratio is not about 95 %.
func TestPairedRatioCoverage(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	testCoverage(t, func() (a, b []Pair) { return pairs(lognormal(r, 5)...), pairs(lognormal(r, 5)...) })
}

// testCoverage draws many pairs of samples whose true ratio is 1.
func testCoverage(t *testing.T, draw func() (a, b []Pair)) {
	t.Helper()
	const trials = 4000
	held := 0
	for range trials {
		if e, _ := PairedRatio(draw()); e.Lo <= 1 && 1 <= e.Hi {
			held++
		}
	}
	if rate := float64(held) / trials; rate < 0.94 || rate > 0.96 {
		t.Errorf("%.1f %% of %d intervals contain the true ratio", 100*rate, trials)
	}
}

// If this fails, rounds of one alignment count as independent, and the interval of a ratio is
// wrong when a loop has a bad alignment.
func TestPairedRatioClusters(t *testing.T) {
	// Two alignments that differ by a factor of e^2, without noise.
	a := []Pair{{0, 0, 1}, {1, 1, math.Exp(2)}, {2, 0, 1}, {3, 1, math.Exp(2)}, {4, 0, 1}, {5, 1, math.Exp(2)}}
	b := []Pair{{0, 0, 1}, {1, 1, 1}, {2, 0, 1}, {3, 1, 1}, {4, 0, 1}, {5, 1, 1}}
	e, err := PairedRatio(a, b)
	half := 12.7062047362 // t(1) times sqrt 2 over sqrt 2
	if err != nil || e.N != 6 || e.Clusters != 2 || !near(e.Center, math.E) || !near(e.Hi, math.Exp(1+half)) || !near(e.Lo, math.Exp(1-half)) {
		t.Errorf("%+v, %v", e, err)
	}
	if len(e.Warnings) != 1 || !strings.Contains(e.Warnings[0].Error(), "2 alignments") {
		t.Errorf("warnings %v", e.Warnings)
	}
	if e, _ := PairedRatio(a[:1:1], b[:1]); e.N != 0 {
		t.Errorf("one round: %+v", e)
	}
	// An alignment with more rounds has the same weight.
	more := append(slices.Clone(a), Pair{6, 0, 1}, Pair{8, 0, 1})
	if f, _ := PairedRatio(more, append(slices.Clone(b), Pair{6, 0, 1}, Pair{8, 0, 1})); !near(f.Center, e.Center) || f.N != 8 {
		t.Errorf("unequal clusters: %+v, equal ones %+v", f, e)
	}

	// Four alignments, each with a random effect, in six rounds each.
	r := rand.New(rand.NewPCG(5, 6))
	testCoverage(t, func() (x, y []Pair) {
		var effect [4]float64
		for i := range effect {
			effect[i] = 0.1 * r.NormFloat64()
		}
		for round := range 24 {
			x = append(x, Pair{round, round % 4, math.Exp(effect[round%4] + 0.01*r.NormFloat64())})
			y = append(y, Pair{round, round % 4, math.Exp(0.01 * r.NormFloat64())})
		}
		return x, y
	})
}

// If this fails, a summary of several alignments counts each round as a value, or one of a
// single alignment does not.
func TestCollapse(t *testing.T) {
	ps := []Pair{{0, 3, 10}, {1, 1, 1}, {2, 3, 30}, {3, 1, 2}, {4, 3, 20}, {5, 1, 9}}
	if got := Collapse(ps); !slices.Equal(got, []float64{2, 20}) {
		t.Errorf("two alignments: %v, want their medians", got)
	}
	if got := Collapse(pairs(3, 1, 2)); !slices.Equal(got, []float64{3, 1, 2}) {
		t.Errorf("one alignment: %v, want all", got)
	}
	if got := Collapse(nil); got != nil {
		t.Errorf("nothing: %v", got)
	}
}

// If this fails, the level of a range of few values is wrong: in all but two of the 2^n ways in which
// n values can be above and below the median, it is between the smallest and the largest.
func TestRangeHolds(t *testing.T) {
	for n, want := range map[int]float64{1: 0, 2: 2. / 4, 3: 6. / 8, 6: 62. / 64, 12: 4094. / 4096} {
		if got := RangeHolds(n); !near(got, want) {
			t.Errorf("n=%d: %v, want %v", n, got, want)
		}
	}
}

// If this fails, values of two different rounds are subtracted, or a's order is lost.
func TestPairedDiffs(t *testing.T) {
	got := PairedDiffs([]Pair{{2, 1, 5}, {9, 1, 1}, {0, 0, 3}}, pairs(1, 1, 2))
	if want := []Pair{{2, 1, 3}, {0, 0, 2}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// If this fails, a slope or its interval is wrong. Anscombe's first data set (1973), here as
// logarithms, has slope 0.5001 and standard error 0.1179 with 9 degrees of freedom.
func TestSlope(t *testing.T) {
	x := []float64{10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5}
	y := []float64{8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68}
	for i := range x {
		x[i], y[i] = math.Exp(x[i]), math.Exp(y[i])
	}
	e, err := Slope(x, y)
	if err != nil || !within(e.Center, 0.5001, 5e-5) || !within((e.Hi-e.Lo)/2, 2.262*0.1179, 2e-4) {
		t.Errorf("Anscombe I: %+v, %v", e, err)
	}
	if _, err := Slope(x[:2], y[:2]); !errors.Is(err, errTooFew) {
		t.Errorf("two points: %v", err)
	}
	if _, err := Slope([]float64{5, 5, 5}, y[:3]); !errors.Is(err, errTooFew) {
		t.Errorf("one x: %v", err)
	}
	for _, bad := range []float64{0, -1} {
		for _, tc := range [][2][]float64{{{bad, 1, 2}, y[:3]}, {x[:3], {1, bad, 2}}} {
			if e, err := Slope(tc[0], tc[1]); err == nil {
				t.Errorf("logs of %v: %+v and no error", tc, e)
			}
		}
	}
}

// If this fails, a power law is not found, or the slope depends on a unit.
func TestSlopeProperties(t *testing.T) {
	r := random(t)
	for range 100 {
		n, power := 3+r.IntN(10), r.NormFloat64()
		x := lognormal(r, n)
		y, noisy := make([]float64, n), make([]float64, n)
		for i := range x {
			y[i] = 3 * math.Pow(x[i], power)
			noisy[i] = y[i] * math.Exp(r.NormFloat64())
		}
		if e, err := Slope(x, y); err != nil || !within(e.Center, power, 1e-6) || !within(e.Hi, e.Lo, 1e-5) {
			t.Fatalf("y = 3 x^%v: %+v, %v", power, e, err)
		}
		a, _ := Slope(x, noisy)
		for i := range x {
			x[i] *= 1e3 // other units on both axes
			noisy[i] *= 1e-9
		}
		b, _ := Slope(x, noisy)
		if !within(a.Center, b.Center, 1e-6) || !within(a.Lo, b.Lo, 1e-5) {
			t.Fatalf("with another unit the slope is another: %+v, %+v", a, b)
		}
	}
}
