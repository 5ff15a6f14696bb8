package compare

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tpbench/tpbench/results"
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
	Base string    // what the arms are compared with; of a chain the first arm
	Arms []Verdict // the others: in the natural order of their names, or in that of the chain

	Chain []string // of a chain: its arms in order

	Lines  []*Line
	Whole  Word    // the worst of the arms'
	Common *Common // of two files

	Family int     // lines of the gate family
	Alpha  float64 // the level that its verdicts are at, all together

	Safety   []string // what torture found
	Lacks    []string // what only one side has
	Warnings []string

	Facts   []results.KeyValue // of the machine and the run
	Command string             // how to repeat the run, or ""

	margin   float64 // the least margin, as a share
	sessions bool    // two files
	lost     bool    // a sample of an arm or the base
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
	From            string // in a chain, the arm before: the base of this line
	Gate            bool   // it is in the gate family: see lines
	Base, Other     Side
	Counts          []Count // exact, of the same benchmark; in a chain also means
	Word            Word
	Why             string // what decided, if it was not the time; or what is missing

	// Ratios of the other arm to the base. Of a quantity that is 0 in some samples, they are
	// differences.
	Ratio, Lo, Hi             float64
	Linear                    bool
	N                         int
	Of                        string  // what N counts
	P, Adjusted               float64 // two-sided, the larger against A and A2; adjusted over the line's family
	Floor, Margin, Detectable float64 // as shares: 0.01 is 1 %. Floor is NaN if the same thing was not measured twice
	Widened                   float64 // the factor of stat.Widen, or 1

	main   bool   // the main quantity of its benchmark
	costs  bool   // see contest.costs
	group  string // benchmarks that are one to session
	better int
	test   *tested
}

// A Side summarizes one arm's samples, in the line's unit; a time is in seconds.
type Side struct {
	Median, Mean float64
	N            int
}

// Within compares arms of one file: the samples whose names have different values of the key by.
// The margin is a share: 0.01 is 1 %. A file without the key or the base is a *results.MissingError.
func Within(set *Set, by, base string, margin float64) (*Report, error) {
	all, lacks, err := within(set, by, base)
	if err != nil {
		return nil, err
	}
	r := &Report{Base: base, Lacks: lacks, Facts: set.Facts, Command: set.Fact(CommandFact), Alpha: set.alpha(), margin: margin}
	for _, name := range strings.Fields(set.Fact(LeftOutFact)) {
		r.Lacks = append(r.Lacks, name+" was left out, since an arm cannot run it")
	}
	r.read(set)
	r.lines(all)
	r.judge(safetyWithin(set, by, base))
	if by == ArmKey {
		r.named(set)
	}
	return r, nil
}

// Between compares two files, which two sessions wrote. The margin is a share: 0.01 is 1 %. The report's facts are
// those of the new file. Files without a common benchmark are a *results.MissingError, and files of which one is in
// virtual time are a *TimeError.
func Between(old, new *Set, margin float64) (*Report, error) {
	if err := oneTime(old, new); err != nil {
		return nil, err
	}
	all, lacks := between(old, new)
	if len(all) == 0 {
		return nil, &results.MissingError{Path: new.Path, What: "a benchmark that " + old.Path + " has, too"}
	}
	r := &Report{Base: old.Path, Lacks: lacks, Facts: new.Facts, Alpha: Level, margin: margin, sessions: true}
	r.read(old)
	r.read(new)
	if d := differ(old, new); d != "" {
		r.Warnings = append(r.Warnings, "the files differ in "+d+": a change may come from that")
	}
	r.lines(all)
	r.Common = session(r.Lines)
	r.judge(safetyBetween(old, new))
	return r, nil
}

// Same reports that two arms have the same machine code, so that there is nothing to measure.
func Same(base, other string) *Report {
	return &Report{Base: base, Arms: []Verdict{{other, SameCode, map[Word]int{}}}, Whole: SameCode, Alpha: Level}
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
		r.Arms[i].Arm = name(r.Arms[i].Arm)
	}
	for _, l := range r.Lines {
		l.Arm = name(l.Arm)
	}
}

// addArm adds an arm that is not yet there.
func (r *Report) addArm(name string) {
	if !slices.ContainsFunc(r.Arms, func(v Verdict) bool { return v.Arm == name }) {
		r.Arms = append(r.Arms, Verdict{Arm: name})
	}
}

// read takes over a file's problems and warnings.
func (r *Report) read(set *Set) {
	for _, p := range slices.Concat(set.Problems, set.Warnings) {
		r.Warnings = append(r.Warnings, p.Error())
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

// Decided reports whether every line of the gate family has a verdict, and no sample was lost: a later session may take it.
func (r *Report) Decided() bool {
	return len(r.Lines) > 0 && !r.lost && !slices.ContainsFunc(r.Lines, func(l *Line) bool { return l.Gate && l.Word == Inconclusive })
}

// Worse reports whether an arm is worse.
func (r *Report) Worse() bool { return r.Whole == Worse }

// Regressed reports whether an arm is worse or slower.
func (r *Report) Regressed() bool { return r.Whole == Worse || r.Whole == Slower }
