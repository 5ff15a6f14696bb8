package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tpbench/tpbench/results"
)

// The key of a benchmark's name by which package harness tells apart samples of one benchmark that
// differ in nothing else; the values of the base, of the null control, and of what is compared with them.
const (
	ArmKey = "arm"
	ArmA   = "A"
	ArmA2  = "A2"
	ArmB   = "B"
)

// A contest is one quantity of one benchmark: the base's samples and those of one other arm.
type contest struct {
	name  string // of the benchmark, without the key that the arms differ in
	group string // of the benchmark, without parameters
	arm   string // the other arm
	unit  string

	base, other *series
	null        *series      // of A2, or nil
	releases    *releasePair // of a chain, or nil

	baseSet, otherSet *Set // the same in one file
}

// better is -1 if less of the contest's unit is better, +1 if more is, and 0 if neither file says, or
// each says otherwise.
func (c contest) better() int {
	if c.unit == "B/op" && c.baseSet != c.otherSet {
		return 0 // go test divides by a number of iterations that depends on the machine
	}
	a, b := c.baseSet.better(c.unit), c.otherSet.better(c.unit)
	if a*b < 0 {
		return 0
	}
	return cmp.Or(a, b)
}

// costs reports whether less of the contest's unit is better, and how much there is follows from what the program
// does: waits, what the file declares exact, and what go test counts of memory.
func (c contest) costs() bool {
	exact := c.declared() || slices.Contains(firstCounts, c.unit) || c.unit == "B/op" || c.unit == "allocs/op"
	return exact && c.better() < 0
}

// within makes the contests of one file: arms have different values of the key by.
func within(set *Set, by, base string) (all []contest, lacks []string, err error) {
	type id struct{ name, unit string }
	bases, nulls := map[id]*series{}, map[id]*series{}
	arms := map[string]bool{}
	again := func(s *series) bool { return s.bench.Key(ArmKey) == ArmA2 }
	at := func(s *series) id {
		if by != ArmKey && !again(s) {
			return id{s.name(set.varies, by), s.unit} // arms of ab are not mixed
		}
		return id{s.name(set.varies, by, ArmKey), s.unit}
	}
	for _, s := range set.series {
		arms[s.bench.Key(by)] = true
		switch {
		case again(s) && (by == ArmKey && base == ArmA || s.bench.Key(by) == base):
			nulls[at(s)] = s
		case again(s): // the null control of another base
		case s.bench.Key(by) == base:
			bases[at(s)] = s
		}
	}
	delete(arms, "")
	if len(arms) == 0 {
		return nil, nil, &results.MissingError{Path: set.Path, What: fmt.Sprintf("a benchmark with the key %s in its name", by)}
	}
	if by == ArmKey && base == ArmA2 {
		return nil, nil, &results.MissingError{Path: set.Path, What: "arm=A2 as a base: it is A once more"}
	}
	if !arms[base] {
		return nil, nil, &results.MissingError{Path: set.Path, What: by + "=" + base}
	}
	met := map[id]bool{}
	for _, s := range set.series {
		arm := s.bench.Key(by)
		if arm == "" || arm == base || again(s) {
			continue
		}
		if b := bases[at(s)]; b != nil {
			met[at(s)] = true
			all = append(all, contest{at(s).name, s.group(set.varies), arm, s.unit, b, s, nulls[at(s)], nil, set, set})
		} else {
			lacks = append(lacks, fmt.Sprintf("%s=%s has no %s [%s]", by, base, at(s).name, s.unit))
		}
	}
	for _, s := range set.series {
		if b := at(s); bases[b] == s && !met[b] {
			lacks = append(lacks, fmt.Sprintf("only %s=%s has %s [%s]", by, base, b.name, b.unit))
		}
	}
	return all, lacks, nil
}

// between makes the contests of two files.
func between(old, new *Set) (all []contest, lacks []string) {
	type id struct{ name, unit string }
	varies := slices.Compact(slices.Sorted(slices.Values(slices.Concat(old.varies, new.varies))))
	before, after := map[id]*series{}, map[id]bool{}
	for _, s := range old.series {
		before[id{s.name(varies), s.unit}] = s
	}
	for _, s := range new.series {
		if s.bench.Key(ArmKey) == ArmA2 {
			continue // a null control of its own session
		}
		at := id{s.name(varies), s.unit}
		after[at] = true
		if b := before[at]; b != nil {
			all = append(all, contest{at.name, s.group(varies), new.Path, s.unit, b, s, nil, nil, old, new})
		} else {
			lacks = append(lacks, fmt.Sprintf("only %s has %s [%s]", new.Path, at.name, at.unit))
		}
	}
	for _, s := range old.series {
		if at := (id{s.name(varies), s.unit}); !after[at] && s.bench.Key(ArmKey) != ArmA2 {
			lacks = append(lacks, fmt.Sprintf("only %s has %s [%s]", old.Path, at.name, at.unit))
		}
	}
	return all, lacks
}

// derived reports whether a quantity of a benchmark is its time in other words: a constant part of it,
// as the time of one event is of the time of a bulk change. It would be tested twice.
func derived(c, main contest) bool {
	if !results.IsTime(c.unit) {
		return false
	}
	a, isOfBase := factor(c.base, main.base)
	b, isOfOther := factor(c.other, main.other)
	return isOfBase && isOfOther && math.Abs(a-b) <= digits*math.Abs(a)
}

// mainUnit is the quantity that decides about a benchmark's time.
const mainUnit = "sec/op"

// digits is by how much a value of a file may differ from another one that is a constant times it: files have six digits.
const digits = 2e-5

// factor returns the constant by which the values of a are those of b. ok is false if there is none.
func factor(a, b *series) (constant float64, ok bool) {
	if a.values.n != b.values.n || a.values.n == 0 {
		return 0, false
	}
	constant = a.values.first / b.values.first
	bs := b.values.list()
	for i, v := range a.values.list() {
		if want := constant * bs[i]; !(v >= want*(1-digits) && v <= want*(1+digits)) {
			return 0, false
		}
	}
	return constant, true
}

// provenance are the configuration keys that differ from run to run as a matter of course.
var provenance = []string{"commit", "binary", "date", "seed", "plan", "tsc", "load", "steal", CommandFact}

// differ names the facts in which two files differ, and which can move a number.
func differ(a, b *Set) string {
	var list []string
	for _, kv := range slices.Concat(a.Facts, b.Facts) {
		if x, y := a.Fact(kv.Key), b.Fact(kv.Key); x != y && !slices.Contains(provenance, kv.Key) {
			if text := fmt.Sprintf("%s (%q, %q)", kv.Key, x, y); !slices.Contains(list, text) {
				list = append(list, text)
			}
		}
	}
	return strings.Join(list, ", ")
}
