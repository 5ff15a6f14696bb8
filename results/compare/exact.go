package compare

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tpbench/tpbench/results"
)

// A Count is an exact quantity of one benchmark in both arms: all samples of an arm have one value.
type Count struct {
	Unit   string  `json:"unit"`
	Base   float64 `json:"base"`
	Other  float64 `json:"value"`
	Means  bool    `json:"means,omitempty"` // in a chain: an arm has several values, and these are means
	better int
	first  bool // it decides before the time: a wait, or what the file declares exact
}

// isExact reports whether a contest is about exact counts: both arms have one value each, and the
// file declares it or there are two samples or more of each. A time is never exact: equal times are
// a clock's steps.
func isExact(c contest) bool {
	if results.IsTime(c.unit) || !c.base.values.constant() || !c.other.values.constant() {
		return false
	}
	return c.declared() || min(c.base.values.n, c.other.values.n) > 1
}

// declared reports whether a file says that the quantity is exact.
func (c contest) declared() bool { return c.baseSet.exactly(c.unit) || c.otherSet.exactly(c.unit) }

// firstCounts are what a difference is looked for in first: how often an operation waits, then how
// often it interrupts other CPUs. Other counts follow in the order of their names.
var firstCounts = []string{"gp-waits/op", "ftrace-waits/op", "core-syncs/op"}

func sortCounts(counts []Count) {
	rank := func(c Count) int {
		if i := slices.Index(firstCounts, c.Unit); i >= 0 {
			return i
		}
		return len(firstCounts)
	}
	slices.SortFunc(counts, func(a, b Count) int { return cmp.Or(rank(a)-rank(b), cmp.Compare(a.Unit, b.Unit)) })
}

// byCounts is the word that the counts decide, and the count that does, or "": the first that differs and of which
// less is better. Those that decide before the time are asked alone: a byte more or less of memory must not hide a
// time. (Counts of which more is better, such as waits that were avoided, tell what a strategy does, and not what it
// costs. Of which of two less is better, the file says; where it does not, a count that differs has changed.)
func byCounts(counts []Count, first bool) (Word, Count) {
	for _, c := range counts {
		switch {
		case c.first != first || c.better >= 0 || c.Base == c.Other:
		case c.Other > c.Base:
			return Worse, c
		default:
			return Better, c
		}
	}
	for _, c := range counts {
		if !first && c.better == 0 && c.Base != c.Other {
			return Changed, c
		}
	}
	return "", Count{}
}

// byGains is the word of counts alone of which more is better, and why.
func byGains(counts []Count) (Word, string) {
	for _, c := range counts {
		switch {
		case c.Other < c.Base:
			return Worse, c.why()
		case c.Other > c.Base:
			return Better, c.why()
		}
	}
	return Equal, ""
}

// why says how a count differs.
func (c Count) why() string {
	return fmt.Sprintf("%s %s, not %s", results.Human(c.Other, c.Unit), c.Unit, results.Human(c.Base, c.Unit))
}
