package benches

import (
	"slices"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls"
)

// The arms of a comparison: harness.Planned.Arm.
const (
	Base  = "A"
	Again = "A2" // the base measured once more in the same blocks: the null control
	Other = "B"
)

// Against narrows chosen cases to those that can be compared with an implementation: to the blocks
// in which it is. Its error is an *impls.UnknownError if there are none.
func Against(base string, chosen []Chosen) ([]Chosen, error) {
	blocks := map[string]bool{}
	for _, ch := range chosen {
		for _, c := range ch.Cases {
			if c.keys["impl"] == base {
				blocks[c.Block] = true
			}
		}
	}
	var comparable []Chosen
	for _, ch := range chosen {
		if cases := keep(ch.Cases, func(c Case) bool { return blocks[c.Block] }); len(cases) > 1 {
			comparable = append(comparable, Chosen{cases, ch.Rounds})
		}
	}
	if len(comparable) == 0 {
		return nil, &impls.UnknownError{Kind: "implementation that the chosen benchmarks have beside others", Name: base}
	}
	return comparable, nil
}

// Tortured chooses the torture of those strategies that chosen cases measure. What is not safe
// need not be fast.
func Tortured(chosen []Chosen) Chosen {
	var names []string
	for _, ch := range chosen {
		for _, c := range ch.Cases {
			if impl := c.keys["impl"]; c.Benchmark != &tortureBench && slices.Contains(allStrategies, impl) && !slices.Contains(names, impl) {
				names = append(names, impl)
			}
		}
	}
	if names == nil {
		return Chosen{}
	}
	return Chosen{tortureBench.Cases(Params{Impls: names}), few}
}

// AddNull adds the null control to a plan that compares implementations: each case of the base once
// more, in the same blocks. It returns how many lines are compared with the base, each of one
// benchmark and one other implementation.
func AddNull(plan *harness.Plan, base string) (lines int) {
	for _, p := range plan.Cases {
		c, err := Find(p.Names[0])
		if err != nil {
			panic("benches: " + err.Error()) // the plan was made of cases
		}
		switch {
		case c.Benchmark == &tortureBench:
		case c.keys["impl"] == base:
			p.Arm = Again
			plan.Cases = append(plan.Cases, p)
		default:
			lines += len(p.Wanted)
		}
	}
	return lines
}

// Arms makes three arms of each case of a plan: the base, the base again, and another. Torture needs
// no null control. It returns how many lines are compared.
func Arms(plan *harness.Plan) (lines int) {
	cases := plan.Cases
	plan.Cases = nil
	for _, p := range cases {
		c, err := Find(p.Names[0])
		if err != nil {
			panic("benches: " + err.Error())
		}
		arms := []string{Base, Again, Other}
		if c.Benchmark == &tortureBench {
			arms = []string{Base, Other}
		} else {
			lines += len(p.Wanted)
		}
		for _, arm := range arms {
			p.Arm = arm
			plan.Cases = append(plan.Cases, p)
		}
	}
	return lines
}
