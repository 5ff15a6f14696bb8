package livepatch

import "github.com/tpbench/tpbench/impls/rcu"

// waitRCU waits by synchronize_rcu, which takes a CPU that RCU does not watch for
// quiescent: on the way into idle, or into the kernel, where functions are patched like
// any others. Such a handler is overlooked (klp-L1):
//
//	CPU0, core                           CPU1, not watched by RCU
//	                                     Update: patched
//	                                     top = func_stack, in transition
//	all tasks have flipped
//	transition = false
//	synchronize_rcu                      // not watched: quiescent
//	patch_state = idle
//	                                     patch_state: idle?
//
// Deliberate bug (kernel/livepatch of v4.12; fixed by 842c08846420): the wrong flavour.
func waitRCU(o rcu.Options) *rcu.Domain { return flavour("memb")(o) }
