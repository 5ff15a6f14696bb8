package benches

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/harness"
)

// planOf makes a plan of chosen cases on a machine that has all it needs.
func planOf(chosen []Chosen) *harness.Plan {
	p := new(harness.Plan)
	for _, ch := range chosen {
		for _, c := range ch.Cases {
			p.Cases = append(p.Cases, harness.Planned{Case: c.Case, Wanted: c.Names[:1], Rounds: ch.Rounds, Block: c.Block})
		}
	}
	return p
}

// armsOf lists a plan's cases, each as impl:arm, or as a benchmark and impl:arm.
func armsOf(p *harness.Plan) string {
	var list []string
	for _, c := range p.Cases {
		found, err := Find(c.Names[0])
		if err != nil {
			panic(err)
		}
		name := found.keys["impl"]
		if IsTorture(c.Names[0]) {
			name = "torture " + name
		}
		list = append(list, fmt.Sprintf("%s:%s", name, c.Arm))
	}
	return strings.Join(list, ", ")
}

// If this fails, samples that are compared are not measured one after the other: others are in their block.
func TestArmsAreABlock(t *testing.T) {
	p := planOf([]Chosen{{Cases: bulkBench.Cases(Params{GPs: []string{"memb"}})}, {Cases: gracePeriodBench.Cases(Params{})}})
	Arms(p)
	blocks := map[string][]string{}
	for _, c := range p.Cases {
		blocks[c.Block] = append(blocks[c.Block], c.Names[0])
	}
	for name, cases := range blocks {
		if len(cases) != 3 || cases[0] != cases[1] || cases[1] != cases[2] {
			t.Errorf("block %s has %v, want three arms of one case", name, cases)
		}
	}
}

// If this fails, a comparison with an implementation measures what cannot be compared, has no null
// control, forgets torture, or counts other lines than it compares.
func TestArms(t *testing.T) {
	bulk := func(impls ...string) []Chosen {
		return []Chosen{{Cases: bulkBench.Cases(Params{Impls: impls, GPs: []string{"memb"}, Events: []int{20}, Readers: []int{0}})}}
	}
	for _, c := range []struct {
		what   string
		chosen []Chosen
		base   string // "": Arms, and not AddNull
		want   string
		lines  int
	}{
		{"against", bulk("naive-sync", "batched", "bound"), "batched",
			"naive-sync:, batched:, bound:, torture naive-sync:, torture batched:, torture bound:, batched:A2", 2},
		{"against, with other benchmarks", append(bulk("naive-sync", "batched"), Chosen{Cases: pokeBench.Cases(Params{Impls: []string{"int3"}})}), "batched",
			"naive-sync:, batched:, torture naive-sync:, torture batched:, batched:A2", 1},
		{"against nothing else", bulk("batched"), "batched", "", 0},
		{"against what is not there", bulk("batched"), "bound", "", 0},
		{"arms", bulk("batched"), "", "batched:A, batched:A2, batched:B, torture batched:A, torture batched:B", 1},
		{"arms, torture was chosen", append(bulk("batched"), Chosen{Cases: tortureBench.Cases(Params{Impls: []string{"batched", "bound"}})}), "",
			"batched:A, batched:A2, batched:B, torture batched:A, torture batched:B, torture bound:A, torture bound:B", 1},
		{"arms of no strategy", []Chosen{{Cases: readSideBench.Cases(Params{GPs: []string{"memb"}})}}, "", ":A, :A2, :B", 1},
	} {
		chosen := c.chosen
		if c.base != "" {
			chosen = Against(c.base, chosen)
		}
		plan := planOf(WithTorture(chosen))
		if c.base != "" {
			AddNull(plan, c.base)
		} else {
			Arms(plan)
		}
		if got := armsOf(plan); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.what, got, c.want)
		}
		if got := Lines(plan); got != c.lines {
			t.Errorf("%s: %d lines, want %d", c.what, got, c.lines)
		}
		for _, p := range plan.Cases {
			if IsTorture(p.Names[0]) != (p.Rounds == few) {
				t.Errorf("%s: %d rounds of %s", c.what, p.Rounds, p.Names[0])
			}
		}
	}
}

// If this fails, torture that broke a strategy beside a neighbour is taken again, and forgotten; or a benchmark
// that times something is not.
func TestOnlyTortureIsUntimed(t *testing.T) {
	for _, b := range Benchmarks() {
		for _, c := range b.Cases(Params{}) {
			if c.Untimed != (b == &tortureBench) {
				t.Errorf("%s: untimed %v", c.Names[0], c.Untimed)
			}
		}
	}
}
