package unregister

import (
	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/rcu"
)

// Deliberate bug (v4 of the series): doubleArray keeps M4 by allocating in advance. Each add
// allocates room for twice its probes. Removal fills the half that readers do not see and
// publishes it. It does not wait until readers have left that half: M2 is broken, and M3 if
// a reader is between its loads of function and data.
//
//	CPU0, updater                        CPU1, reader in the iterator
//	                                     p = half 0: {A, B, C}
//	-A: half 1 = {B, C}, publish         A(d_A)
//	-B: half 0 = {C}, publish
//	                                     p[1] is the end           // C is not called
//
// In v4 a header element in front of each half points to the other. Only the updater reads it,
// so here it is in the Point.
var doubleArray = Policy{
	add:    addDouble,
	remove: flip,
}

// halves is the state of the half that is not published.
type halves struct {
	spare []dispatch.Entry // that half

	left    rcu.State // the moment when it was last replaced
	entered bool      // whether it was ever published
}

// addDouble publishes the probes in the first half of a new array.
func addDouble(p *Point, probes []dispatch.Entry) error {
	room := len(probes) + 1
	array, err := p.arrays.Alloc(2 * room)
	if err != nil {
		return err // nothing has changed (M4)
	}
	fill(array[:room], probes)
	p.halves = halves{spare: array[room:]}
	return p.install(array, array[:room])
}

// flip publishes rest in the other half.
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
