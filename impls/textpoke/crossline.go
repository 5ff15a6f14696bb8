package textpoke

// crossLineStore writes a site by one store of eight bytes (tx-T5), and leaves the three bytes after
// the site as they were. Other CPUs see that as one store only within a cache line. Across two
// lines they see two stores, and a fetch may come in between. That is rare: only a test with
// very many executions finds it.
//
//	CPU0, updater                        CPU1, a thread that executes the site
//	the part in the first line
//	                                     fetches both lines: new head, old tail
//	the part in the second line
func crossLineStore(work []pokeWork) {
	writeTable(work)
	writeWords(&work[0], len(work)) // Deliberate bug (ours): also for a site across two lines.
	syncCores()
}
