package stat

// A Look is a point of the budget, fixed before the run, at which the run may stop.
type Look struct {
	Share float64 // of the rounds that were planned
	Alpha float64 // the level of every test at this look
}

// Looks returns the looks of a run whose tests have level alpha over all looks together: at 1/8, 1/4,
// 1/2 and all of the rounds, with 1, 2, 3 and 4 tenths of alpha. Little is spent early, so that a run
// that ends in time loses little power; a large difference needs little.
//
// The levels add up to alpha, so a false call at any look has probability alpha at most, however
// the looks depend on each other (C. E. Bonferroni, 1936; that alpha may be divided in
// unequal parts fixed in advance: K. K. G. Lan and D. L. DeMets, Discrete sequential boundaries for
// clinical trials, 1983).
func Looks(alpha float64) []Look {
	return []Look{{1. / 8, alpha / 10}, {1. / 4, alpha / 5}, {1. / 2, 3 * alpha / 10}, {1, 2 * alpha / 5}}
}

// LeastSamples returns the least number of values a side with which Unpaired can be significant at alpha, which is
// above 0: the least n with 2/C(2n,n) <= alpha. All values of one side are above the others in 2 of C(2n,n) cases.
func LeastSamples(alpha float64) int {
	n := 1
	for p := 1.0; p > alpha && p > 0; n++ {
		p *= float64(n+1) / float64(2*(2*n+1)) // C(2n+2,n+1) is C(2n,n) times 2(2n+1)/(n+1)
	}
	return n
}

// LeastUnits returns the least number of units with which Paired can be significant at alpha, which
// is above 0: the least n with 2^(1-n) <= alpha. All n differences have one sign in 2 of 2^n cases.
func LeastUnits(alpha float64) int {
	n := 1
	for p := 1.0; p > alpha && p > 0; p /= 2 {
		n++
	}
	return n
}
