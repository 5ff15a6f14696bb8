package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// margin returns by how much the share of n trials misses the probability p in less than 1 of 700 cases.
func margin(p float64, n int) float64 { return 3 * math.Sqrt(p*(1-p)/float64(n)) }

func normals(r *rand.Rand, n int) []float64 {
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = r.NormFloat64()
	}
	return xs
}

// student returns a value of Student's distribution with 3 degrees of freedom.
func student(r *rand.Rand) float64 {
	var squares float64
	for _, x := range normals(r, 3) {
		squares += x * x
	}
	return r.NormFloat64() / math.Sqrt(squares/3)
}

// twoStates returns a value that is normal in 90 % of cases, and in 10 % 5 standard deviations higher.
func twoStates(r *rand.Rand) float64 {
	x := r.NormFloat64()
	if r.IntN(10) == 0 {
		x += 5
	}
	return x
}

// independent returns samples that are drawn one by one.
func independent(draw func(r *rand.Rand) float64) func(r *rand.Rand, n int) []float64 {
	return func(r *rand.Rand, n int) []float64 {
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = draw(r)
		}
		return xs
	}
}

// autoregressive returns samples of which each keeps 0.4 of the one before.
func autoregressive(r *rand.Rand, n int) []float64 {
	xs := normals(r, n)
	xs[0] /= math.Sqrt(1 - 0.4*0.4)
	for i := 1; i < n; i++ {
		xs[i] += 0.4 * xs[i-1]
	}
	return xs
}

// drifting returns autoregressive samples of a machine that becomes slower.
func drifting(r *rand.Rand, n int) []float64 {
	xs := autoregressive(r, n)
	for i := range xs {
		xs[i] += 0.5 * float64(i)
	}
	return xs
}

// A shape is a way in which samples differ from each other.
type shape struct {
	name    string
	samples func(r *rand.Rand, n int) []float64 // n of them, in the order in which they are measured
}

// steady are the shapes whose samples are independent.
var steady = []shape{
	{"normal", normals},
	{"t3", independent(student)},
	{"two states", independent(twoStates)},
}

// blocks measures n blocks of one sample of either arm: samples returns what is measured, in its order,
// and B is larger by shift. It returns B less A.
func blocks(r *rand.Rand, n int, shift float64, samples func(*rand.Rand, int) []float64, second func(r *rand.Rand) bool) []float64 {
	xs, d := samples(r, 2*n), make([]float64, n)
	for i := range d {
		d[i] = xs[2*i+1] - xs[2*i] // B is second
		if !second(r) {
			d[i] = -d[i]
		}
		d[i] += shift
	}
	return d
}

func randomOrder(r *rand.Rand) bool { return r.IntN(2) == 0 }
func fixedOrder(*rand.Rand) bool    { return true }

// held returns in which share of many runs of n blocks the interval contains the true shift, 0.7.
func held(r *rand.Rand, runs, n int, samples func(*rand.Rand, int) []float64, second func(r *rand.Rand) bool) float64 {
	count := 0
	for range runs {
		if lo, hi := Paired(blocks(r, n, 0.7, samples, second)).Interval(0.05); lo <= 0.7 && 0.7 <= hi {
			count++
		}
	}
	return float64(count) / float64(runs)
}

// If this fails, an interval holds the truth less often than in 95 % of runs, or is much wider than it
// has to be. The samples may depend on the ones before, and the machine may drift: the random order
// alone makes the sign of each difference a coin.
func TestIntervalHolds(t *testing.T) {
	const runs = 2000
	r := fixed(t, 31)
	for _, shape := range append(slices.Clone(steady), shape{"AR(1) 0.4", autoregressive}, shape{"drift", drifting}) {
		for _, n := range []int{7, 12, 24, 220} {
			share := held(r, runs, n, shape.samples, randomOrder)
			t.Logf("%s, %d blocks: %.4f", shape.name, n, share)
			if share < 0.95-margin(0.95, runs) || n >= 12 && share > 0.98 {
				t.Errorf("%s: the interval of %d blocks holds the truth in %.4f of runs", shape.name, n, share)
			}
		}
	}
}

// If this fails, the reason for the random order is gone. With A always first, every difference contains
// the drift between two samples, and the interval misses. (Without drift, AR(1) alone does no harm even
// then: neighbouring differences are correlated by -0.12, which makes the interval wider than needed.
// Samples of A that are all measured before those of B do harm: each side is not independent.)
func TestFixedOrderMisses(t *testing.T) {
	const runs, n = 2000, 24
	r := fixed(t, 32)
	if share := held(r, runs, n, drifting, fixedOrder); share > 0.8 {
		t.Errorf("A first, drift: the interval holds the truth in %.4f of runs", share)
	}
	if share := held(r, runs, n, autoregressive, fixedOrder); share < 0.95 {
		t.Errorf("A first, no drift: the interval holds the truth in %.4f of runs", share)
	}
	count := 0
	for range runs {
		xs := autoregressive(r, 2*n)
		if lo, hi := Unpaired(xs[:n], xs[n:]).Interval(0.05); lo <= 0 && 0 <= hi {
			count++
		}
	}
	if share := float64(count) / runs; share > 0.88 {
		t.Errorf("all of A, then all of B: the interval holds the truth in %.4f of runs", share)
	}
}

// If this fails, the unpaired interval holds the truth less often than in 95 % of cases.
func TestUnpairedIntervalHolds(t *testing.T) {
	const runs = 2000
	r := fixed(t, 33)
	for _, shape := range steady {
		for _, sizes := range [][2]int{{6, 6}, {12, 30}, {50, 40}} {
			count := 0
			for range runs {
				a, b := shape.samples(r, sizes[0]), shape.samples(r, sizes[1])
				for i := range b {
					b[i] += 0.7
				}
				if lo, hi := Unpaired(a, b).Interval(0.05); lo <= 0.7 && 0.7 <= hi {
					count++
				}
			}
			if share := float64(count) / runs; share < 0.95-margin(0.95, runs) || share > 0.98 {
				t.Errorf("%s, %v: the interval holds the truth in %.4f of cases", shape.name, sizes, share)
			}
		}
	}
}

// If this fails, a run of A against A that may stop at every look calls a difference in more than
// 5 % of runs, or the looks spend other than all of alpha.
func TestLooks(t *testing.T) {
	const runs, rounds = 4000, 96
	r := fixed(t, 34)
	looks := Looks(0.05)
	spent := 0.0
	for i, l := range looks {
		spent += l.Alpha
		if i > 0 && (l.Share <= looks[i-1].Share || l.Alpha <= looks[i-1].Alpha) {
			t.Errorf("look %d: %+v after %+v", i, l, looks[i-1])
		}
	}
	if !within(spent, 0.05, 1e-15) || looks[len(looks)-1].Share != 1 || looks[0] != (Look{0.125, 0.005}) {
		t.Errorf("looks %+v spend %v", looks, spent)
	}
	stopped, every := 0, 0
	for range runs {
		d := blocks(r, rounds, 0, drifting, randomOrder)
		called, raw := false, false
		for _, l := range looks {
			p := Paired(d[:int(rounds*l.Share)]).P(0)
			called = called || p <= l.Alpha
			raw = raw || p <= 0.05
		}
		if called {
			stopped++
		}
		if raw {
			every++
		}
	}
	t.Logf("%d of %d runs call a difference; %d if each look had all of alpha", stopped, runs, every)
	if share := float64(stopped) / runs; share > 0.05 || share < 0.02 {
		t.Errorf("%.4f of runs call a difference", share)
	}
	if share := float64(every) / runs; share < 0.08 {
		t.Errorf("with all of alpha at each look only %.4f of runs call a difference: the simulation shows nothing", share)
	}
}

// If this fails, arms that differ by the margin or more are called equal in more than alpha of runs, or
// those that do not differ are not.
func TestEquivalence(t *testing.T) {
	const runs, n, alpha = 4000, 24, 0.05
	r := fixed(t, 35)
	share := func(shift float64, samples func(*rand.Rand, int) []float64) float64 {
		equal := 0
		for range runs {
			if Paired(blocks(r, n, shift, samples, randomOrder)).Equivalence(0, 1) <= alpha {
				equal++
			}
		}
		return float64(equal) / runs
	}
	for _, shape := range append(slices.Clone(steady), shape{"AR(1) 0.4", autoregressive}) {
		for _, shift := range []float64{-1, 1, 1.2} {
			if got := share(shift, shape.samples); got > alpha+margin(alpha, runs) {
				t.Errorf("%s, %v apart: called equal within 1 in %.4f of runs", shape.name, shift, got)
			}
		}
	}
	if got := share(0, normals); got < 0.8 {
		t.Errorf("no difference: called equal within 1 in %.4f of runs", got)
	}
	// The intervals of both one-sided tests: equal if the interval at 2 alpha is within the margin.
	for range 200 {
		s := Paired(normals(r, n))
		lo, hi := s.Interval(2 * alpha)
		if within := -0.4 < lo && hi < 0.4; within != (s.Equivalence(0, 0.4) <= alpha) {
			t.Fatalf("[%v, %v]: p of equivalence %v", lo, hi, s.Equivalence(0, 0.4))
		}
	}
}
