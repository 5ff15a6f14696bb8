package unregister

import (
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/rcu"
)

// Deliberate bug (v4 of the series): doubleArray keeps M4 by having the memory already. Each
// add allocates room for its probes twice; removal fills the half that readers do not see
// and publishes that. It forgets that readers may not have left it: M2 is broken, and in
// a window of one load M3.
//
//	CPU0, updater                        CPU1, reader in the iterator
//	                                     p = half 0: {A, B, C}
//	-A: half 1 = {B, C}, publish         A(d_A)
//	-B: half 0 = {C}, publish
//	                                     p[1] is the end           // C missed
//
// In v4 a header element in front of each half leads to the other. Only the updater
// looks at that, so here it is in the Point.
var doubleArray = Policy{
	add:    addDouble,
	remove: flip,
}

// halves is what a Point knows of the half that readers are not sent to.
type halves struct {
	spare []dispatch.Entry

	left    rcu.State // when they last were
	entered bool      // whether they ever were
}

// addDouble puts the probes into the first half of an array of their own.
func addDouble(p *Point, probes []dispatch.Entry) error {
	room := len(probes) + 1
	array, err := p.arrays.Alloc(2 * room)
	if err != nil {
		return err // before any step: M4
	}
	fill(array[:room], probes)
	p.halves = halves{spare: array[room:]}
	return p.install(array, array[:room])
}

// flip makes rest what readers see, in the other half.
func flip(p *Point, _ int, rest []dispatch.Entry) error {
	h := &p.halves
	present := p.array[:len(p.array)/2]
	if &h.spare[0] == &present[0] {
		present = p.array[len(p.array)/2:]
	}
	fill(h.spare, rest)
	if err := p.install(p.array, h.spare[:len(rest)+1]); err != nil {
		return err
	}
	h.spare, h.left, h.entered = present, p.rcu.GetState(), true
	return nil
}
