//go:build steps

package textpoke

import "sync/atomic"

//lint:file-ignore U1000 assembler refers to these

// stepOn, as const_stepOn, is what assembler asks for.
const stepOn = 1

// A schedule point in the trap handlers, where no Go code can run: hold_amd64.h.
var (
	holdTraps  atomic.Uint32 // threads that trap are to stay where they are
	trapsBegun atomic.Uint32 // threads that have trapped
)
