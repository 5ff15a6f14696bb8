package textpoke

import "github.com/tpbench/tpbench/impls/internal/step"

// tornHeadFirst writes no int3, but the new head and then the new tail (tx-T3). The syncs do
// not help: between them, other threads can fetch the site.
//
//	CPU0, updater                        CPU1, a thread that executes the site
//	new head; sync
//	                                     executes it with the old tail
//	new tail; sync
func tornHeadFirst(work []pokeWork) {
	writeTable(work)
	writeHeads(&work[0], len(work)) // Deliberate bug (what int3s are for): the tails are still old.
	step.At("textpoke: heads written")
	syncCores()
	writeTails(&work[0], len(work))
	step.At("textpoke: tails written")
	syncCores()
}
