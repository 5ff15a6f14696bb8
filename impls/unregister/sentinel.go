package unregister

import "github.com/tpbench/tpbench/impls/dispatch"

// sentinel keeps M4 as stub does, by a value that is no function: (void *)1. The iterator must
// compare every function with it before the call.
//
//	CPU0, updater                        CPU1, reader in the iterator
//	                                     fn = funcs[0].func        // loaded once,
//	-A: no memory
//	    funcs[0].func = 1
//	                                     fn == 1?                  // compared, and called:
//	                                     fn(funcs[0].data)         // A(d_A), never 1(d_A)
//
// Nothing is called with a wrong prototype. But every firing has the cost of one comparison for each
// probe, although removals without memory are rare.
var sentinel = Policy{
	Dispatch: dispatch.Dispatch{Sentinel: true},
	Dead:     func() dispatch.Func { return dispatch.Sentinel },
	add:      (*Point).replace,
	remove:   replaceOrKill,
}
