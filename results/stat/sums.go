package stat

import (
	"math"
	"slices"
	"sort"
)

// sums holds the sums of two numbers that a Shift counts, without making a list of them: one number
// of xs with one of ys, both sorted. If same is true, xs and ys are one list, and the sum of its i-th
// and j-th number counts once: i <= j.
type sums struct {
	xs, ys []float64
	same   bool
}

// number returns how many sums there are.
func (s sums) number() int {
	if s.same {
		return len(s.xs) * (len(s.xs) + 1) / 2
	}
	return len(s.xs) * len(s.ys)
}

// count returns how many sums are below limit, or equal to it if orEqual is true. It reads each
// list once: as the number from xs grows, fewer of ys are small enough.
func (s sums) count(limit float64, orEqual bool) int {
	total, first, end := 0, 0, len(s.ys)
	for i, x := range s.xs {
		if s.same {
			first = i
		}
		for end > first {
			if sum := x + s.ys[end-1]; sum < limit || orEqual && sum == limit {
				break
			}
			end--
		}
		if end <= first {
			break
		}
		total += end - first
	}
	return total
}

// smallest returns the k-th smallest sum, for k from 1 to number. It halves the range of values in which the sum is until so few sums are in it that they can
// be listed: some 16 times for 25,000 values a side.
func (s sums) smallest(k int) float64 {
	// The sum is above at(lo), and at(hi) or below. So many are at(lo) or below, and at(hi) or below.
	lo, below := position(s.xs[0]+s.ys[0])-1, 0
	hi, upTo := position(s.xs[len(s.xs)-1]+s.ys[len(s.ys)-1]), s.number()
	for step := 0; upTo-below > len(s.xs)+len(s.ys); step++ {
		if hi-lo == 1 { // many are equal
			return at(hi)
		}
		middle := lo&hi + (lo^hi)>>1 // (lo+hi)/2, rounded down, without overflow
		// The middle of the numbers is found sooner than that of the positions, unless a few sums are far from the rest.
		if m := position(at(lo)/2 + at(hi)/2); lo < m && m < hi && step%4 > 0 {
			middle = m
		}
		if n := s.count(at(middle), true); n >= k {
			hi, upTo = middle, n
		} else {
			lo, below = middle, n
		}
	}
	few := s.between(at(lo), at(hi), upTo-below)
	slices.Sort(few)
	return few[k-1-below]
}

// after returns the (k+1)-th smallest sum, for k below number. The k-th is sum.
func (s sums) after(sum float64, k int) float64 {
	if s.count(sum, true) > k {
		return sum
	}
	next := math.Inf(1)
	s.each(func(x float64, ys []float64) {
		if i := firstAbove(x, ys, sum); i < len(ys) {
			next = min(next, x+ys[i])
		}
	})
	return next
}

// firstAbove returns the index of the first of ys whose sum with x is above the limit. The limit NaN is below all.
func firstAbove(x float64, ys []float64, limit float64) int {
	return sort.Search(len(ys), func(i int) bool { return !(x+ys[i] <= limit) })
}

// between lists the sums above lo, up to hi, of which there is that number. lo is NaN if it is one position below -Inf.
func (s sums) between(lo, hi float64, number int) []float64 {
	few := make([]float64, 0, number)
	s.each(func(x float64, ys []float64) {
		for i := firstAbove(x, ys, lo); i < len(ys) && x+ys[i] <= hi; i++ {
			few = append(few, x+ys[i])
		}
	})
	return few
}

// each calls do with each number of xs, and those of ys that it is added to.
func (s sums) each(do func(x float64, ys []float64)) {
	for i, x := range s.xs {
		if s.same {
			do(x, s.ys[i:])
		} else {
			do(x, s.ys)
		}
	}
}

// position returns the place of x among the numbers in order: 0 for 0, 1 for the next above.
func position(x float64) int64 {
	bits := int64(math.Float64bits(math.Abs(x)))
	if x < 0 {
		return -bits
	}
	return bits
}

// at returns the number at a position.
func at(position int64) float64 {
	if position < 0 {
		return -math.Float64frombits(uint64(-position))
	}
	return math.Float64frombits(uint64(position))
}
