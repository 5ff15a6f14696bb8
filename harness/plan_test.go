package harness

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// arbitrary returns a random plan.
func arbitrary(rnd *rand.Rand) *Plan {
	p := &Plan{Seed: rnd.Uint64()}
	for b := range 1 + rnd.IntN(6) {
		layouts := []int{0, 0, 1, 2, 3, 4, 7}[rnd.IntN(7)]
		for c := range 1 + rnd.IntN(5) {
			name := fmt.Sprintf("B%d/c=%d", b, c)
			p.Cases = append(p.Cases, Planned{
				Case: Case{Names: []string{name}, Layouts: layouts}, Wanted: []string{name},
				Rounds: 1 + rnd.IntN(20), Block: fmt.Sprint("B", b),
			})
		}
	}
	return p
}

// If this fails, some plan measures a case too few times, twice in a round, or more often at one
// layout than at another; or a block has cases at different layouts; or a round has a block
// in two parts.
func TestPlanIsBalanced(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 2000 {
		p := arbitrary(rnd)
		fail := func(format string, args ...any) {
			t.Helper()
			t.Fatalf("seed %d: %s\n%+v", seed, fmt.Sprintf(format, args...), p)
		}
		at := make([]map[int]int, len(p.Cases)) // by case and layout
		rounds := make([]map[int]bool, len(p.Cases))
		for i := range at {
			at[i], rounds[i] = map[int]int{}, map[int]bool{}
		}
		last := -1
		seen := map[string]bool{}
		for _, b := range p.blocks() {
			if b.round < last {
				fail("round %d comes after round %d", b.round, last)
			}
			last = b.round
			first := &p.Cases[b.cases[0]]
			id := fmt.Sprint(first.Block, b.round)
			if seen[id] {
				fail("round %d holds block %s twice", b.round, first.Block)
			}
			seen[id] = true
			for _, i := range b.cases {
				c := &p.Cases[i]
				if c.Block != first.Block || b.layout(c) != b.layout(first) {
					fail("round %d measures %s at layout %d in the block of %s at layout %d", b.round, c.Wanted, b.layout(c), first.Wanted, b.layout(first))
				}
				if rounds[i][b.round] {
					fail("%s is due twice in round %d", c.Wanted, b.round)
				}
				rounds[i][b.round] = true
				at[i][b.layout(c)]++
			}
		}
		for i := range p.Cases {
			c := &p.Cases[i]
			layouts := max(1, c.Layouts)
			each := len(rounds[i]) / layouts
			if n := len(rounds[i]); n < c.Rounds || n >= c.Rounds+layouts {
				fail("%s is measured %d times, of %d wanted at %d layouts", c.Wanted, n, c.Rounds, layouts)
			}
			for l := range layouts {
				if at[i][l] != each {
					fail("%s is measured %v times at its layouts", c.Wanted, at[i])
				}
			}
		}
	}
}

// If this fails, a case that is due in every round is measured more often with one build than with
// another, or meets other layouts with a build than the documentation of Plan.Builds says, or
// a run without builds has more than one.
func TestBuildsTakeTurns(t *testing.T) {
	for builds := range 14 {
		for layouts := 1; layouts <= 6; layouts++ {
			n := max(1, builds)
			factor := n
			for n%factor != 0 || layouts%factor != 0 {
				factor--
			}
			p := &Plan{Builds: builds, Cases: []Planned{{Case: Case{Layouts: layouts}, Wanted: []string{"A"}, Rounds: 3 * n * layouts}}}
			met := make([]map[int]int, n) // by build: layouts
			for _, b := range p.blocks() {
				task := p.task(&b, &p.Cases[0], nil)
				if met[task.Build] == nil {
					met[task.Build] = map[int]int{}
				}
				met[task.Build][task.Layout]++
			}
			for build, of := range met {
				if len(of) != layouts/factor {
					t.Errorf("build %d of %d meets the layouts %v, of %d", build, builds, of, layouts)
				}
				for layout, times := range of {
					if times != 3*factor {
						t.Errorf("build %d of %d meets layout %d of %d %d times, want %d", build, builds, layout, layouts, times, 3*factor)
					}
				}
			}
		}
	}
}

// If this fails, a run continues the file of another plan, and mixes the samples of both.
func TestPlanID(t *testing.T) {
	seen := map[string]string{plan().id(): "the plan itself"}
	for what, change := range map[string]func(*Plan){
		"more rounds":      func(p *Plan) { p.Cases[1].Rounds++ },
		"fewer layouts":    func(p *Plan) { p.Cases[0].Layouts-- },
		"another block":    func(p *Plan) { p.Cases[2].Block = "A" },
		"fewer wanted":     func(p *Plan) { p.Cases[1].Wanted = []string{"B"} },
		"the other wanted": func(p *Plan) { p.Cases[1].Wanted = []string{"C"} },
		"fewer cases":      func(p *Plan) { p.Cases = p.Cases[:2] },
		"an arm":           func(p *Plan) { p.Cases[0].Arm = "A" },
		"another's arm":    func(p *Plan) { p.Cases[1].Arm = "A" },
		"another arm":      func(p *Plan) { p.Cases[0].Arm = "A2" },
		"builds":           func(p *Plan) { p.Builds = 1 },
		"more builds":      func(p *Plan) { p.Builds = 12 },
		"a slowdown":       func(p *Plan) { p.Cases[0].Slower = 0.0025 },
		"more slowdown":    func(p *Plan) { p.Cases[0].Slower = 0.005 },
		"names in one":     func(p *Plan) { p.Cases[1].Wanted = []string{"B C"} },
		"another order":    func(p *Plan) { p.Cases[0], p.Cases[1] = p.Cases[1], p.Cases[0] },
	} {
		p := plan()
		change(p)
		if other, ok := seen[p.id()]; ok {
			t.Errorf("%s has the id of %s", what, other)
		}
		seen[p.id()] = what
	}
	p := plan()
	if p.Seed++; p.id() != plan().id() {
		t.Error("another seed makes another plan")
	}
}

// If this fails, a case with few rounds is measured only at the beginning or the end of a
// run, so that a drift of the machine looks like a property of the case.
func TestFewRoundsAreSpread(t *testing.T) {
	for _, layouts := range []int{0, 4} {
		for most := 8; most <= 40; most += 4 {
			for n := 4; n <= most; n += 4 {
				c := &Planned{Case: Case{Layouts: layouts}, Rounds: n}
				early := 0
				for _, r := range c.due(most) {
					if r < most/2 {
						early++
					}
				}
				if early < n/2-2 || early > (n+1)/2+2 {
					t.Errorf("%d of %d rounds at %d layouts: %v, %d in the first half", n, most, layouts, c.due(most), early)
				}
			}
		}
	}
}

// If this fails, all rounds have the same order, so that one case is always first; or two runs
// with one seed differ.
func TestOrderDiffersByRound(t *testing.T) {
	many := func(seed uint64) *Plan {
		p := &Plan{Seed: seed}
		for b := range 5 {
			for c := range 5 {
				p.Cases = append(p.Cases, Planned{Wanted: []string{fmt.Sprint(b, c)}, Rounds: 6, Block: fmt.Sprint(b)})
			}
		}
		return p
	}
	p := many(7)
	blocks, members := map[string]bool{}, map[string]bool{}
	order := ""
	for i, b := range p.blocks() {
		order += p.Cases[b.cases[0]].Block
		if i%5 == 4 {
			blocks[order] = true
			order = ""
		}
		var ranks []int
		for _, c := range b.cases {
			ranks = append(ranks, c%5) // its number in its block
		}
		members[fmt.Sprint(ranks)] = true
	}
	if len(blocks) < 5 || len(members) < 15 {
		t.Errorf("6 rounds of 5 blocks of 5 have %d orders of blocks, and the blocks %d orders of cases", len(blocks), len(members))
	}
	first := many(7).blocks()
	if again := many(7).blocks(); fmt.Sprint(first) != fmt.Sprint(again) {
		t.Errorf("seed 7 gave %v and %v", first, again)
	}
	if other := many(8).blocks(); fmt.Sprint(first) == fmt.Sprint(other) {
		t.Error("seeds 7 and 8 gave one order")
	}
}
