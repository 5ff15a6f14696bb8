package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
)

// A Word is a verdict.
type Word string

const (
	Worse        Word = "worse" // less safe, or more of an exact count
	Slower       Word = "slower"
	Changed      Word = "changed" // of a unit whose direction the file does not say
	Inconclusive Word = "inconclusive"
	Equal        Word = "equal"
	Faster       Word = "faster"
	Better       Word = "better"
	SameCode     Word = "same code"
)

// A Report is a comparison.
type Report struct {
	Base string   // what the arms are compared with
	Arms []string // the others, in the natural order of their names
	Of   string   // the file, or both

	Lines  []*Line
	Arm    []Verdict // one for each of Arms
	Whole  Word      // the worst of them
	Common *Common   // of two files

	Family int     // lines of the gate family
	Alpha  float64 // the level that its verdicts are at, all together

	Safety   []string // what torture found
	Lacks    []string // what only one side has
	Warnings []string

	Facts   []results.KeyValue // of the machine and the run
	Command string             // how to repeat the run, or ""

	sessions bool // two files
}

// A Verdict is about one arm, by the lines of the gate family.
type Verdict struct {
	Arm   string       `json:"arm"`
	Word  Word         `json:"verdict"`
	Lines map[Word]int `json:"lines"` // how many have each word
}

// A Line is one quantity of one benchmark in one arm, compared with the base.
type Line struct {
	Name, Arm, Unit string
	Gate            bool // it is in the gate family: the main quantity of its benchmark
	Base, Other     Side
	Counts          []Count // exact, of the same benchmark
	Word            Word
	Why             string // what decided, if it was not the time; or what is missing

	// Ratios of the other arm to the base. Of a quantity that is 0 in some samples, they are
	// differences.
	Ratio, Lo, Hi             float64
	Linear                    bool
	N                         int
	Of                        string // what N counts
	P, Adjusted               float64
	Floor, Margin, Detectable float64 // as shares: 0.01 is 1 %
	HasNull                   bool
	Widened                   float64 // the factor of stat.Widen, or 1

	group  string // benchmarks that are one to session
	better int
	test   *tested
}

// A Side summarizes one arm's samples.
type Side struct {
	Median, Lo, Hi, Mean float64
	N                    int
}

// Within compares arms of one file: the samples whose names have different values of the key by.
// A file without the key or the base is a *results.MissingError.
func Within(set *Set, by, base string) (*Report, error) {
	all, lacks, err := within(set, by, base)
	if err != nil {
		return nil, err
	}
	r := &Report{Base: base, Of: set.Path, Lacks: lacks, Facts: set.Facts, Alpha: set.alpha()}
	r.read(set)
	s := safetyWithin(set, by, base)
	r.lines(all)
	r.judge(s)
	if by == ArmKey {
		r.named(set)
	}
	return r, nil
}

// Between compares two files, which two sessions wrote.
func Between(old, new *Set) (*Report, error) {
	all, lacks := between(old, new)
	if len(all) == 0 {
		return nil, &results.MissingError{Path: new.Path, What: "a benchmark that " + old.Path + " has, too"}
	}
	r := &Report{Base: old.Path, Of: old.Path + " and " + new.Path, Lacks: lacks, Facts: new.Facts, Alpha: Level, sessions: true}
	r.read(old)
	r.read(new)
	if d := differ(old, new); d != "" {
		r.Warnings = append(r.Warnings, "the files differ in "+d+": a change may come from that")
	}
	s := safetyBetween(old, new)
	r.lines(all)
	r.Common = session(r.Lines)
	r.judge(s)
	return r, nil
}

// Same reports that two arms have the same machine code, so that there is nothing to measure.
func Same(base, other string) *Report {
	return &Report{Base: base, Arms: []string{other}, Whole: SameCode, Alpha: Level, Arm: []Verdict{{Arm: other, Word: SameCode}}}
}

// FactA and FactB are the configuration keys that say what the arms A and B are.
const (
	FactA = "arm-a"
	FactB = "arm-b"
)

// named replaces the arms A and B by what they are.
func (r *Report) named(set *Set) {
	names := map[string]string{ArmA: set.Fact(FactA), ArmB: set.Fact(FactB)}
	name := func(arm string) string { return cmp.Or(names[arm], arm) }
	r.Base = name(r.Base)
	for i := range r.Arms {
		r.Arms[i], r.Arm[i].Arm = name(r.Arms[i]), name(r.Arm[i].Arm)
	}
	for _, l := range r.Lines {
		l.Arm = name(l.Arm)
	}
}

// read takes over a file's problems and warnings.
func (r *Report) read(set *Set) {
	for _, p := range slices.Concat(set.Problems, set.Warnings) {
		r.Warnings = append(r.Warnings, p.Error())
	}
}

// lines makes the lines of contests, and tests them.
func (r *Report) lines(all []contest) {
	type id struct{ name, arm string }
	of := map[id][]contest{}
	var order []id
	for _, c := range all {
		at := id{c.name, c.arm}
		if of[at] == nil {
			order = append(order, at)
		}
		of[at] = append(of[at], c)
		if !slices.Contains(r.Arms, c.arm) {
			r.Arms = append(r.Arms, c.arm)
		}
	}
	for _, at := range order {
		lines := linesOf(of[at])
		for i, l := range lines {
			l.Gate = i == 0
		}
		r.Lines = append(r.Lines, lines...)
	}
	slices.SortStableFunc(r.Lines, func(a, b *Line) int {
		if a.Gate != b.Gate {
			if a.Gate {
				return -1
			}
			return 1
		}
		return cmp.Or(results.Natural(a.Name, b.Name), results.Natural(a.Arm, b.Arm))
	})
}

// linesOf makes the lines of one benchmark and one arm: one for each quantity that varies, the main one
// first. Exact counts are parts of the first.
func linesOf(contests []contest) []*Line {
	if slices.ContainsFunc(contests, func(c contest) bool { return c.unit == mistakesUnit }) {
		return nil // torture, see safe.go
	}
	var lines []*Line
	var counts []Count
	var main *contest
	for i, c := range contests {
		if c.unit == mainUnit {
			main = &contests[i]
		}
	}
	for _, c := range contests {
		switch {
		case isExact(c):
			counts = append(counts, Count{c.unit, c.base.values[0], c.other.values[0], c.better()})
		case main != nil && c.unit != mainUnit && derived(c, *main):
		default:
			lines = append(lines, newLine(c))
		}
	}
	slices.SortStableFunc(lines, func(a, b *Line) int { return rank(a) - rank(b) })
	sortCounts(counts)
	if len(lines) == 0 && len(counts) > 0 { // there are counts alone
		c := contests[0]
		lines = []*Line{{Name: c.name, Arm: c.arm, Unit: counts[0].Unit, N: min(len(c.base.values), len(c.other.values)), Of: "samples"}}
	}
	if len(lines) > 0 {
		lines[0].Counts = counts
	}
	return lines
}

// rank orders the quantities of one benchmark: its main time, other times, the rest.
func rank(l *Line) int {
	switch {
	case l.Unit == mainUnit:
		return 0
	case isTimeLike(l.Unit):
		return 1
	}
	return 2
}

func newLine(c contest) *Line {
	return &Line{Name: c.name, Arm: c.arm, Unit: c.unit, Base: side(c.base), Other: side(c.other), better: c.better(), group: c.group, test: test(c)}
}

func side(s *series) Side {
	sum := stat.Summarize(s.values)
	mean := 0.0
	for _, v := range s.values {
		mean += v / float64(len(s.values))
	}
	return Side{sum.Center, sum.Lo, sum.Hi, mean, sum.N}
}

// judge gives every line its word, every arm its verdict, and the report the worst of them.
func (r *Report) judge(s safety) {
	r.addLost(s)
	slices.SortFunc(r.Arms, results.Natural)
	alphas := r.adjust()
	for _, l := range r.Lines {
		l.word(s, alphas[l.Gate], r.Alpha)
	}
	for _, arm := range r.Arms {
		v := Verdict{Arm: arm, Lines: map[Word]int{}}
		for _, l := range r.Lines {
			if l.Arm == arm && l.Gate {
				v.Lines[l.Word]++
			}
		}
		v.Word = whole(v.Lines)
		if s.unsafe(arm) {
			v.Word = Worse
		}
		r.Arm = append(r.Arm, v)
	}
	all := map[Word]int{}
	for _, v := range r.Arm {
		all[v.Word]++
	}
	r.Whole = whole(all)
	r.Safety = s.sentences()
}

// adjust adjusts the p values: Holm's method in the gate family, so that one wrong word among all its
// lines has the probability Alpha; Benjamini and Hochberg's for the rest, so that Alpha of what
// they call different is wrong. It returns the strictest level in either.
func (r *Report) adjust() map[bool]float64 {
	alphas := map[bool]float64{}
	for _, family := range []bool{true, false} {
		var lines []*Line
		var p, equal []float64
		for _, l := range r.Lines {
			if l.Gate == family && l.test != nil {
				lines = append(lines, l)
				p = append(p, l.test.p)
				equal = append(equal, l.test.equal())
			}
		}
		method := stat.Holm
		if !family {
			method = stat.BenjaminiHochberg
		}
		p, equal = method(p), method(equal)
		for i, l := range lines {
			l.Adjusted, l.test.adjustedEqual = p[i], equal[i]
		}
		alphas[family] = r.Alpha / float64(max(1, len(lines)))
		if family {
			r.Family = len(lines)
		}
	}
	return alphas
}

// word decides about a line: safety before exact counts before time.
func (l *Line) word(s safety, strictest, alpha float64) {
	l.numbers(strictest, alpha)
	if word, why := s.about(l); word != "" {
		l.Word, l.Why = word, why
		return
	}
	if word, c := byCounts(l.Counts); word != "" {
		l.Word = word
		l.Why = fmt.Sprintf("%s %s, not %s", results.Human(c.Other, c.Unit), c.Unit, results.Human(c.Base, c.Unit))
		return
	}
	t := l.test
	switch {
	case t == nil && len(l.Counts) == 0:
		l.Word, l.Why = Inconclusive, "all samples were lost"
	case t == nil: // counts alone, and none that costs differs
		l.Word = Equal
	case t.differs(l.Adjusted, alpha):
		l.Word = l.direction(t.center())
	case t.why == "" && t.adjustedEqual <= alpha:
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
func (l *Line) numbers(strictest, level float64) {
	t := l.test
	if t == nil {
		return
	}
	lo, hi := math.Inf(-1), math.Inf(1)
	if t.detectable != nil {
		lo, hi = t.interval(level)
	}
	l.N, l.Of, l.P, l.HasNull, l.Linear, l.Widened = t.shift.N(), t.units.of, t.p, t.hasNull, t.linear, t.units.factor
	out := math.Exp
	if t.linear {
		out = func(v float64) float64 { return v }
	}
	l.Ratio, l.Lo, l.Hi = out(t.center()), out(lo), out(hi)
	share := func(v float64) float64 {
		if t.linear {
			return v
		}
		return math.Expm1(v)
	}
	l.Floor, l.Margin = share(t.floor), share(t.margin())
	l.Detectable = math.Inf(1)
	if t.detectable != nil && t.why == "" {
		l.Detectable = share(t.detectable(strictest))
	}
}

// order is from the worst word to the best, of those that decide about a whole.
var order = []Word{Worse, Slower, Inconclusive, Changed, Better, Faster, Equal, SameCode}

// whole is the worst of several words, or Inconclusive if there is none.
func whole(words map[Word]int) Word {
	for _, w := range order {
		if words[w] > 0 {
			return w
		}
	}
	return Inconclusive
}

// Decided reports whether every line of the gate family has a verdict.
func (r *Report) Decided() bool {
	return len(r.Lines) > 0 && !slices.ContainsFunc(r.Lines, func(l *Line) bool { return l.Gate && l.Word == Inconclusive })
}

// Worse reports whether an arm is worse.
func (r *Report) Worse() bool { return r.Whole == Worse }

// Regressed reports whether an arm is worse or slower.
func (r *Report) Regressed() bool { return r.Whole == Worse || r.Whole == Slower }
