package stat

import "math"

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

// smallest returns the k-th smallest sum, for k from 1 to number. It halves the range of numbers
// in which the sum is, at most 64 times, because there are 2^64 numbers: no sum is stored.
func (s sums) smallest(k int) float64 {
	lo := position(s.xs[0] + s.ys[0])
	hi := position(s.xs[len(s.xs)-1] + s.ys[len(s.ys)-1])
	for lo < hi {
		middle := lo&hi + (lo^hi)>>1 // (lo+hi)/2, rounded down, without overflow
		if s.count(at(middle), true) >= k {
			hi = middle
		} else {
			lo = middle + 1
		}
	}
	return at(lo)
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
