package tracepoint

import "github.com/tpbench/tpbench/impls/dispatch"

// bound removes the hazard instead of waiting for it to pass. The static call goes to a thunk
// that is made for one registration: it loads that registration's data and jumps to its
// function. One patch changes both. The data loaded by the site is ignored.
//
// The invariant: every target of a static call calls functions with their own data. A thunk
// does because of how it is made (dispatch's D5), the iterator because it reads both from one
// entry. So no transition has to wait, and publish and the patch of the call may come in
// either order.
//
//	CPU0, updater                        CPU1, reader in a site
//	                                     load data: d = p[0].data      // A's data
//	1->0 remove A
//	0->1 add B: static call = B's thunk
//	                                     call: static call(d)          // B with B's data
//
// What remains is freeing. A's thunk and array are freed after a grace period that begins when
// neither the call nor the array leads to them:
//
//  1. 0->1: the call leaves the last thunk before the key opens and before the array is
//     published. A reader that passed the key long ago and enters its read section only
//     now finds NULL, or the new array and the new call. It never finds the old thunk.
//  2. 1->2: the patch that makes the call go to the iterator leaves the thunk.
//  3. 2->1: there was no thunk before.
//  4. 1->0: the key closes, and NULL is published. A reader that enters its read section later
//     loads NULL and leaves, so the call may keep its target until 0->1. By then the
//     target is a freed slot. The next thunk of this tracepoint gets another slot
//     (Registry.target), since otherwise 0->1 would patch nothing and sync no CPU.
var bound = Policy{
	Dispatch: dispatch.Dispatch{Bound: true},

	ZeroToOne:    []Step{callFirst, publish, keyEnable},
	OneToTwo:     []Step{callIterator, publish},
	NToNPlusOne:  []Step{publish},
	NToNMinusOne: []Step{publish},
	TwoToOne:     []Step{publish, callFirst},
	OneToZero:    []Step{keyDisable, publish},
}
