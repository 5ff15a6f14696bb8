package results

import (
	"fmt"

	"github.com/tpbench/tpbench/results/stat"
)

// Two shares are unequal if they differ by unequalShare, and if the probability that equal
// ones differ so much is below unequalP.
const (
	unequalShare = 0.25
	unequalP     = 0.001
	unequalLeast = 4 // samples on either side; of fewer the test proves nothing
)

// shares are parts of a sample's batches, by what happened to them.
var shares = []struct {
	what string
	of   func(*Sample) float64
}{
	{"was kept off its CPU", func(s *Sample) float64 { return 1 - float64(s.Kept)/float64(s.Tried) }},
	{"shared the core with a neighbour", func(s *Sample) float64 { return float64(s.Shared) / float64(s.Kept) }},
}

// unequal warns of each benchmark that lost another share of its batches than the
// benchmarks it is compared with, which are the rest of its blocks, or had another share of
// them beside a neighbour. The lost batches are then no random ones, and may be the slow ones.
// A neighbour stays for seconds, so the samples are compared and not their batches.
func (r *Run) unequal() []error {
	type id struct{ session, block int }
	blocks := map[id]Samples{}
	for _, s := range r.Samples {
		if s.Kept > 0 {
			b := id{s.Session, s.Block}
			blocks[b] = append(blocks[b], s)
		}
	}
	var warnings []error
	for _, g := range r.Samples.ByName() {
		for _, sh := range shares {
			var these, others []float64
			for _, s := range g.Samples {
				for _, t := range blocks[id{s.Session, s.Block}] {
					if t.Name == g.Value {
						these = append(these, sh.of(&t))
					} else if t.Base == s.Base { // the other phases of one operation share its batches
						others = append(others, sh.of(&t))
					}
				}
			}
			if len(these) < unequalLeast || len(others) < unequalLeast || stat.Compare(these, others).P >= unequalP {
				continue
			}
			if a, b := stat.Mean(these), stat.Mean(others); a-b > unequalShare || b-a > unequalShare {
				warnings = append(warnings, fmt.Errorf("%s %s in %.0f %% of its batches, and what it is compared with in %.0f %%: the difference between them may come from that", g.Value, sh.what, 100*a, 100*b))
			}
		}
	}
	return warnings
}
