package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// fixed returns a generator whose seed is the same in every run, and prints the seed.
func fixed(t *testing.T, seed uint64) *rand.Rand {
	t.Helper()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// hard returns n numbers of one of several kinds: with ties and zeros, of very different sizes, or
// near the largest and the smallest that there are.
func hard(r *rand.Rand, n int) []float64 {
	kind := r.IntN(6)
	xs := make([]float64, n)
	for i := range xs {
		switch kind {
		case 0:
			xs[i] = r.NormFloat64()
		case 1:
			xs[i] = float64(r.IntN(5) - 2)
		case 2:
			xs[i] = math.Copysign(math.Exp2(float64(r.IntN(2000)-1000)), r.Float64()-0.5)
		case 3:
			xs[i] = math.MaxFloat64 * (float64(r.IntN(5)-2) / 2)
		case 4:
			xs[i] = math.SmallestNonzeroFloat64 * float64(r.IntN(9)-4)
		case 5:
			xs[i] = math.Copysign(0, r.Float64()-0.5)
		}
	}
	return xs
}

func negated(xs []float64) []float64 {
	ys := make([]float64, len(xs))
	for i, x := range xs {
		ys[i] = -x
	}
	return ys
}

// list returns the sorted sums.
func (s sums) list() (all []float64) {
	for i, x := range s.xs {
		for j, y := range s.ys {
			if !s.same || i <= j {
				all = append(all, x+y)
			}
		}
	}
	slices.Sort(all)
	return all
}

// shifts calls check with many shifts of either kind, of hard values.
func shifts(t *testing.T, check func(r *rand.Rand, s Shift)) {
	r := fixed(t, 11)
	for i := range 600 {
		d := hard(r, i%23)
		check(r, Paired(d))
		check(r, Unpaired(hard(r, r.IntN(12)), d))
	}
	for range 3 { // so many that the distribution is normal
		check(r, Paired(hard(r, exactUnits+10)))
		check(r, Unpaired(hard(r, 36), hard(r, 37)))
	}
}

// If this fails, a count, the k-th smallest average or difference, or the median differs from that of
// the list.
func TestSums(t *testing.T) {
	shifts(t, func(r *rand.Rand, s Shift) {
		all := s.sums.list()
		if s.sums.number() != len(all) {
			t.Fatalf("%v: %d sums", s.sums, s.sums.number())
		}
		if n := len(all); n > 0 {
			median := all[n/2]
			if other := all[(n-1)/2]; other != median {
				median = median/2 + other/2
			}
			if s.Center() != median {
				t.Fatalf("%v: centre %v, want %v", s.sums, s.Center(), median)
			}
		}
		for k, want := range all {
			if k > 30 && r.IntN(300) > 0 {
				continue
			}
			if got := s.sums.smallest(k + 1); got != want || got == 0 && math.Signbit(got) {
				t.Fatalf("%v: sum %d is %v, want %v", s.sums, k+1, got, want)
			}
			for _, limit := range []float64{want, math.Nextafter(want, 9), r.NormFloat64(), math.Inf(1), math.Inf(-1)} {
				below, equal := 0, 0
				for _, v := range all {
					if v < limit {
						below++
					} else if v == limit {
						equal++
					}
				}
				if a, b := s.sums.count(limit, false), s.sums.count(limit, true); a != below || b != below+equal {
					t.Fatalf("%v: %d below %v, %d or equal; want %d, %d more", s.sums, a, limit, b, below, equal)
				}
			}
		}
	})
}

// If this fails, the search for a sum takes more than three times 64 counts where the sums lie so
// that each guess is as wrong as it can be, or looks outside the range.
func TestGuesses(t *testing.T) {
	for _, largest := range []float64{1, math.MaxFloat64, math.Inf(1)} {
		r := span{position(-1), position(largest), 0, 1 << 30}
		for pass := 0; r.lo < r.hi; pass++ {
			guess := r.guess(1<<29, pass%3)
			if guess < r.lo || guess >= r.hi || pass > 3*64 {
				t.Fatalf("pass %d: guess %d in %+v", pass, guess, r)
			}
			if r.hi-guess > guess-r.lo { // all sums are on the side where most numbers are
				r.lo = guess + 1
			} else {
				r.hi = guess
			}
		}
	}
}

// If this fails, the test and the interval disagree: theta is in Interval(alpha) if and only if
// P(theta) > alpha, with ties, and for the bounds themselves and the numbers next to them.
func TestIntervalIsTheTest(t *testing.T) {
	finite, inside := 0, 0
	shifts(t, func(r *rand.Rand, s Shift) {
		thetas := []float64{0, r.NormFloat64(), math.MaxFloat64, math.Inf(1), math.Inf(-1), s.Center()}
		if all := s.sums.list(); len(all) > 0 {
			for range 5 {
				thetas = append(thetas, all[r.IntN(len(all))])
			}
		}
		alphas := []float64{0.00125, 0.05, 0.3, r.Float64()}
		for _, theta := range thetas {
			alphas = append(alphas, s.P(theta)) // exactly what some theta reaches
		}
		for _, alpha := range alphas {
			if alpha >= 1 {
				continue
			}
			lo, hi := s.Interval(alpha)
			if !math.IsInf(lo, 0) {
				finite++
			}
			next := []float64{lo, hi, math.Nextafter(lo, math.Inf(-1)), math.Nextafter(lo, math.Inf(1)), math.Nextafter(hi, math.Inf(1)), math.Nextafter(hi, math.Inf(-1))}
			for _, theta := range append(next, thetas...) {
				if math.IsNaN(theta) {
					continue // the centre of nothing
				}
				in := lo <= theta && theta <= hi
				if in {
					inside++
				}
				if p := s.P(theta); in != (p > alpha) {
					t.Fatalf("%v: interval [%v, %v] at %v, but P(%v) = %v", s.sums, lo, hi, alpha, theta, p)
				}
			}
			if c := s.Center(); s.N() > 0 && !(lo <= c && c <= hi) {
				t.Fatalf("%v: centre %v is not within [%v, %v]", s.sums, c, lo, hi)
			}
		}
	})
	if finite < 1000 || inside < 1000 {
		t.Errorf("only %d finite intervals and %d values in one", finite, inside)
	}
}

// If this fails, a p value differs from its definition: the share of all ways to choose the signs of
// n differences in which the positive ones have so large a sum of ranks, or larger.
func TestPairedIsExact(t *testing.T) {
	r := fixed(t, 12)
	for n := 1; n <= 10; n++ {
		d := make([]float64, n)
		for i := range d {
			d[i] = 0.3 + r.NormFloat64()
		}
		sizes := make([]float64, n)
		for i, v := range d {
			sizes[i] = math.Abs(v)
		}
		ranks := func(positive func(i int) bool) (sum int) {
			for i := range sizes {
				for j := range sizes {
					if positive(i) && sizes[j] <= sizes[i] {
						sum++
					}
				}
			}
			return sum
		}
		observed := ranks(func(i int) bool { return d[i] > 0 })
		larger, smaller := 0, 0
		for signs := range 1 << n {
			sum := ranks(func(i int) bool { return signs>>i&1 == 1 })
			if sum >= observed {
				larger++
			}
			if sum <= observed {
				smaller++
			}
		}
		above, below := math.Ldexp(float64(larger), -n), math.Ldexp(float64(smaller), -n)
		s := Paired(d)
		if !near(s.PAbove(0), above) || !near(s.PBelow(0), below) || !near(s.P(0), min(1, 2*above, 2*below)) {
			t.Errorf("%v: p %v, above %v, below %v; want %v, %v", d, s.P(0), s.PAbove(0), s.PBelow(0), above, below)
		}
	}
}

// If this fails, an unpaired p value differs from its definition: the share of all ways to choose
// which of the values are b's in which as many pairs or more have the larger value in b.
func TestUnpairedIsExact(t *testing.T) {
	r := fixed(t, 13)
	for m := 1; m <= 5; m++ {
		for n := 1; n <= 6; n++ {
			all := lognormal(r, m+n)
			wins := func(isB func(i int) bool) (u int) {
				for i := range all {
					for j := range all {
						if isB(i) && !isB(j) && all[i] > all[j] {
							u++
						}
					}
				}
				return u
			}
			observed := wins(func(i int) bool { return i >= m })
			ways, larger, smaller := 0.0, 0.0, 0.0
			for set := range 1 << (m + n) {
				count := 0
				for i := range all {
					count += set >> i & 1
				}
				if count != n {
					continue
				}
				u := wins(func(i int) bool { return set>>i&1 == 1 })
				ways++
				if u >= observed {
					larger++
				}
				if u <= observed {
					smaller++
				}
			}
			s := Unpaired(all[:m], all[m:])
			if !near(s.PAbove(0), larger/ways) || !near(s.PBelow(0), smaller/ways) {
				t.Errorf("%d and %d: above %v, below %v; want %v, %v", m, n, s.PAbove(0), s.PBelow(0), larger/ways, smaller/ways)
			}
		}
	}
}

// If this fails, ties or zeros make the test call differences that are none: over all ways to choose
// the signs, or the sides, p is alpha or less in at most the share alpha of them, for every alpha.
func TestTiesAreConservative(t *testing.T) {
	r := fixed(t, 14)
	valid := func(ps []float64, of string) {
		slices.Sort(ps)
		for i, p := range ps {
			if share := float64(i+1) / float64(len(ps)); share > p+1e-12 && (i+1 == len(ps) || ps[i+1] > p) {
				t.Fatalf("%s: p is %v or less in %v of all", of, p, share)
			}
		}
	}
	for i := range 60 {
		n := 1 + i%9
		sizes := make([]float64, n)
		for j := range sizes {
			sizes[j] = float64(r.IntN(4)) // zeros, and many that are equal
		}
		var two, above, below, larger, smaller []float64
		for set := range 1 << n {
			d := slices.Clone(sizes)
			var a, b []float64
			for j := range d {
				if set>>j&1 == 1 {
					d[j] = -d[j]
					a = append(a, sizes[j])
				} else {
					b = append(b, sizes[j])
				}
			}
			s := Paired(d)
			two, above, below = append(two, s.P(0)), append(above, s.PAbove(0)), append(below, s.PBelow(0))
			if len(a) == n/2 {
				s := Unpaired(a, b)
				larger, smaller = append(larger, s.PAbove(0)), append(smaller, s.PBelow(0))
			}
		}
		valid(two, "two-sided")
		valid(above, "above")
		valid(below, "below")
		valid(larger, "unpaired, above")
		valid(smaller, "unpaired, below")
	}
}

// If this fails, a shift depends on which arm is first, on the order of the units, or on their unit.
func TestShiftMirrors(t *testing.T) {
	r := fixed(t, 15)
	same := func(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) }
	mirrored := func(a, b Shift) {
		if !same(a.Center(), -b.Center()) || a.N() != b.N() {
			t.Fatalf("%v: centre %v of %d, mirrored %v of %d", a.sums, a.Center(), a.N(), b.Center(), b.N())
		}
		for _, alpha := range []float64{0.001, 0.05, 0.4} {
			lo, hi := a.Interval(alpha)
			if l, h := b.Interval(alpha); lo != -h || hi != -l {
				t.Fatalf("%v: interval [%v, %v], mirrored [%v, %v]", a.sums, lo, hi, l, h)
			}
		}
		for _, theta := range []float64{0, 1, r.NormFloat64()} {
			if a.P(theta) != b.P(-theta) || a.PAbove(theta) != b.PBelow(-theta) || a.Equivalence(theta, 1) != b.Equivalence(-theta, 1) {
				t.Fatalf("%v: p values of %v are not those of the mirrored", a.sums, theta)
			}
		}
	}
	for i := range 300 {
		a, b := hard(r, i%20), hard(r, r.IntN(20))
		mirrored(Paired(a), Paired(negated(a)))
		mirrored(Unpaired(a, b), Unpaired(b, a))
		mirrored(Unpaired(a, b), Unpaired(negated(a), negated(b)))

		x := make([]float64, 12)
		moved, scaled := slices.Clone(x), slices.Clone(x)
		for j := range x {
			x[j] = r.NormFloat64()
			moved[j], scaled[j] = x[j]+3, x[j]*1e6
		}
		r.Shuffle(len(x), func(i, j int) { scaled[i], scaled[j] = scaled[j], scaled[i] })
		lo, hi := Paired(x).Interval(0.05)
		if l, h := Paired(moved).Interval(0.05); !within(l, lo+3, 1e-12) || !within(h, hi+3, 1e-12) || !within(Paired(moved).Center(), Paired(x).Center()+3, 1e-12) {
			t.Fatalf("%v moved by 3: [%v, %v], was [%v, %v]", x, l, h, lo, hi)
		}
		if l, h := Paired(scaled).Interval(0.05); !near(l, 1e6*lo) || !near(h, 1e6*hi) {
			t.Fatalf("%v times 1e6: [%v, %v], was [%v, %v]", x, l, h, lo, hi)
		}
	}
}

// If this fails, units that are too few for alpha are called different, or the least number of units is
// not where the test first can be significant.
func TestTooFew(t *testing.T) {
	for _, alpha := range []float64{0.05, 0.01, 0.05 / 40, 0.25, 1e-9} {
		least := LeastUnits(alpha)
		d := make([]float64, least)
		for i := range d {
			d[i] = 1 + float64(i)
		}
		few, enough := Paired(d[1:]), Paired(d)
		if lo, hi := few.Interval(alpha); !math.IsInf(lo, -1) || !math.IsInf(hi, 1) || few.P(0) <= alpha {
			t.Errorf("%d units at %v: [%v, %v], p %v", least-1, alpha, lo, hi, few.P(0))
		}
		if lo, hi := enough.Interval(alpha); lo != 1 || hi != float64(least) || enough.P(0) > alpha {
			t.Errorf("%d units at %v: [%v, %v], p %v", least, alpha, lo, hi, enough.P(0))
		}
	}
	// One test of a family of 40, and the last of its looks.
	looks := Looks(0.05 / 40)
	for alpha, want := range map[float64]int{0.05: 6, 1: 1, 0.5: 2, 0.05 / 40: 11, looks[3].Alpha: 12, looks[2].Alpha: 13, 0: 1076} {
		if got := LeastUnits(alpha); got != want {
			t.Errorf("least units at %v: %d, want %d", alpha, got, want)
		}
	}
	for _, s := range []Shift{{}, Paired(nil), Unpaired(nil, []float64{1}), Unpaired([]float64{1}, nil)} {
		if lo, hi := s.Interval(0.05); !math.IsNaN(s.Center()) || s.N() != 0 || s.P(0) != 1 || s.Equivalence(0, 1) != 1 || !math.IsInf(lo, -1) || !math.IsInf(hi, 1) {
			t.Errorf("nothing: %v of %d, p %v, [%v, %v]", s.Center(), s.N(), s.P(0), lo, hi)
		}
	}
}

// If this fails, 100,000 units have a wrong centre or interval. Those of 0, 1, 2, … are
// known: the averages are symmetric around the middle.
func TestManyUnits(t *testing.T) {
	const n = 100_000
	d := make([]float64, n)
	for i := range d {
		d[i] = float64((i * 7919) % n) // shuffled
	}
	s := Paired(d)
	lo, hi := s.Interval(0.05)
	// The centre of a uniform sample misses by about n/sqrt(12n), and the interval is 1.96 of it each way.
	if half := 1.96 * n / math.Sqrt(12*n); s.Center() != (n-1)/2. || lo+hi != n-1 || !within((hi-lo)/2, half, 0.02*half) {
		t.Errorf("centre %v, [%v, %v]", s.Center(), lo, hi)
	}
	u := Unpaired(d, d)
	if lo, hi := u.Interval(0.05); u.Center() != 0 || lo != -hi || !(hi > 0) || u.P(0) != 1 {
		t.Errorf("against itself: centre %v, [%v, %v], p %v", u.Center(), lo, hi, u.P(0))
	}
}

// If this fails, a user is told that so many samples are enough, or needed, and they are not.
func TestLeastSamples(t *testing.T) {
	side := func(n int, from float64) []float64 {
		values := make([]float64, n)
		for i := range values {
			values[i] = from + float64(i)
		}
		return values
	}
	for _, alpha := range []float64{1, 0.5, 0.1, 0.05, 0.05 / 6, 0.05 / 7, 0.05 / 40, 0.05 / 160, 1e-9} {
		n := LeastSamples(alpha)
		if p := Unpaired(side(n, 0), side(n, 100)).P(0); p > alpha {
			t.Errorf("alpha %v: %d a side have p %v", alpha, n, p)
		}
		if p := Unpaired(side(n-1, 0), side(n-1, 100)).P(0); n > 1 && p <= alpha {
			t.Errorf("alpha %v: %d a side are enough, not %d: p %v", alpha, n-1, n, p)
		}
	}
}
