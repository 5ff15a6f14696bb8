package textpoke

// flagGuarded: as flagLate, but the flag is set in time, before the int3s. It is cleared when
// the last sync has returned (tx-T2). In the kernel that sync waits for handlers, which run
// with interrupts off; membarrier does not wait for a signal in flight.
//
//	CPU0, updater                        CPU1, a thread that executes the site
//	   patching = 1
//	2. int3s; sync
//	                                     traps; the kernel prepares the signal
//	3. tails; sync
//	4. heads; sync
//	   patching = 0
//	                                     guard: patching is 0, a foreign trap
//	                                     the runtime's handler: SIGTRAP, dies
func flagGuarded(work []pokeWork) {
	installGuard()
	patching.Store(1)
	int3Batch(work)
	patching.Store(0) // Deliberate bug (ours; docs/adr/0001): signals may be in flight.
}
