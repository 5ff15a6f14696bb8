package textpoke

// flagGuarded is tx-T2: as flagLate, but the flag is raised in time, and taken down when the
// last sync has returned. In the kernel that sync waits for handlers, which run with
// interrupts off; membarrier does not wait for a signal on its way.
//
//	CPU0, updater                        CPU1, reader
//	   patching = 1
//	2. int3s; sync
//	                                     traps; the kernel prepares the signal
//	3. tails; sync
//	4. heads; sync
//	   patching = 0
//	                                     handler: patching == 0, not ours
//	                                     the runtime's handler: SIGTRAP, dead
func flagGuarded(changes []Change) error {
	textMutex.Lock()
	defer textMutex.Unlock()
	installGuard()
	return apply(changes, func(work []pokeWork) {
		patching.Store(1)
		throughInt3s(work)
		patching.Store(0) // Deliberate bug (ours; docs/adr/0001): traps may still arrive.
	})
}
