package compare

import (
	"fmt"
	"strings"

	"github.com/tpbench/tpbench/results"
)

// ArmsFact is the configuration key of the arms of a chain, in their order, with spaces between them:
//
//	arms: 6.12.48+deb12-cloud-amd64 6.16.3+deb13-cloud-amd64 6.17.1
//
// A file that has it is a chain: of kernels, release by release.
//
//   - An arm is the value of the key arm at the end of a benchmark's name: ".../arm=6.17.1". It is a release, with what
//     benchmark format leaves: no '/', no space, and "_5" for "-5" at its end, which would be a number of CPUs.
//   - The first arm measured twice is the null control. Its samples have the arm "6.12.48+deb12-cloud-amd64+again",
//     which is not in the list.
//   - A sample is one boot, with a "# block" line for each boot. All configuration is above the first sample and the
//     same for all: what is about one arm has the arm in its key.
//   - An arm may lack benchmarks.
const ArmsFact = "arms"

// Again is what the null control of a chain has behind the name of the first arm.
const Again = "+again"

// Arms are the arms of a chain in their order, or none if the file is not one.
func (set *Set) Arms() []string { return strings.Fields(set.Fact(ArmsFact)) }

// Chain compares each arm of a chain with the one before it: a pair of releases. The margin is a share: 0.01 is 1 %.
//
// A boot has nothing in common with another one but the host, so boots are independent units on both sides
// (stat.Unpaired), and not pairs. All lines of all pairs of releases are one gate family. The time alone decides about a line that
// has one, and the counts beside it explain it: a kernel that waits twice as often in half the time is faster. What is
// shown to be within the margin is equal, also if it differs for sure, as two builds always do. See ADR 16.
func Chain(set *Set, margin float64) (*Report, error) {
	arms := set.Arms()
	if len(arms) < 2 {
		return nil, &results.MissingError{Path: set.Path, What: "two arms of a chain, in its line " + ArmsFact + ":"}
	}
	r := &Report{Base: arms[0], Facts: set.Facts, Command: set.Fact(CommandFact), Alpha: set.alpha(), margin: margin, Chain: arms}
	r.read(set)
	contests, lacks := chained(set, arms)
	r.Lacks = lacks
	r.lines(contests)
	if len(r.Lines) == 0 {
		return nil, &results.MissingError{Path: set.Path, What: "a benchmark that one of " + strings.Join(arms, ", ") + " has, and the one before it"}
	}
	var all []safety
	for i, arm := range arms[1:] {
		all = append(all, safetyOfReleases(set, arms[i], arm))
	}
	r.judge(all...)
	return r, nil
}

// chained makes the contests of a chain, and says which arms lack a benchmark.
func chained(set *Set, arms []string) (all []contest, lacks []string) {
	type id struct{ name, unit string }
	of := map[id]map[string]*series{}
	has := map[string]map[string]bool{} // a benchmark's arms
	var order []id
	var names []string
	for _, s := range set.series {
		at := id{s.name(set.varies, ArmKey), s.unit}
		if of[at] == nil {
			of[at] = map[string]*series{}
			order = append(order, at)
		}
		if has[at.name] == nil {
			has[at.name] = map[string]bool{}
			names = append(names, at.name)
		}
		of[at][s.bench.Key(ArmKey)], has[at.name][s.bench.Key(ArmKey)] = s, true
	}
	for _, at := range order {
		by := of[at]
		for i, arm := range arms[1:] {
			c := contest{name: at.name, arm: arm, unit: at.unit, base: by[arms[i]], other: by[arm], baseSet: set, otherSet: set}
			if c.base == nil || c.other == nil {
				continue
			}
			c.group, c.releases = c.other.group(set.varies), &releasePair{from: arms[i], first: by[arms[0]]}
			if c.releases.first != nil {
				c.null = by[arms[0]+Again]
			}
			all = append(all, c)
		}
	}
	for _, name := range names {
		var missing []string
		for _, arm := range arms {
			if !has[name][arm] {
				missing = append(missing, arm)
			}
		}
		if len(missing) > 0 {
			lacks = append(lacks, fmt.Sprintf("%s is not in %s", name, strings.Join(missing, ", ")))
		}
	}
	return all, lacks
}

// A releasePair is what a contest of a chain has beside its two arms.
type releasePair struct {
	from  string  // the arm before
	first *series // of the first arm, which the null control repeats
}

// from is the arm before, in a chain, or "".
func (c contest) from() string {
	if c.releases == nil {
		return ""
	}
	return c.releases.from
}

// safetyOfReleases reads the safety of an arm of a chain and the one before it.
func safetyOfReleases(set *Set, from, arm string) safety {
	s := newSafety()
	s.release = arm
	s.add(set, func(b *results.Bench) (line, to string, ok bool) {
		switch b.Key(ArmKey) {
		case from:
			return b.Except(ArmKey), "", true
		case arm:
			return b.Except(ArmKey), arm, true
		}
		return "", "", false
	})
	return s
}
