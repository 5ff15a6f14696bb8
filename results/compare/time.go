package compare

import (
	"math"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
)

// A tested is the statistics of a contest. Differences are of logarithms; if linear, of values.
type tested struct {
	shift  stat.Shift // of the other arm to the base
	linear bool
	of     string  // what N counts
	p      float64 // of no difference; with a null control, the larger of those against A and A2
	floor  float64
	least  float64 // the least margin
	why    string  // why nothing can be said, or ""

	hasNull       bool
	common        float64 // what all benchmarks of two files have in common; 0 in one file
	adjustedEqual float64

	// detectable returns the least difference that the test finds at a level with probability power.
	detectable func(alpha float64) float64
}

// power is that of the minimum detectable effect.
const power = 0.8

// leastMargin is the least margin, as a share.
const leastMargin = 0.01

// test makes the statistics of a contest. A time has a ratio. Another quantity that is 0 in some
// samples has a difference.
func test(c contest) tested {
	t := tested{least: math.Log1p(leastMargin)}
	on := scale(math.Log)
	if !positive(c.base) || !positive(c.other) || c.null != nil && !positive(c.null) {
		if isTimeLike(c.unit) {
			return tested{p: 1, floor: math.Inf(1), why: "a value is 0, so there is no ratio"}
		}
		t.linear, on = true, identity
		t.least = leastMargin * stat.Summarize(c.base.values).Center
	}
	if c.baseSet == c.otherSet {
		if pairs, ok := on.inBlocks(c.base, c.other); ok && len(pairs) > 0 {
			t.inBlocks(c, on, unitsOf(pairs))
			return t
		}
	}
	a, b := on.values(c.base), on.values(c.other)
	t.shift, t.of = stat.Unpaired(a, b), "samples"
	t.p = t.shift.P(0)
	t.detectable = func(alpha float64) float64 { return stat.DetectableUnpaired(a, b, alpha, power) }
	return t
}

// inBlocks tests units within blocks.
func (t *tested) inBlocks(c contest, on scale, against units) {
	t.shift, t.of = stat.Paired(against.diffs), against.of
	t.p = t.shift.P(0)
	t.detectable = func(alpha float64) float64 { return stat.Detectable(against.diffs, alpha, power) }
	if against.opposed(t.shift.Center()) {
		t.why, t.p = "a layout shows the opposite", 1
	}
	if c.null == nil {
		return
	}
	nulls, ok := on.inBlocks(c.base, c.null)
	seconds, ok2 := on.inBlocks(c.null, c.other)
	if !ok || !ok2 {
		return
	}
	// B must differ from A and from A2, to the same side, and by more than these two do.
	t.hasNull = true
	null, second := stat.Paired(unitsOf(nulls).diffs), unitsOf(seconds).diffs
	if other := stat.Paired(second); (other.Center() > 0) == (t.shift.Center() > 0) {
		t.p = max(t.p, other.P(0))
	} else {
		t.p = 1
	}
	lo, hi := null.Interval(Level)
	t.floor = max(-lo, hi)
	t.detectable = func(alpha float64) float64 {
		return max(stat.Detectable(against.diffs, alpha, power), stat.Detectable(second, alpha, power), t.aboveFloor())
	}
}

// aboveFloor is the difference whose centre is above the floor with probability power, if the centre
// varies as a normal value would that has the same interval.
func (t *tested) aboveFloor() float64 {
	const z95, z80 = 1.96, 0.8416
	lo, hi := t.shift.Interval(Level)
	return t.floor + z80*(hi-lo)/(2*z95)
}

func positive(s *series) bool {
	for _, v := range s.values {
		if v <= 0 {
			return false
		}
	}
	return true
}

// margin is how far apart two arms may be that are called equal.
func (t *tested) margin() float64 { return max(t.least, t.floor) }

// equal is the p value of a difference as large as the margin, by two one-sided tests
// (Schuirmann, A Comparison of the Two One-Sided Tests Procedure and the Power Approach, 1987).
func (t *tested) equal() float64 {
	if t.why != "" || math.IsInf(t.floor, 1) {
		return 1
	}
	return max(t.shift.PAbove(t.common-t.margin()), t.shift.PBelow(t.common+t.margin()))
}

// differs reports whether a difference with this adjusted p value is shown.
func (t *tested) differs(adjusted, alpha float64) bool {
	return t.why == "" && adjusted <= alpha && math.Abs(t.center()) > t.floor
}

// center is the difference less what all benchmarks have in common.
func (t *tested) center() float64 { return t.shift.Center() - t.common }

// isTimeLike reports whether a quantity is a time, or a rate of so many in a second.
func isTimeLike(unit string) bool {
	return results.IsTime(unit) || len(unit) > 2 && unit[len(unit)-2:] == "/s"
}
