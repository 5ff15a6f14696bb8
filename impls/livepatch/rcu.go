package livepatch

// rcuFlavour waits by synchronize_rcu. It does not wait for a CPU that RCU does not watch: one
// on the way into the idle loop, or into the kernel. Functions are patched there too, so a
// handler may run on that CPU (klp-L1):
//
//	CPU0, core                           CPU1, not watched by RCU
//	                                     Update: patched
//	                                     load: top, test: in transition
//	all tasks have switched sides
//	transition = false
//	wait (b): synchronize_rcu            // not watched, so quiescent
//	patch_state = idle
//	                                     side: patch_state is idle
//
// Deliberate bug (kernel/livepatch of v4.12; fixed by 842c08846420): the wrong flavour.
const rcuFlavour = "memb"
