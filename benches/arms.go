package benches

import (
	"slices"

	"github.com/tpbench/tpbench/harness"
)

// The arms of a comparison: harness.Planned.Arm.
const (
	Base  = "A"
	Again = "A2" // the base measured once more in the same blocks: the null control
	Other = "B"
)

// Against narrows chosen cases to those that can be compared with an implementation: to the blocks
// in which it and another one are. It returns nil if there are none.
func Against(base string, chosen []Chosen) (comparable []Chosen) {
	blocks := map[string]bool{}
	for _, ch := range chosen {
		for _, c := range ch.Cases {
			if c.keys["impl"] == base {
				blocks[c.Block] = true
			}
		}
	}
	for _, ch := range chosen {
		cases := keep(ch.Cases, func(c Case) bool { return blocks[c.Block] })
		if slices.ContainsFunc(cases, func(c Case) bool { return c.keys["impl"] != base }) {
			comparable = append(comparable, Chosen{cases, ch.Rounds})
		}
	}
	return comparable
}

// WithTorture adds the torture of those strategies that chosen cases measure, a few samples of each. What
// is not safe need not be fast.
func WithTorture(chosen []Chosen) []Chosen {
	var names []string
	var timed []Chosen
	for _, ch := range chosen {
		timed = append(timed, Chosen{keep(ch.Cases, func(c Case) bool { return c.Benchmark != &tortureBench }), ch.Rounds})
		for _, c := range ch.Cases {
			if impl := c.keys["impl"]; slices.Contains(allStrategies, impl) && !slices.Contains(names, impl) {
				names = append(names, impl)
			}
		}
	}
	if names == nil {
		return timed
	}
	return append(timed, Chosen{tortureBench.Cases(Params{Impls: names}), few})
}

// AddNull adds the null control to a plan that compares implementations: each case of the base once
// more, in the same blocks.
func AddNull(plan *harness.Plan, base string) {
	for _, p := range plan.Cases {
		if c, err := Find(p.Names[0]); err != nil {
			panic("benches: " + err.Error()) // the plan was made of cases
		} else if !IsTorture(p.Names[0]) && c.keys["impl"] == base {
			p.Arm = Again
			plan.Cases = append(plan.Cases, p)
		}
	}
}

// Arms makes three arms of each case of a plan, which are a block: the base, the base again, and another. Torture
// needs no null control.
func Arms(plan *harness.Plan) {
	cases := plan.Cases
	plan.Cases = nil
	for _, p := range cases {
		arms := []string{Base, Again, Other}
		if IsTorture(p.Names[0]) {
			arms = []string{Base, Other}
		}
		p.Block = p.Names[0] // other implementations are not compared with it
		for _, arm := range arms {
			p.Arm = arm
			plan.Cases = append(plan.Cases, p)
		}
	}
}

// Lines returns how many times a plan with arms compares: so many benchmarks have another arm than the base.
func Lines(plan *harness.Plan) (lines int) {
	again := map[string]bool{} // the base's names
	for _, p := range plan.Cases {
		if p.Arm == Again {
			again[p.Names[0]] = true
		}
	}
	for _, p := range plan.Cases {
		if !IsTorture(p.Names[0]) && (p.Arm == Other || p.Arm == "" && !again[p.Names[0]]) {
			lines += len(p.Wanted)
		}
	}
	return lines
}
