package stat

import (
	"math"
	"sort"
	"sync"

	"github.com/aclements/go-moremath/mathx"
)

// exactUnits is the largest number of units for which signedRank is exact. There, a tail of the normal
// distribution is at most 1 % too small, and 0 to 6 % too large where it is 0.02 to 0.001.
const exactUnits = 200

// null is the distribution of a count if there is no difference. It is symmetric around most/2.
type null struct {
	most  int       // the largest count
	tails []float64 // at i, the probability of i or more; nil: normal
	sd    float64   // of the normal distribution
}

// atLeast returns the probability of k or more, for k from 0 to most.
func (n null) atLeast(k int) float64 {
	if k == 0 {
		return 1
	}
	if n.tails != nil {
		return n.tails[k]
	}
	return math.Erfc((float64(k)-0.5-float64(n.most)/2)/n.sd/math.Sqrt2) / 2
}

// critical returns the least count whose two-sided p value is alpha or less; one above most if
// there is none.
func (n null) critical(alpha float64) int {
	return sort.Search(n.most+1, func(k int) bool { return 2*n.atLeast(k) <= alpha })
}

// A memo remembers what was computed for a key. Many lines of one comparison ask for the same.
type memo[K comparable, V any] struct{ of sync.Map }

func (m *memo[K, V]) get(key K, compute func() V) V {
	if v, ok := m.of.Load(key); ok {
		return v.(V)
	}
	v := compute()
	m.of.Store(key, v)
	return v
}

// tails are those of signedRank and mannWhitney, by the two sizes.
var tails memo[[2]int, []float64]

// signedRank returns the distribution of the sum of the ranks 1 to n, each taken with probability 1/2.
func signedRank(n int) null {
	d := null{most: n * (n + 1) / 2}
	if n > exactUnits {
		x := float64(n)
		d.sd = math.Sqrt(x * (x + 1) * (2*x + 1) / 24)
		return d
	}
	d.tails = tails.get([2]int{n, 0}, func() []float64 {
		p := make([]float64, d.most+1)
		p[0] = 1
		for rank := 1; rank <= n; rank++ {
			for sum := rank * (rank + 1) / 2; sum >= 0; sum-- {
				p[sum] /= 2
				if sum >= rank {
					p[sum] += p[sum-rank] / 2
				}
			}
		}
		for sum := d.most; sum > 0; sum-- {
			p[sum-1] += p[sum]
		}
		return p
	})
	return d
}

// mannWhitney returns the distribution of the number of pairs, of one of m and one of n values,
// in which the second is larger. Where it becomes normal, a tail is at most 1 % too small (4 % if one
// side has fewer than 8 values), and too large where it is 0.02 or less.
func mannWhitney(m, n int) null {
	m, n = min(m, n), max(m, n)
	d := null{most: m * n}
	if m == 0 {
		return d
	}
	if mathx.Lchoose(m+n, m) > 63*math.Ln2 {
		d.sd = math.Sqrt(float64(m) * float64(n) * float64(m+n+1) / 12)
		return d
	}
	d.tails = tails.get([2]int{m, n}, func() []float64 { return mixes(m, n) })
	return d
}

// mixes returns the tails of mannWhitney. The number of ways to mix m and n values with u such pairs
// is the coefficient of q^u in the Gaussian binomial coefficient, the product over i = 1..m of
// (1-q^(n+i))/(1-q^i). Numbers below zero or of 2^64 and more wrap around on the way, and back.
//
// Source: A. Di Bucchianico, Combinatorics, computer algebra and the Wilcoxon-Mann-Whitney
// test, 1999.
func mixes(m, n int) []float64 {
	ways := make([]uint64, m*n+1)
	ways[0] = 1
	for i := 1; i <= m; i++ {
		for u := m * n; u >= n+i; u-- {
			ways[u] -= ways[u-n-i]
		}
		for u := i; u <= m*n; u++ {
			ways[u] += ways[u-i]
		}
	}
	for u := m * n; u > 0; u-- {
		ways[u-1] += ways[u]
	}
	p := make([]float64, len(ways))
	for u, w := range ways {
		p[u] = float64(w) / float64(ways[0])
	}
	return p
}
