package unregister

import (
	"sync/atomic"

	"github.com/tpbench/tpbench/impls/dispatch"
)

// stub keeps M4 by a function that does nothing. If the smaller array cannot be allocated, the
// removed probe's function is overwritten in the array that readers walk. Nothing else
// happens: no publish, no key, no static call, nothing is released. The next change that
// finds memory leaves the stubs out.
//
//	CPU0, updater                        CPU1, reader in the iterator
//	                                     fn = funcs[0].func        // A
//	-A: no memory
//	    funcs[0].func = stub
//	                                     d = funcs[0].data         // still A's: A(d_A)
//	synchronize                          // waits for CPU1
//	free d_A
//	                                     fn = funcs[0].func        // stub, which ignores d_A
//
// The stub takes no arguments. This is right where callers clean up the stack, but a control
// flow check sees a call of the wrong type. The cost is an indirect call for each dead entry
// until the next change.
var stub = Policy{
	Dead:   dispatch.Stub,
	add:    (*Point).replace,
	remove: replaceOrKill,
}

// replaceOrKill removes by a new array, or in place if there is no memory.
func replaceOrKill(p *Point, at int, rest []dispatch.Entry) error {
	if p.replace(rest) != nil {
		p.kill(at)
	}
	return nil
}

// kill overwrites the function of an entry that a reader may be at: the kernel's WRITE_ONCE. It
// pairs with the iterator's load of Entry_Fn, which finds the old function or the new one.
// The function is never zero in between. The data stays, because a reader loads it
// after the function.
func (p *Point) kill(at int) {
	atomic.StoreUintptr(&p.funcs[at].Fn, uintptr(p.policy.Dead()))
}
