package stat

import (
	"cmp"
	"math"
	"slices"
)

// Holm returns the adjusted p values of a family, in the order of p. To call those different whose
// adjusted value is alpha or less makes any false call in the whole family with probability alpha at
// most, however the tests depend on each other. A p value that is NaN, of a test that could not be
// made, belongs to the family and counts as 1.
//
// Source: S. Holm, A simple sequentially rejective multiple test procedure, 1979.
func Holm(p []float64) []float64 {
	adjusted, order := ranked(p)
	least := 0.0
	for i, at := range order {
		least = max(least, adjusted[at]*float64(len(p)-i))
		adjusted[at] = min(1, least)
	}
	return adjusted
}

// BenjaminiHochberg returns the adjusted p values of a family, in the order of p. Of those whose
// adjusted value is alpha or less, the share of false calls is on average alpha at most, if the tests
// are independent or depend positively on each other. NaN counts as 1.
//
// Source: Y. Benjamini and Y. Hochberg, Controlling the false discovery rate, 1995.
func BenjaminiHochberg(p []float64) []float64 {
	adjusted, order := ranked(p)
	most := 1.0
	for i, at := range slices.Backward(order) {
		most = min(most, adjusted[at]*float64(len(p))/float64(i+1))
		adjusted[at] = most
	}
	return adjusted
}

// ranked returns a copy of p with 1 for NaN, and the indices of p from the smallest value to the largest.
func ranked(p []float64) (values []float64, order []int) {
	values = slices.Clone(p)
	order = make([]int, len(p))
	for i, v := range values {
		order[i] = i
		if math.IsNaN(v) {
			values[i] = 1
		}
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(values[i], values[j]) })
	return values, order
}
