package livepatch

// rudeFlavour waits by a work item on every CPU. The item runs on a CPU only when no handler
// does, whether RCU watches the CPU or not:
//
//	CPU0, core                           CPU1, not watched by RCU
//	                                     Update: patched
//	                                     load: top, test: in transition
//	all tasks have switched sides
//	transition = false
//	wait (b): schedule_on_each_cpu       // waits for CPU1
//	                                     side: patch_state is patched
//	                                     leave
//	patch_state = idle
const rudeFlavour = "rude"
