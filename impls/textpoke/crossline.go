package textpoke

// crossLineStore writes a site in one store of eight bytes, the three behind it as they
// were. That is one store only within a cache line; across two it is two, and a fetch
// may come in between, far too seldom for any test but one that executes a lot.
//
//	CPU0, updater                        CPU1, reader
//	first line's part of the store
//	                                     fetches both lines: new head, old tail
//	second line's part
func crossLineStore(changes []Change) error {
	textMutex.Lock()
	defer textMutex.Unlock()
	return apply(changes, func(work []pokeWork) {
		writeTable(work)
		writeWords(&work[0], len(work)) // Deliberate bug (ours): wherever the site lies.
		syncCores()
	})
}
