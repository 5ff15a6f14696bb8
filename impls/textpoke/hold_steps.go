//go:build steps

package textpoke

import "sync/atomic"

//lint:file-ignore U1000 assembler refers to these

// stepOn: assembler tests whether const_stepOn is defined.
const stepOn = 1

// A schedule point in the trap handlers, where no Go code can run: hold_amd64.h.
var (
	holdTraps  atomic.Uint32 // not 0: threads that have trapped spin in the handler
	trapsBegun atomic.Uint32 // traps that have reached a handler
)
