package textpoke

import "github.com/tpbench/tpbench/impls/internal/step"

// tornTailFirst is tx-T3 the other way round: no int3, tail first. It is what an
// instruction "almost" patched atomically by its opcode comes to.
//
//	CPU0, updater                        CPU1, reader
//	tail of the new; sync
//	                                     executes it with the old first byte
//	first byte of the new; sync
func tornTailFirst(changes []Change) error {
	textMutex.Lock()
	defer textMutex.Unlock()
	return apply(changes, func(work []pokeWork) {
		writeTable(work)
		writeTails(&work[0], len(work)) // Deliberate bug (what int3s are for): the first bytes are still the old ones.
		step.At("textpoke: tails written")
		syncCores()
		writeHeads(&work[0], len(work))
		step.At("textpoke: heads written")
		syncCores()
	})
}
