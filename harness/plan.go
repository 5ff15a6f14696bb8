package harness

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
)

// A Plan says what a run measures.
type Plan struct {
	Cases []Planned

	// Seed orders the blocks within each round, and the cases within each block.
	Seed uint64

	// Builds is how many builds each binary has. Round r is measured with build r modulo Builds,
	// in every arm. 0: there is one binary. Rounds are not rounded up to a multiple of Builds, and a
	// case that is not due in every round may miss some builds.
	//
	// Builds and layouts both take turns by rounds. So with 12 builds and 4 layouts build b is
	// measured only at layout b modulo 4; with 11 builds, at each layout in turn. If the two numbers
	// have the common factor g, a build is measured at one in g of the layouts. No arm gains by it,
	// since those of a block have the same build and layout. But the difference between two builds
	// then holds the difference between their layouts.
	Builds int

	// AtOnce is how many blocks are measured at the same time: for samples that do not depend on what
	// else this machine does, as those of a guest in virtual time. Blocks then begin in the order of the plan, and
	// are in the file in the order in which they end. Below 2: one after the other.
	AtOnce int

	// SeedGiven: Create does not continue a file that has another seed. Otherwise
	// Create replaces Seed by that of the file it continues.
	SeedGiven bool
}

// Planned is a Case in a Plan.
type Planned struct {
	Case
	Wanted []string // those of Names that are written to the file, without the arm

	// Rounds is how many samples are taken. If the case has layouts, it is rounded up to a
	// multiple of their number, so that each gets as many.
	Rounds int

	// Block is a name that the cases share which are compared with each other: those that
	// are due in one round are measured one after the other.
	Block string

	// Arm tells apart several of one Case in one Block: the base, the base again, another
	// revision. In the file, the names of the case have it as their last key: "X/readers=0/arm=A2".
	// If a name ends as go test lets it end, in a minus and a number of CPUs, that stays the end.
	// "": the case has no such key.
	Arm string

	// Slower makes each timed part longer by that share: 0.005 is half a percent. It shows what
	// a comparison would find. It does not change what Op.Values returns. At least 0.
	Slower float64
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

// layout returns the layout at which c is measured in the block: the same for all cases
// that have as many.
func (b *block) layout(c *Planned) int { return b.round % max(1, c.Layouts) }

// task is what a worker measures in the block for those names of c.
func (p *Plan) task(b *block, c *Planned, names []string) Task {
	return Task{Names: names, Arm: c.Arm, Round: b.round, Layout: b.layout(c), Build: p.build(b), Slower: c.Slower}
}

// build returns the build with which the block is measured.
func (p *Plan) build(b *block) int { return b.round % max(1, p.Builds) }

// blocks returns the blocks of the run in the order to measure them, round by round. The case
// with the most rounds is due in each.
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

// due returns those of the run's rounds in which the case is measured: evenly spread, and as
// many at each of its layouts. Round r has layout r modulo their number. So the rounds of
// each layout are spread apart from the others', each beginning at another place.
//
//	layouts of 8 rounds               0 1 2 3 0 1 2 3
//	a case with layouts, 4 rounds     x x . . . . x x
//	a case without, 4 rounds          x . x . x . x .
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

// id is a hash of the plan without its seed.
func (p *Plan) id() string {
	h := fnv.New64a()
	fmt.Fprintln(h, p.Builds)
	for _, c := range p.Cases {
		fmt.Fprintf(h, "%d %d %q %q %q %v\n", c.Rounds, c.Layouts, c.Block, c.Wanted, c.Arm, c.Slower)
	}
	return fmt.Sprintf("%016x", h.Sum64())
}
