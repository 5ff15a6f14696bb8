package harness

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
)

// A Plan is what a run is to measure.
type Plan struct {
	Cases []Planned

	// Seed orders the blocks within each round, and the cases within each block. If it was
	// asked for, a file that was begun with another is not taken up.
	Seed     uint64
	AskedFor bool
}

// Planned is a Case with what is wanted of it.
type Planned struct {
	Case
	Wanted []string // the Names to write down; a subset

	// Rounds is how many samples are wanted of each. A case that has layouts gets as
	// many at each of them: Rounds is rounded up to a multiple of their number.
	Rounds int

	// Block names what the case is compared in: cases of one Block that are due in one
	// round are measured one after the other.
	Block string
}

// rounds is how many rounds the case is due in.
func (c *Planned) rounds() int {
	layouts := max(1, c.Layouts)
	return (c.Rounds + layouts - 1) / layouts * layouts
}

// Samples is the number of benchmark lines the whole run will write.
func (p *Plan) Samples() int {
	n := 0
	for _, c := range p.Cases {
		n += c.rounds() * len(c.Wanted)
	}
	return n
}

// A block is the cases of one Block in one round, in the order to measure them.
type block struct {
	round int
	cases []int // indices of Plan.Cases
}

// layout is the one that the block's cases of so many layouts stand at: the same for all.
func (b *block) layout(c *Planned) int { return b.round % max(1, c.Layouts) }

// blocks returns the run's blocks in the order to take them, round by round. There are
// as many rounds as the most thorough case wants.
func (p *Plan) blocks() []block {
	most := 0
	for _, c := range p.Cases {
		most = max(most, c.rounds())
	}
	due := make([][]int, most)
	for i := range p.Cases {
		for _, r := range p.Cases[i].due(most) {
			due[r] = append(due[r], i)
		}
	}
	var all []block
	for r, cases := range due {
		var names []string
		members := map[string][]int{}
		for _, i := range cases {
			name := p.Cases[i].Block
			if members[name] == nil {
				names = append(names, name)
			}
			members[name] = append(members[name], i)
		}
		order := rand.New(rand.NewPCG(p.Seed, uint64(r)))
		order.Shuffle(len(names), func(a, b int) { names[a], names[b] = names[b], names[a] })
		for _, name := range names {
			m := members[name]
			order.Shuffle(len(m), func(a, b int) { m[a], m[b] = m[b], m[a] })
			all = append(all, block{r, m})
		}
	}
	return all
}

// due returns the rounds, of so many, that the case is measured in: evenly spread, and
// as many at each of its layouts. Round r stands at layout r modulo their number, so
// the rounds of each layout are taken apart, each spread from another beginning.
//
//	8 rounds, 4 layouts        0 1 2 3 0 1 2 3
//	a case due in 4 of them    x x . . . . x x
//	one without layouts        x . x . x . x .
func (c *Planned) due(most int) []int {
	layouts := max(1, c.Layouts)
	each := c.rounds() / layouts
	var rounds []int
	for l := range layouts {
		have := (most - l + layouts - 1) / layouts
		for j := range each {
			rounds = append(rounds, l+layouts*((j*have+l*have/layouts)/each))
		}
	}
	return rounds
}

// id tells one plan from another, whatever the seed.
func (p *Plan) id() string {
	h := fnv.New64a()
	for _, c := range p.Cases {
		fmt.Fprintln(h, c.Rounds, c.Layouts, c.Block, c.Wanted)
	}
	return fmt.Sprintf("%016x", h.Sum64())
}
