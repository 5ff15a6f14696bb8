package tracepoint

import "github.com/tpbench/tpbench/impls/dispatch"

// bound takes the hazard away in place of waiting for it. The static call goes to a thunk,
// made for this one registration, that loads its data and jumps to its function: one
// patch changes both. What the site has loaded at R4 is of no account.
//
// The invariant: whatever the static call's target is, it calls functions with their own
// data. For a thunk by its making (dispatch's D5), for the iterator by its walk. Hence
// nothing has to be waited for in any transition, and publish and the patch of the call
// may come in either order.
//
//	CPU0, updater                        CPU1, reader in a site
//	                                     R4 d = p[0].data         // A's data
//	1->0 remove A
//	0->1 add B: static call = B's thunk
//	                                     R5 static call(d)        // B with B's data
//
// What is left is freeing. A's thunk and array go after a grace period that begins when
// neither call nor array leads to them any more:
//
//  1. 0->1: the call leaves the last thunk before the key opens and before the array is
//     published. A reader that got past the key long ago and enters its section only
//     now finds NULL, or the new array and the new call: never the old thunk.
//  2. 1->2: the call leaves the thunk, in the patch of the iterator.
//  3. 2->1: there was no thunk before.
//  4. 1->0: the key closes, and NULL is published. Whoever enters a section after that
//     leaves at R3, so that the call may keep its target until 1. That is a freed slot by
//     then, and the next thunk of this tracepoint goes into another (Registry.target):
//     else 1 would have nothing to patch, and nobody would sync.
var bound = Policy{
	Dispatch: dispatch.Dispatch{Bound: true},

	ZeroToOne: []Step{
		callFirst,
		publish,
		keyEnable,
	},
	OneToTwo: []Step{
		callIterator,
		publish,
	},
	NToNPlusOne: []Step{
		publish,
	},
	NToNMinusOne: []Step{
		publish,
	},
	TwoToOne: []Step{
		publish,
		callFirst,
	},
	OneToZero: []Step{
		keyDisable,
		publish,
	},
}
