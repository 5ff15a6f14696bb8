package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// split returns twoStates with the other state above or below.
func split(r *rand.Rand) float64 { return math.Copysign(1, r.Float64()-0.5) * twoStates(r) }

// twoStatesCenter is the median of the averages of two values of twoStates: without it a shift in
// one direction would be larger than the one in the other.
const twoStatesCenter = 0.211

// found returns in which share of runs the test at alpha finds a shift that was computed from
// other samples: half of them up, half of them down.
func found(r *rand.Rand, runs int, detectable func() float64, finds func(shift float64) bool) float64 {
	count := 0
	for i := range runs {
		shift := detectable()
		if i%2 == 0 {
			shift = -shift
		}
		if finds(shift) {
			count++
		}
	}
	return float64(count) / float64(runs)
}

// If this fails, the printed minimum detectable effect is wrong: of shifts of that size, in other
// samples of the same kind, the test must find 70 to 90 %.
func TestDetectableIsFound(t *testing.T) {
	r := fixed(t, 41)
	for _, shape := range []shape{
		{"normal", normals},
		{"t3", independent(student)},
		{"two states", independent(func(r *rand.Rand) float64 { return twoStates(r) - twoStatesCenter })},
		{"two states either way", independent(split)},
		{"two states of both arms", independent(func(r *rand.Rand) float64 { return twoStates(r) - twoStates(r) })},
	} {
		samples := shape.samples
		for _, n := range []int{12, 24, 48, 200} {
			for _, alpha := range []float64{0.05, 0.00125} {
				runs := 1500
				if n == 200 {
					runs = 500
				}
				share := found(r, runs, func() float64 { return Paired(samples(r, n)).Detectable(alpha, 0.8) }, func(shift float64) bool {
					d := samples(r, n)
					for i := range d {
						d[i] += shift
					}
					return Paired(d).P(0) <= alpha
				})
				t.Logf("%s, %d units at %v: %.3f found", shape.name, n, alpha, share)
				if share < 0.7 || share > 0.9 {
					t.Errorf("%s, %d units at %v: %.3f of shifts found", shape.name, n, alpha, share)
				}
			}
		}
		for _, sizes := range [][2]int{{6, 6}, {12, 12}, {24, 24}, {12, 48}} {
			for _, alpha := range []float64{0.05, 0.00125} {
				if alpha < 0.05 && sizes[0] < 12 {
					continue // no result is significant
				}
				share := found(r, 1000, func() float64 { return Unpaired(samples(r, sizes[0]), samples(r, sizes[1])).Detectable(alpha, 0.8) }, func(shift float64) bool {
					a, b := samples(r, sizes[0]), samples(r, sizes[1])
					for i := range b {
						b[i] += shift
					}
					return Unpaired(a, b).P(0) <= alpha
				})
				t.Logf("%s, %v values at %v: %.3f found", shape.name, sizes, alpha, share)
				if share < 0.7 || share > 0.9 {
					t.Errorf("%s, %v values at %v: %.3f of shifts found", shape.name, sizes, alpha, share)
				}
			}
		}
	}
}

// If this fails, the detectable shift depends on which arm is first, on the order or the unit of the
// values, does not grow with the power or with a stricter alpha, or is finite where nothing is found.
func TestDetectableProperties(t *testing.T) {
	r := fixed(t, 42)
	for i := range 200 {
		d, b := hard(r, i%30), normals(r, i%17)
		want := Paired(d).Detectable(0.05, 0.8)
		mirrored := negated(d)
		slices.Reverse(mirrored)
		if got := Paired(mirrored).Detectable(0.05, 0.8); got != want || !(got >= 0) {
			t.Fatalf("%v: %v, mirrored %v", d, want, got)
		}
		if huge := len(d) > 0 && slices.Max(d) > 1e305; !huge && math.IsInf(want, 1) != (len(d) < 6) {
			t.Fatalf("%d units, %v: %v", len(d), d, want)
		}
		doubled := make([]float64, len(b))
		for j := range b {
			doubled[j] = 2 * b[j]
		}
		one, two := Paired(b).Detectable(0.05, 0.8), Unpaired(b, normals(r, 9)).Detectable(0.05, 0.8)
		if Paired(doubled).Detectable(0.05, 0.8) != 2*one || one > Paired(b).Detectable(0.05, 0.95) || one > Paired(b).Detectable(0.005, 0.8) || !(two > 0) {
			t.Fatalf("%v: %v, doubled %v", b, one, Paired(doubled).Detectable(0.05, 0.8))
		}
		if x := normals(r, 9); Unpaired(b, x).Detectable(0.05, 0.8) != Unpaired(x, b).Detectable(0.05, 0.8) {
			t.Fatalf("%v and %v: swapped is another", b, x)
		}
	}
	if got := Paired(make([]float64, 12)).Detectable(0.05, 0.8); got != 0 {
		t.Errorf("twelve equal units: %v", got)
	}
	if got := Paired(make([]float64, 10)).Detectable(0.05/40, 0.8); !math.IsInf(got, 1) {
		t.Errorf("ten units of 40 lines: %v", got)
	}
	if got := Unpaired(nil, []float64{1}).Detectable(0.05, 0.8); !math.IsInf(got, 1) {
		t.Errorf("an empty side: %v", got)
	}
}
