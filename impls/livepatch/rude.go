package livepatch

import "github.com/tpbench/tpbench/impls/rcu"

// waitRude waits by a work item on every CPU, which runs only when a handler there is
// over, watched or not:
//
//	CPU0, core                           CPU1, not watched by RCU
//	                                     Update: patched
//	                                     top = func_stack, in transition
//	all tasks have flipped
//	transition = false
//	schedule_on_each_cpu                 // waits for CPU1
//	                                     patch_state: patched
//	patch_state = idle
func waitRude(o rcu.Options) *rcu.Domain { return flavour("rude")(o) }
