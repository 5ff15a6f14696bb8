package textpoke

import (
	"sync/atomic"

	"github.com/tpbench/tpbench/impls/internal/step"
)

// patching is the flag that the guard in front of the handler reads (guard_amd64.s): 1 means
// that a patch is under way. Written under textMutex.
var patching atomic.Uint32

// flagLate: the handler takes traps only while a flag says that a patch is under way, and the
// flag is set after the int3s (tx-T1). ftrace's modifying_ftrace_code was such a flag: a plain
// integer, and nothing kept its store before the int3s.
//
//	CPU0, updater                        CPU1, a thread that executes the site
//	2. int3s
//	                                     traps
//	                                     guard: patching is 0, a foreign trap
//	   patching = 1                      the runtime's handler: SIGTRAP, dies
//	   sync
func flagLate(work []pokeWork) {
	installGuard()
	writeInt3s(&work[0], len(work))
	step.At("textpoke: int3s written")
	patching.Store(1) // Deliberate bug (before 8a4d0a687a59 and similar fixes): the int3s are there already.
	syncCores()
	writeTails(&work[0], len(work))
	step.At("textpoke: tails written")
	syncCores()
	writeHeads(&work[0], len(work))
	step.At("textpoke: heads written")
	syncCores()
	patching.Store(0)
}
