package compare

import (
	"math"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
)

// A tested is the statistics of a contest. Differences are of logarithms; if linear, of values.
type tested struct {
	difference         // of the other arm to the base
	linear     bool    // values are compared as they are
	p          float64 // of no difference; with a null control, the larger of those against A and A2
	floor      float64
	least      float64 // the least margin
	most       float64 // the largest margin within which arms are called equal
	why        string  // why nothing can be said, or ""

	hasNull       bool
	common        float64                     // what all benchmarks of two files have in common; 0 in one file
	reach         func(alpha float64) float64 // of two files, how far others are from that; else nil
	adjustedEqual float64
}

// A difference is that of one series to another.
type difference struct {
	shift stat.Shift
	at    float64 // its center
	units units

	// detectable returns the least difference that the test finds at a level with probability power.
	detectable func(alpha float64) float64
}

// power is that of the minimum detectable effect.
const power = 0.8

// Margin is the usual least margin, as a share.
const Margin = 0.01

// mostMargin is the largest margin, as a share. In a run whose floor is higher, nothing is called equal: that would
// say too little.
const mostMargin = 0.05

// test makes the statistics of a contest. A time has a ratio. Another quantity that is 0 in some
// samples has a difference. margin is the least margin, as a share.
func test(c contest, margin float64) *tested {
	t := &tested{least: math.Log1p(margin), most: math.Log1p(max(margin, mostMargin))}
	on := scale(math.Log)
	if !positive(c.base) || !positive(c.other) || c.null != nil && !positive(c.null) {
		if isTimeLike(c.unit) {
			return &tested{difference: difference{at: math.NaN()}, p: 1, floor: math.Inf(1), why: "a value is 0, so there is no ratio"}
		}
		t.linear, on = true, identity
		one := min(stat.Summarize(c.base.values.list()).Center, stat.Summarize(c.other.values.list()).Center)
		t.least, t.most = margin*one, max(margin, mostMargin)*one
	}
	oneRun := c.baseSet == c.otherSet
	t.difference = on.difference(c.base, c.other, oneRun)
	t.p = t.shift.P(0)
	if t.units.opposed(t.at) {
		t.why, t.p = "a layout shows the opposite", 1
	}
	if c.null != nil {
		t.control(on.difference(c.base, c.null, oneRun), on.difference(c.null, c.other, oneRun))
	}
	return t
}

// difference compares two series: in blocks if they are of one run and have them, else as independent samples.
func (scale scale) difference(base, other *series, oneRun bool) difference {
	if oneRun {
		if pairs, ok := scale.inBlocks(base, other); ok && len(pairs) > 0 {
			u := unitsOf(pairs).widened()
			s := stat.Paired(u.diffs)
			return difference{s, s.Center(), u, func(alpha float64) float64 { return s.Detectable(alpha, power) }}
		}
	}
	a, b := scale.values(base), scale.values(other)
	u := units{of: a.of, factor: 1}
	s := stat.Unpaired(a.diffs, b.diffs)
	return difference{s, s.Center(), u, func(alpha float64) float64 { return s.Detectable(alpha, power) }}
}

// control takes the null control into account: B must differ from A and from A2, to the same side, and by more
// than these two do.
func (t *tested) control(null, second difference) {
	t.hasNull = true
	if (second.at > 0) == (t.at > 0) {
		t.p = max(t.p, second.shift.P(0))
	} else {
		t.p = 1
	}
	lo, hi := null.shift.Interval(Level)
	t.floor = max(-lo, hi)
	// All three must happen. By simulation, the largest of the three was so found in 71 to 81 % of worlds, and what is
	// larger by this factor in 75 to 84 %.
	const all = 1.06
	first := t.detectable
	t.detectable = func(alpha float64) float64 {
		return all * max(first(alpha), second.detectable(alpha), t.aboveFloor())
	}
}

// aboveFloor is the difference whose centre is above the floor with probability power, if the centre
// varies as a normal value would that has the same interval.
func (t *tested) aboveFloor() float64 {
	const z95, z80 = 1.96, 0.8416
	lo, hi := t.shift.Interval(Level)
	return t.floor + z80*(hi-lo)/(2*z95)
}

// interval is that of the difference, less what all benchmarks have in common: what the test does not
// reject. Of two files the test rejects only what is not one more of the crowd.
func (t *tested) interval(alpha float64) (lo, hi float64) {
	lo, hi = t.shift.Interval(alpha)
	lo, hi = lo-t.common, hi-t.common
	if t.reach != nil {
		lo, hi = min(lo, t.center()-t.reach(alpha)), max(hi, t.center()+t.reach(alpha))
	}
	return lo, hi
}

func positive(s *series) bool {
	for v := range s.values.all() {
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
	return t.shift.Equivalence(t.common, t.margin())
}

// differs reports whether a difference with this adjusted p value is shown.
func (t *tested) differs(adjusted, alpha float64) bool {
	return t.why == "" && adjusted <= alpha && math.Abs(t.center()) > t.floor
}

// center is the difference less what all benchmarks have in common.
func (t *tested) center() float64 { return t.at - t.common }

// isTimeLike reports whether a quantity is a time, or a rate of so many in a second.
func isTimeLike(unit string) bool {
	return results.IsTime(unit) || len(unit) > 2 && unit[len(unit)-2:] == "/s"
}
