package results

import "fmt"

// unequalShare is how far the shares of two that are compared may lie apart before that
// is told.
const unequalShare = 0.25

// shares adds up batches.
type shares struct{ tried, kept, shared int }

func (s *shares) add(tried, kept, shared int) {
	s.tried += tried
	s.kept += kept
	s.shared += shared
}

// unequal warns of each benchmark that lost another share of its batches than what it is
// compared with, the rest of its blocks, or had another share of them beside a neighbour:
// what was left out is then no chance, and may be what was slow.
func (r *Run) unequal() []error {
	type id struct{ session, block int }
	blocks := map[id]*shares{}
	own := map[string]*shares{}
	in := map[string][]id{}
	var names []string
	for _, s := range r.Samples {
		b := id{s.Session, s.Block}
		if blocks[b] == nil {
			blocks[b] = new(shares)
		}
		if own[s.Name] == nil {
			own[s.Name] = new(shares)
			names = append(names, s.Name)
		}
		blocks[b].add(s.Tried, s.Kept, s.Shared)
		own[s.Name].add(s.Tried, s.Kept, s.Shared)
		in[s.Name] = append(in[s.Name], b)
	}
	var warnings []error
	warn := func(name, what string, own, others float64) {
		if own-others > unequalShare || others-own > unequalShare {
			warnings = append(warnings, fmt.Errorf("%s %s in %.0f %% of its batches, and what it is compared with in %.0f %%: the difference between them may come from that", name, what, 100*own, 100*others))
		}
	}
	for _, name := range names {
		others := shares{}
		for _, b := range in[name] {
			others.add(blocks[b].tried, blocks[b].kept, blocks[b].shared)
		}
		o := own[name]
		others.add(-o.tried, -o.kept, -o.shared)
		if o.kept == 0 || others.kept == 0 {
			continue
		}
		part := func(n, of int) float64 { return float64(n) / float64(of) }
		warn(name, "was kept off its CPU", 1-part(o.kept, o.tried), 1-part(others.kept, others.tried))
		warn(name, "shared the core with a neighbour", part(o.shared, o.kept), part(others.shared, others.kept))
	}
	return warnings
}
