package stat

import (
	"cmp"
	"iter"
	"math"
	"slices"
)

// sums holds the sums of two numbers that a Shift counts, without making a list of them: one number
// of xs with one of ys, both sorted. If same is true, xs and ys are one list, and the sum of its i-th
// and j-th number counts once: i <= j.
type sums struct {
	xs, ys  []float64
	same    bool
	counted *points
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

// smallest returns the k-th smallest sum, for k from 1 to number. It narrows the range of numbers in
// which that sum is, by counting the sums up to a guess, until so few are left that they can be listed.
func (s sums) smallest(k int) float64 {
	r := s.counted.around(k, span{lo: position(s.xs[0] + s.ys[0]), hi: position(s.xs[len(s.xs)-1] + s.ys[len(s.ys)-1]), upTo: s.number()})
	enough := max(8, (len(s.xs)+len(s.ys))/8) // to sort so many takes less than another pass or two
	before := r.left()
	for step := 0; r.lo < r.hi && r.left() > enough; step = (step + 1) % 3 {
		switch {
		case step == 0:
			before = r.left()
		case step == 2 && r.left() < before/4:
			continue // both guesses were good
		case step == 2: // many sums may be equal to the one that is looked for
			one := s.among(r, k-r.below)
			for _, p := range []int64{one, one - 1} {
				q := point{p, s.count(at(p), true)}
				s.counted.add(q)
				r = r.cut(k, q)
			}
			if r.lo == r.hi {
				return at(r.lo)
			}
		}
		guess := r.guess(k, step)
		n := s.count(at(guess), true)
		s.counted.add(point{guess, n})
		r = r.cut(k, point{guess, n})
	}
	if r.lo == r.hi {
		return at(r.lo)
	}
	few := s.within(r)
	slices.Sort(few)
	return at(position(few[k-r.below-1])) // never -0
}

// rows yields each of xs with those of ys whose sum with it is in the span, if there are any.
func (s sums) rows(r span) iter.Seq2[float64, []float64] {
	lo, hi := at(r.lo), at(r.hi)
	first, end := len(s.ys), len(s.ys)
	return func(yield func(float64, []float64) bool) {
		for i, x := range s.xs {
			for first > 0 && x+s.ys[first-1] >= lo {
				first--
			}
			for end > 0 && x+s.ys[end-1] > hi {
				end--
			}
			start := first
			if s.same {
				start = max(first, i)
			}
			if start < end && !yield(x, s.ys[start:end]) {
				return
			}
		}
	}
}

// among returns the position of one of the sums in the span: the n-th of them, from 1, in the order of xs and then ys.
// It is as good as drawn at random, so a sum that many are equal to is likely to be met.
func (s sums) among(r span, n int) int64 {
	for x, ys := range s.rows(r) {
		if n <= len(ys) {
			return position(x + ys[n-1])
		}
		n -= len(ys)
	}
	return r.lo
}

// within returns the sums in the span.
func (s sums) within(r span) []float64 {
	found := make([]float64, 0, r.left())
	for x, ys := range s.rows(r) {
		for _, y := range ys {
			found = append(found, x+y)
		}
	}
	return found
}

// span is a range of positions, from lo to hi, with the number of sums below it and up to its end.
type span struct {
	lo, hi      int64
	below, upTo int
}

// left returns how many sums are in the span.
func (r span) left() int { return r.upTo - r.below }

// cut returns the part of the span in which the k-th sum is.
func (r span) cut(k int, p point) span {
	switch {
	case p.upTo >= k && p.at < r.hi:
		r.hi, r.upTo = p.at, p.upTo
	case p.upTo < k && p.at >= r.lo:
		r.lo, r.below = p.at+1, p.upTo
	}
	return r
}

// A point is a position, and the number of sums up to it.
type point struct {
	at   int64
	upTo int
}

// points are what a Shift has counted so far, in order: the sums that it is asked for are near each other, so
// each search begins where those before it came to.
type points struct{ list []point }

func (p *points) add(q point) {
	i, _ := slices.BinarySearchFunc(p.list, q.at, func(a point, at int64) int { return cmp.Compare(a.at, at) })
	p.list = slices.Insert(p.list, i, q)
}

// around returns the part of the span in which the k-th sum is, as far as the points tell.
func (p *points) around(k int, r span) span {
	i, _ := slices.BinarySearchFunc(p.list, k, func(a point, k int) int { return cmp.Compare(a.upTo, k) })
	for _, q := range p.list[max(0, i-1):min(i+1, len(p.list))] {
		r = r.cut(k, q)
	}
	return r
}

// guess returns a position from lo to hi-1 near which the k-th sum may be. Of three steps, 0 is a little
// above where it is if the sums are spread evenly, 1 a little below, and 2 is the middle of the range. So it is
// empty after at most 64 of step 2, however the sums are spread.
func (r span) guess(k, step int) int64 {
	share := float64(k-r.below) / float64(r.upTo-r.below)
	switch step {
	case 0:
		share += 1. / 32
	case 1:
		share -= 1. / 32
	}
	p := position(at(r.lo)*(1-share) + at(r.hi)*share)
	if step == 2 || p < r.lo || p >= r.hi {
		return r.lo&r.hi + (r.lo^r.hi)>>1 // (lo+hi)/2, rounded down, without overflow
	}
	return p
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
