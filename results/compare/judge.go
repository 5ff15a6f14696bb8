package compare

import (
	"math"
	"slices"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
)

// judge gives every line its word, every arm its verdict, and the report the worst of them.
func (r *Report) judge(s safety) {
	r.addLost(s)
	r.lost = len(s.lost) > 0
	slices.SortFunc(r.Arms, func(a, b Verdict) int { return results.Natural(a.Arm, b.Arm) })
	r.adjust()
	for _, l := range r.Lines {
		l.word(s, r.Alpha)
	}
	all := map[Word]int{}
	for i := range r.Arms {
		v := &r.Arms[i]
		v.Lines = map[Word]int{}
		for _, l := range r.Lines {
			if l.Arm == v.Arm && l.Gate {
				v.Lines[l.Word]++
			}
		}
		v.Word = whole(v.Lines)
		if s.unsafe(v.Arm) {
			v.Word = Worse
		}
		all[v.Word]++
	}
	r.Whole = whole(all)
	r.Safety = s.sentences()
}

// adjust adjusts the p values: Holm's method in the gate family, so that one wrong word among all its
// lines has the probability Alpha; Benjamini and Hochberg's for the rest, so that Alpha of what
// they call different is wrong. What is detectable is so at the strictest level of either.
func (r *Report) adjust() {
	for _, family := range []bool{true, false} {
		var lines []*Line
		for _, l := range r.Lines {
			if l.Gate == family && l.test != nil {
				lines = append(lines, l)
			}
		}
		strictest := r.Alpha / float64(max(1, len(lines)))
		var p, equal []float64
		for _, l := range lines {
			l.test.finish(r.Alpha, strictest)
			p, equal = append(p, l.test.p), append(equal, l.test.equal)
		}
		method := stat.Holm
		if family {
			r.Family = len(lines)
		} else {
			method = stat.BenjaminiHochberg
		}
		p, equal = method(p), method(equal)
		for i, l := range lines {
			l.Adjusted, l.test.adjustedEqual = p[i], equal[i]
		}
	}
}

// word decides about a line: safety before exact counts before time before other counts.
func (l *Line) word(s safety, alpha float64) {
	l.numbers()
	if l.Word, l.Why = s.about(l); l.Word != "" {
		return
	}
	word, c := byCounts(l.Counts, true)
	if word == "" {
		if l.byTime(alpha); l.Word != Equal && l.Word != Inconclusive {
			return
		}
		word, c = byCounts(l.Counts, false)
	}
	switch {
	case word != "":
		l.Word, l.Why = word, c.why()
	case l.test == nil && len(l.Counts) > 0: // counts alone, and none that costs differs
		l.Word, l.Why = byGains(l.Counts)
	}
}

// byTime gives a line the word of its test.
func (l *Line) byTime(alpha float64) {
	t := l.test
	switch {
	case t == nil:
		l.Word, l.Why = Inconclusive, "all samples were lost"
	case t.differs(l.Adjusted, alpha):
		l.Word = l.direction(t.center())
	case t.why == "" && t.adjustedEqual <= alpha && t.margin() <= t.most:
		l.Word = Equal
		if t.margin() > t.least {
			l.Why = "within the floor, " + l.share(l.Margin)
		}
	default:
		l.Word, l.Why = Inconclusive, t.why
	}
}

// direction words a difference that is shown.
func (l *Line) direction(center float64) Word {
	worse := center*l.sign() > 0
	switch {
	case l.better == 0:
		return Changed
	case isTimeLike(l.Unit) && worse:
		return Slower
	case isTimeLike(l.Unit):
		return Faster
	case worse:
		return Worse
	}
	return Better
}

// numbers fills in what a line shows: the interval at the level of this look, so that the intervals of all
// looks together hold with 95 %, and the change that is found at the strictest level of the family.
func (l *Line) numbers() {
	t := l.test
	if t == nil {
		return
	}
	out, share := math.Exp, math.Expm1
	if t.linear {
		out = func(v float64) float64 { return v }
		share = out
	}
	l.N, l.Of, l.P, l.Linear, l.Widened = t.n, t.units.of, t.p, t.linear, t.units.factor
	l.Ratio, l.Lo, l.Hi = out(t.center()), out(t.lo), out(t.hi)
	l.Floor, l.Margin, l.Detectable = share(t.floor), share(t.margin()), share(t.detectable)
	if t.floor == 0 && t.second == nil {
		l.Floor = math.NaN()
	}
	if t.why != "" {
		l.Detectable = math.Inf(1)
	}
}
