package textpoke

import "github.com/tpbench/tpbench/impls/internal/step"

// tornTailFirst writes no int3, but the new tail and then the new head (tx-T3). The store of
// the head is atomic, but the tail has been visible before it.
//
//	CPU0, updater                        CPU1, a thread that executes the site
//	new tail; sync
//	                                     executes it with the old head
//	new head; sync
func tornTailFirst(work []pokeWork) {
	writeTable(work)
	writeTails(&work[0], len(work)) // Deliberate bug (what int3s are for): the heads are still old.
	step.At("textpoke: tails written")
	syncCores()
	writeHeads(&work[0], len(work))
	step.At("textpoke: heads written")
	syncCores()
}
