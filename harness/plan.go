package harness

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
)

// A Plan is what a run is to measure.
type Plan struct {
	Cases []Planned

	// Seed orders the cases within each round.
	Seed uint64
}

// Planned is a Case with what is wanted of it.
type Planned struct {
	Case
	Wanted []string // the Names to write down; a subset
	Rounds int      // samples of each
}

// Samples is the number of benchmark lines the whole run will write.
func (p *Plan) Samples() int {
	n := 0
	for _, c := range p.Cases {
		n += c.Rounds * len(c.Wanted)
	}
	return n
}

// order returns, for each round, the indices of the cases due in it. There are as
// many rounds as the most thorough case wants; one that wants fewer is due in as
// many of them, evenly spread, so that it meets the others in the same rounds.
func (p *Plan) order() [][]int {
	most := 0
	for _, c := range p.Cases {
		most = max(most, c.Rounds)
	}
	rounds := make([][]int, most)
	for r := range rounds {
		for i, c := range p.Cases {
			if (r+1)*c.Rounds/most > r*c.Rounds/most {
				rounds[r] = append(rounds[r], i)
			}
		}
		order := rand.New(rand.NewPCG(p.Seed, uint64(r)))
		order.Shuffle(len(rounds[r]), func(a, b int) {
			rounds[r][a], rounds[r][b] = rounds[r][b], rounds[r][a]
		})
	}
	return rounds
}

// id tells one plan from another, whatever the seed.
func (p *Plan) id() string {
	h := fnv.New64a()
	for _, c := range p.Cases {
		fmt.Fprintln(h, c.Rounds, c.Wanted)
	}
	return fmt.Sprintf("%016x", h.Sum64())
}
