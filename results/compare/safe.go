package compare

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tpbench/tpbench/results"
)

// A safety is what files say about the safety of their arms: torture and losses. The base's arm
// is "".
type safety struct {
	impl    string           // the base, if the arms are implementations
	release string           // in a chain, the arm that is compared with the one before it
	broke   map[subject]int  // samples in which torture broke it
	tried   map[subject]int  // samples of torture
	lost    map[subject]int  // samples that were lost
	has     map[subject]bool // there are samples
}

// A subject is an arm, and what of it: the implementation that was tortured, or the name of the
// line that lost samples.
type subject struct{ arm, what string }

// mistakesUnit is what a sample of torture reports. It has no time.
const mistakesUnit = "mistakes/op"

// add reads what one file says. split takes a benchmark apart into the name of its line and its arm; an arm
// that is not compared is not ok.
func (s *safety) add(set *Set, split func(*results.Bench) (line, arm string, ok bool)) {
	timed := map[*results.Bench]bool{}
	for _, one := range set.series {
		if one.unit == mainUnit {
			timed[one.bench] = true
		}
	}
	for _, one := range set.series {
		line, arm, ok := split(one.bench)
		if !ok {
			continue
		}
		s.has[subject{arm, line}] = true
		if one.unit != mistakesUnit || timed[one.bench] || set.Foreign {
			continue
		}
		at := subject{arm, one.bench.Key("impl")}
		s.tried[at] += one.values.n
		for v := range one.values.all() {
			if v > 0 {
				s.broke[at]++
			}
		}
	}
	for _, l := range set.losses {
		if line, arm, ok := split(l.Bench()); ok {
			s.lost[subject{arm, line}]++
		}
	}
}

func newSafety() safety {
	return safety{broke: map[subject]int{}, tried: map[subject]int{}, lost: map[subject]int{}, has: map[subject]bool{}}
}

// safetyWithin reads the safety of the arms of one file. A2 is the base once more: what
// happens to it says as much about the base.
func safetyWithin(set *Set, by, base string) safety {
	s := newSafety()
	if by == "impl" {
		s.impl = base
	}
	s.add(set, func(b *results.Bench) (line, arm string, ok bool) {
		arm = b.Key(by)
		if arm == base || by == ArmKey && base == ArmA && arm == ArmA2 {
			return b.Except(by, ArmKey), "", true
		}
		return b.Except(by, ArmKey), arm, arm != "" && b.Key(ArmKey) != ArmA2
	})
	return s
}

func safetyBetween(old, new *Set) safety {
	s := newSafety()
	s.add(old, func(b *results.Bench) (string, string, bool) { return b.Except(), "", b.Key(ArmKey) != ArmA2 })
	s.add(new, func(b *results.Bench) (string, string, bool) { return b.Except(), new.Path, b.Key(ArmKey) != ArmA2 })
	return s
}

// tortured returns what was tortured in the base, and in an arm, for a line: the implementation in its name, or
// else the arms themselves, if they are implementations.
func (s safety) tortured(arm, impl string) (base, other subject) {
	if s.impl != "" {
		return subject{"", s.impl}, subject{arm, arm}
	}
	return subject{"", impl}, subject{arm, impl}
}

// implOf is the implementation in a line's name, or "".
func implOf(name string) string {
	for part := range strings.SplitSeq(name, "/") {
		if value, ok := strings.CutPrefix(part, "impl="); ok {
			return value
		}
	}
	return ""
}

// about is the word that safety decides about a line, or "". What the base alone has lost says nothing good about
// the arm.
func (s safety) about(l *Line) (Word, string) {
	base, other := s.tortured(l.Arm, implOf(l.Name))
	broke, baseBroke := s.broke[other] > 0, s.broke[base] > 0
	here, there := subject{l.Arm, l.Name}, subject{"", l.Name}
	switch lost := s.lost[here]; {
	case broke && s.tried[base] == 0:
		return Worse, fmt.Sprintf("torture broke %d of %d, the base was not tried", s.broke[other], s.tried[other])
	case broke && !baseBroke:
		return Worse, fmt.Sprintf("torture broke %d of %d", s.broke[other], s.tried[other])
	case baseBroke && !broke && s.tried[other] > 0:
		return Better, fmt.Sprintf("torture broke the base, %d of %d", s.broke[base], s.tried[base])
	case lost > 0 && s.has[there] && !s.has[here]:
		return Worse, "lost all samples"
	case lost > 0 && s.lost[there] == 0:
		return Worse, "lost " + samples(lost)
	}
	return "", ""
}

func wereSamples(n int) string {
	if n == 1 {
		return "1 sample was"
	}
	return fmt.Sprintf("%d samples were", n)
}

func samples(n int) string {
	if n == 1 {
		return "1 sample"
	}
	return fmt.Sprintf("%d samples", n)
}

// unsafe reports whether torture broke an arm where it did not break the base.
func (s safety) unsafe(arm string) bool {
	for at := range s.broke {
		if base, other := s.tortured(arm, at.what); at == other && s.broke[base] == 0 {
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
		r.addArm(at.arm)
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
			list = append(list, fmt.Sprintf("%s held under torture (%s)", name, samples(s.tried[at])))
		}
	}
	return list
}
