package compare

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
)

// A scale is what differences are taken on: math.Log, so that they are ratios, or identity.
type scale func(float64) float64

func identity(v float64) float64 { return v }

// A pair is two samples of one block: how much the other arm took, and how much the base.
type pair struct {
	place
	diff float64 // of the other arm to the base, on the contest's scale
}

// units are the independent observations of a difference.
type units struct {
	diffs  []float64
	of     string            // what they are: "blocks"
	sets   map[int][]float64 // where the units are sets of layouts: the differences at each layout
	factor float64           // of widened, or 1
}

// inBlocks returns the pairs of two series on a scale, in the order of the run. ok is false if one of
// them has samples that are in no block.
func (scale scale) inBlocks(base, other *series) (pairs []pair, ok bool) {
	type block struct{ session, block int32 }
	if len(base.places) != base.values.n || len(other.places) != other.values.n {
		return nil, false
	}
	in := make(map[block]float64, base.values.n)
	values := base.values.list()
	for i, p := range base.places {
		if p.block == results.NoBlock {
			return nil, false
		}
		in[block{p.session, p.block}] = values[i]
	}
	values = other.values.list()
	for i, p := range other.places {
		if p.block == results.NoBlock {
			return nil, false
		}
		if v, found := in[block{p.session, p.block}]; found {
			pairs = append(pairs, pair{p, scale(values[i]) - scale(v)})
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.session, b.session), cmp.Compare(a.round, b.round), cmp.Compare(a.block, b.block))
	})
	return pairs, true
}

// What units are. Where there is more than one layout, they are sets of so many.
const (
	ofBuilds  = "builds"
	ofBlocks  = "blocks"
	ofSamples = "samples" // without blocks
	ofBoots   = "boots"   // of a chain
)

// widened returns units that were taken one after the other, wider by as much as successive ones resemble each
// other. Builds are independent, since each has a layout of its own.
func (u units) widened() units {
	if u.of != ofBuilds {
		u.diffs, u.factor = stat.Widen(u.diffs)
	}
	return u
}

// unitsOf makes units of pairs. The samples of one build have its layout in common, so they are one
// observation of what a build costs. Layouts of one binary are all that there are, so a unit
// has one block at each, and none counts more than another; what is left over is left out.
func unitsOf(pairs []pair) units {
	diff := func(p pair) float64 { return p.diff }
	if builds := groupBy(pairs, func(p pair) int { return int(p.build) }); !has(builds, results.NoBuild) {
		var centers []float64
		for _, b := range slices.Sorted(maps.Keys(builds)) {
			centers = append(centers, stat.Paired(each(builds[b], diff)).Center())
		}
		return units{diffs: centers, of: ofBuilds, factor: 1}
	}
	layouts := groupBy(pairs, func(p pair) int { return int(p.layout) })
	if has(layouts, results.NoLayout) || len(layouts) == 1 {
		return units{diffs: each(pairs, diff), of: ofBlocks, factor: 1}
	}
	u := units{of: fmt.Sprintf("sets of %d layouts", len(layouts)), sets: map[int][]float64{}, factor: 1}
	for n := 0; ; n++ {
		sum := 0.0
		for _, l := range slices.Sorted(maps.Keys(layouts)) {
			if n == len(layouts[l]) {
				return u
			}
			sum += layouts[l][n].diff
			u.sets[l] = append(u.sets[l], layouts[l][n].diff)
		}
		u.diffs = append(u.diffs, sum/float64(len(layouts)))
	}
}

func groupBy(pairs []pair, by func(pair) int) map[int][]pair {
	groups := map[int][]pair{}
	for _, p := range pairs {
		groups[by(p)] = append(groups[by(p)], p)
	}
	return groups
}

func has[K comparable, V any](m map[K]V, key K) bool { _, ok := m[key]; return ok || len(m) == 0 }

func each[T any](list []T, of func(T) float64) []float64 {
	values := make([]float64, len(list))
	for i, v := range list {
		values[i] = of(v)
	}
	return values
}

// values returns a series on a scale, for a test without blocks: its builds or sets of layouts, as in unitsOf,
// and else its samples.
func (scale scale) values(s *series) units {
	values := s.values.list()
	for i, v := range values {
		values[i] = scale(v)
	}
	if len(s.places) != len(values) {
		return units{diffs: values, of: ofSamples, factor: 1}
	}
	pairs := make([]pair, len(values))
	for i, v := range values {
		pairs[i] = pair{s.places[i], v}
	}
	u := unitsOf(pairs)
	if u.of == ofBlocks {
		u.of = ofSamples
	}
	return u
}

// opposed reports whether a layout shows the opposite of what all show together.
func (u units) opposed(center float64) bool {
	for _, diffs := range u.sets {
		s := stat.Paired(diffs)
		if center > 0 && s.PBelow(0) <= Level || center < 0 && s.PAbove(0) <= Level {
			return true
		}
	}
	return false
}
