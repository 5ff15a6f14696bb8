package compare

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A safety is what files say about the safety of their arms: torture and losses. The base's arm
// is "".
type safety struct {
	broke map[subject]int // samples in which torture broke it
	tried map[subject]int // samples of torture
	lost  map[subject]int // samples that were lost
}

// A subject is an arm, and what of it: the implementation that was tortured, or the name of the
// line that lost samples.
type subject struct{ arm, what string }

// mistakesUnit is what a sample of torture reports.
const mistakesUnit = "mistakes/op"

// add reads what one file says. arm and line split a benchmark's full name; an arm
// that does not count is not ok.
func (s *safety) add(set *Set, split func(name string) (line, arm string, ok bool)) {
	for _, one := range set.series {
		_, arm, ok := split(one.bench.Name)
		if !ok || one.unit != mistakesUnit {
			continue
		}
		at := subject{arm, one.bench.Key("impl")}
		s.tried[at] += len(one.values)
		for _, v := range one.values {
			if v > 0 {
				s.broke[at]++
			}
		}
	}
	for _, l := range set.losses {
		if line, arm, ok := split(l.Name); ok {
			s.lost[subject{arm, line}]++
		}
	}
}

func newSafety() safety {
	return safety{map[subject]int{}, map[subject]int{}, map[subject]int{}}
}

func safetyWithin(set *Set, by, base string) safety {
	s := newSafety()
	s.add(set, func(name string) (line, arm string, ok bool) {
		line, arm = without(name, by)
		if arm == base {
			arm = ""
		} else if arm == "" {
			return "", "", false
		}
		line, again := without(line, ArmKey)
		return line, arm, by == ArmKey || again != ArmA2
	})
	return s
}

func safetyBetween(old, new *Set) safety {
	s := newSafety()
	s.add(old, func(name string) (string, string, bool) { return name, "", true })
	s.add(new, func(name string) (string, string, bool) { return name, new.Path, true })
	return s
}

// without takes a key out of a benchmark's full name, and returns its value.
func without(name, key string) (rest, value string) {
	parts := strings.Split(name, "/")
	i := slices.IndexFunc(parts, func(p string) bool { return strings.HasPrefix(p, key+"=") })
	if i < 1 {
		return name, ""
	}
	value = strings.TrimPrefix(parts[i], key+"=")
	return strings.Join(slices.Delete(parts, i, i+1), "/"), value
}

// brokeOnly reports whether torture broke an implementation in one arm and not in the other.
func (s safety) brokeOnly(arm, other subject) bool { return s.broke[arm] > 0 && s.broke[other] == 0 }

// implementations returns what was tortured in the base, and in an arm, for a line. Where
// the arms are implementations, they are the arm itself.
func (s safety) implementations(l *Line) (base, other subject) {
	_, impl := without(l.Name, "impl")
	other = subject{l.Arm, cmp.Or(impl, l.Arm)}
	for at := range s.tried {
		if at.arm == "" && (impl == "" || at.what == impl) {
			base = at
		}
	}
	return base, other
}

// about is the word that safety decides about a line, or "".
func (s safety) about(l *Line) (Word, string) {
	base, other := s.implementations(l)
	lost, baseLost := s.lost[subject{l.Arm, l.Name}], s.lost[subject{"", l.Name}]
	switch {
	case s.brokeOnly(other, base):
		return Worse, fmt.Sprintf("broke under torture in %d of %d samples", s.broke[other], s.tried[other])
	case s.brokeOnly(base, other):
		return Better, fmt.Sprintf("the base broke under torture in %d of %d samples", s.broke[base], s.tried[base])
	case lost > 0 && baseLost == 0:
		return Worse, fmt.Sprintf("lost %d samples", lost)
	case lost == 0 && baseLost > 0:
		return Better, fmt.Sprintf("the base lost %d samples", baseLost)
	}
	return "", ""
}

// unsafe reports whether torture broke an arm where it did not break the base.
func (s safety) unsafe(arm string) bool {
	for at := range s.broke {
		if at.arm != arm {
			continue
		}
		base, other := s.implementations(&Line{Name: "/impl=" + at.what, Arm: arm})
		if base == (subject{}) { // the arms are implementations
			base, _ = s.implementations(&Line{Arm: arm})
		}
		if s.brokeOnly(other, base) {
			return true
		}
	}
	return false
}

// addLost adds a line for each benchmark of which an arm lost all samples.
func (r *Report) addLost(s safety) {
	for _, at := range slices.SortedFunc(maps.Keys(s.lost), func(a, b subject) int {
		return cmp.Or(strings.Compare(a.what, b.what), strings.Compare(a.arm, b.arm))
	}) {
		has := slices.ContainsFunc(r.Lines, func(l *Line) bool { return l.Name == at.what && l.Arm == at.arm })
		if at.arm == "" || has {
			continue
		}
		if !slices.Contains(r.Arms, at.arm) {
			r.Arms = append(r.Arms, at.arm)
		}
		r.Lines = append(r.Lines, &Line{Name: at.what, Arm: at.arm, Gate: true})
	}
}

// sentences says what torture found.
func (s safety) sentences() []string {
	var list []string
	for _, at := range slices.SortedFunc(maps.Keys(s.tried), func(a, b subject) int {
		return cmp.Or(strings.Compare(a.arm, b.arm), strings.Compare(a.what, b.what))
	}) {
		name := cmp.Or(at.arm, "the base")
		if at.what != "" && at.what != at.arm {
			name += " (" + at.what + ")"
		}
		if s.broke[at] > 0 {
			list = append(list, fmt.Sprintf("torture broke %s in %d of %d samples", name, s.broke[at], s.tried[at]))
		} else {
			list = append(list, fmt.Sprintf("%s held under torture (%d samples)", name, s.tried[at]))
		}
	}
	return list
}
