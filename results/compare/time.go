package compare

import (
	"math"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
)

// A tested is the statistics of a contest. Differences are of logarithms; if linear, of values.
type tested struct {
	at     float64           // the centre of the difference of the other arm to the base
	shift  func() stat.Shift // of the same: made anew if it is as large as its samples
	units  units
	linear bool // values are compared as they are
	floor  float64
	least  float64 // the least margin
	most   float64 // the largest margin within which arms are called equal
	why    string  // why nothing can be said, or ""

	// With a null control:
	controlled bool
	second     *stat.Shift // of the other arm to A2; not in a chain, where A2 is the first arm's
	astride    bool        // its centre is on the other side

	// Of the times of two files:
	common float64     // what all benchmarks have in common
	crowd  *stat.Crowd // the others
	alone  bool        // these are too few

	// What finish computes:
	lo, hi        float64 // the interval of the difference, less what all benchmarks have in common
	p             float64 // of no difference; with a null control, the larger of those against A and A2
	n             int     // units
	equal         float64 // the p value of a difference as large as the margin
	adjustedEqual float64
	detectable    float64 // the least difference that is found with probability power
}

// oppositeLayout is why nothing is said where a layout contradicts the others.
const oppositeLayout = "a layout shows the opposite"

// A difference is that of one series to another.
type difference struct {
	at    float64
	shift func() stat.Shift
	units units
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
	if !positive(c.base, c.other, c.null) || c.releases != nil && !positive(c.releases.first) {
		if isTimeLike(c.unit) {
			return &tested{at: math.NaN(), units: units{factor: 1}, p: 1, floor: math.Inf(1), equal: 1, lo: math.Inf(-1), hi: math.Inf(1), why: "a value is 0, so there is no ratio"}
		}
		t.linear, on = true, identity
		one := min(stat.Summarize(c.base.values.list()).Center, stat.Summarize(c.other.values.list()).Center)
		t.least, t.most = margin*one, max(margin, mostMargin)*one
	}
	how := blocksWiden
	switch {
	case c.baseSet != c.otherSet || c.releases != nil:
		how = noBlocks
	case isVirtual(c.baseSet.Facts):
		how = blocksAsTheyAre
	}
	d := on.difference(c.base, c.other, how)
	t.at, t.shift, t.units = d.at, d.shift, d.units
	if c.releases != nil {
		t.units.of = ofBoots
	}
	if t.units.opposed(t.at) {
		t.why = oppositeLayout
	}
	switch {
	case c.null != nil && c.releases != nil:
		t.control(on.difference(c.releases.first, c.null, how))
	case c.null != nil:
		t.control(on.difference(c.base, c.null, how))
		second := on.difference(c.null, c.other, how)
		s := second.shift()
		t.second, t.astride = &s, (second.at > 0) != (t.at > 0)
	}
	return t
}

// A blocking says how series are compared.
type blocking int

const (
	noBlocks    blocking = iota // as independent samples: they are not of one run
	blocksWiden                 // in blocks, where there are any: each may resemble the one before

	// In blocks that know nothing of each other. Each is a boot of a guest, and what the host does at that time does not
	// reach a clock that counts the guest's instructions.
	blocksAsTheyAre
)

// difference compares two series.
func (scale scale) difference(base, other *series, how blocking) difference {
	if how != noBlocks {
		if pairs, ok := scale.inBlocks(base, other); ok && len(pairs) > 0 {
			u := unitsOf(pairs)
			if how == blocksWiden {
				u = u.widened()
			}
			s := stat.Paired(u.diffs)
			return difference{s.Center(), func() stat.Shift { return s }, u}
		}
	}
	s, of := scale.unpaired(base, other)
	again := func() stat.Shift {
		s, _ := scale.unpaired(base, other)
		return s
	}
	return difference{s.Center(), again, units{of: of, factor: 1}}
}

// unpaired compares two series as independent samples, and says what its units are.
func (scale scale) unpaired(base, other *series) (s stat.Shift, of string) {
	a, b := scale.values(base), scale.values(other)
	return stat.Unpaired(a.diffs, b.diffs), a.of
}

// control takes the null control into account: B must differ from A by more than A2 does. (And it must differ from A2,
// to the same side.)
func (t *tested) control(null difference) {
	lo, hi := null.shift().Interval(Level)
	t.controlled, t.floor = true, max(-lo, hi)
}

// finish computes what is asked of the shift: the interval at one level, and what is detectable at another.
func (t *tested) finish(level, strictest float64) {
	if t.shift == nil {
		return
	}
	s := t.shift()
	t.n, t.p, t.equal = s.N(), s.P(t.common), 1
	t.lo, t.hi = s.Interval(level)
	t.lo, t.hi = t.lo-t.common, t.hi-t.common
	t.detectable = s.Detectable(strictest, power)
	// All that is asked must happen. By simulation, the largest of the three was so found in 71 to 81 % of worlds, and what
	// is larger by this factor in 75 to 84 %.
	const all = 1.06
	switch {
	case t.second != nil:
		t.p = max(t.p, t.second.P(0))
		t.detectable = all * max(t.detectable, t.second.Detectable(strictest, power), t.aboveFloor(s))
	case t.controlled:
		t.detectable = all * max(t.detectable, t.aboveFloor(s))
	}
	if t.units.of == ofBoots {
		t.detectable = max(t.detectable, t.least) // what is smaller is equal
	}
	switch {
	case t.crowd != nil: // the test rejects only what is not one more of the crowd
		t.p = max(t.p, t.crowd.P(t.crowd.Center+t.center()))
		reach := t.crowd.Reach(level)
		t.lo, t.hi = min(t.lo, t.center()-reach), max(t.hi, t.center()+reach)
		t.detectable += t.crowd.Reach(strictest)
	case t.alone:
		t.detectable += t.floor
	}
	if t.astride || t.why == oppositeLayout {
		t.p = 1
	}
	if t.why == "" && !math.IsInf(t.floor, 1) {
		// Two one-sided tests (Schuirmann, A Comparison of the Two One-Sided Tests Procedure and the Power Approach, 1987).
		t.equal = s.Equivalence(t.common, t.margin())
	}
}

// aboveFloor is the difference whose centre is above the floor with probability power, if the centre
// varies as a normal value would that has the same interval.
func (t *tested) aboveFloor(s stat.Shift) float64 {
	const z95, z80 = 1.96, 0.8416
	lo, hi := s.Interval(Level)
	return t.floor + z80*(hi-lo)/(2*z95)
}

// positive reports whether all values of the series are above zero. One that is nil has none.
func positive(all ...*series) bool {
	for _, s := range all {
		if s == nil {
			continue
		}
		for v := range s.values.all() {
			if v <= 0 {
				return false
			}
		}
	}
	return true
}

// margin is how far apart two arms may be that are called equal.
func (t *tested) margin() float64 { return max(t.least, t.floor) }

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
