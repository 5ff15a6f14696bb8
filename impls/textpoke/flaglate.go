package textpoke

import (
	"sync/atomic"

	"github.com/tpbench/tpbench/impls/internal/step"
)

// patching is what the guard in front of the trap handler looks at. Written under
// textMutex; guard_amd64.s reads it.
var patching atomic.Uint32

// flagLate is tx-T1: the trap handler claims traps only while a flag says that somebody is
// patching, and the flag is raised after the int3s. ftrace's modifying_ftrace_code was
// of this kind, a plain integer whose store nothing kept before the int3s.
//
//	CPU0, updater                        CPU1, reader
//	2. int3s
//	                                     traps
//	                                     handler: patching == 0, not ours
//	   patching = 1                      the runtime's handler: SIGTRAP, dead
//	   sync
func flagLate(changes []Change) error {
	textMutex.Lock()
	defer textMutex.Unlock()
	installGuard()
	return apply(changes, func(work []pokeWork) {
		writeInt3s(&work[0], len(work))
		step.At("textpoke: int3s written")
		patching.Store(1) // Deliberate bug (before 8a4d0a687a59 and its like): the int3s are out.
		syncCores()
		writeTails(&work[0], len(work))
		step.At("textpoke: tails written")
		syncCores()
		writeHeads(&work[0], len(work))
		step.At("textpoke: heads written")
		syncCores()
		patching.Store(0)
	})
}
