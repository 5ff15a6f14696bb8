package compare

import (
	"cmp"
	"math"
	"slices"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
)

// judge gives every line its word, every arm its verdict, and the report the worst of them. There is one safety, or
// one for each pair of releases of a chain.
func (r *Report) judge(all ...safety) {
	of := func(arm string) safety {
		return all[max(0, slices.IndexFunc(all, func(s safety) bool { return s.release == arm }))]
	}
	for _, s := range all {
		r.addLost(s)
		r.lost = r.lost || len(s.lost) > 0
		r.Safety = append(r.Safety, s.sentences()...)
	}
	slices.SortFunc(r.Arms, func(a, b Verdict) int { return r.compareArms(a.Arm, b.Arm) })
	r.adjust()
	for _, l := range r.Lines {
		l.word(of(l.Arm), r.Alpha)
	}
	verdicts := map[Word]int{}
	for i := range r.Arms {
		v := &r.Arms[i]
		v.Lines = map[Word]int{}
		for _, l := range r.Lines {
			if l.Arm == v.Arm && l.Gate {
				v.Lines[l.Word]++
			}
		}
		v.Word = whole(v.Lines)
		if of(v.Arm).unsafe(v.Arm) {
			v.Word = Worse
		}
		verdicts[v.Word]++
	}
	r.Whole = whole(verdicts)
}

// compareArms orders arms by their names, or as the chain does.
func (r *Report) compareArms(a, b string) int {
	return cmp.Or(slices.Index(r.Chain, a)-slices.Index(r.Chain, b), results.Natural(a, b))
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

// word decides about a line: safety before exact counts before time before other counts. In a chain counts do not
// decide where there is a time.
func (l *Line) word(s safety, alpha float64) {
	l.numbers()
	if l.Word, l.Why = s.about(l); l.Word != "" {
		return
	}
	if l.From != "" && l.test != nil {
		l.byTime(alpha)
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
	if t == nil {
		l.Word, l.Why = Inconclusive, "all samples were lost"
		return
	}
	equal := t.why == "" && t.adjustedEqual <= alpha && t.margin() <= t.most
	switch {
	case t.differs(l.Adjusted, alpha) && !(equal && l.From != ""):
		l.Word = l.direction(t.center())
	case equal:
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
	if t.floor == 0 && !t.controlled {
		l.Floor = math.NaN()
	}
	if t.why != "" {
		l.Detectable = math.Inf(1)
	}
}
