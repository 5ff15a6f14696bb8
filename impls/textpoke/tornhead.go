package textpoke

import "github.com/tpbench/tpbench/impls/internal/step"

// tornHeadFirst is tx-T3: no int3, first byte first. The syncs do not help: between them
// everybody is free to fetch.
//
//	CPU0, updater                        CPU1, reader
//	first byte of the new; sync
//	                                     executes it with the old tail
//	tail of the new; sync
func tornHeadFirst(changes []Change) error {
	textMutex.Lock()
	defer textMutex.Unlock()
	return apply(changes, func(work []pokeWork) {
		writeTable(work)
		writeHeads(&work[0], len(work)) // Deliberate bug (what int3s are for): the tails are still the old ones.
		step.At("textpoke: heads written")
		syncCores()
		writeTails(&work[0], len(work))
		step.At("textpoke: tails written")
		syncCores()
	})
}
