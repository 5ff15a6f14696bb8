//go:build linux && (steps || race)

package dispatch

import (
	"sync/atomic"

	"github.com/tpbench/tpbench/impls/internal/step"
)

//lint:file-ignore U1000 assembler refers to these

// hookOn says to assembler, as const_hookOn, that this build has hooks.
const hookOn = 1

func hookData()
func hookIterator()
func hookWalk()
func hookBound()
func hookAddress() uintptr

// dataLoaded runs between "load data" and "call": the site has the first entry's data.
func dataLoaded(p *Point) {
	raceAcquire(p)
	step.At("site: data loaded")
}

// iteratorEntered runs before the iterator loads tp->funcs.
func iteratorEntered(*Point) { step.At("iterator: entered") }

// arrayLoaded runs after that.
func arrayLoaded(p *Point) { raceAcquire(p) }

// boundEntered runs in a thunk, before the probe. The data loaded by the site is ignored
// there, so for the race detector the probe comes after bind.
func boundEntered(*Point) {
	bound.Load()
	step.At("thunk: entered")
}

// throughHook appends to a thunk's code what hookBound needs, and returns the address to which
// the thunk is to jump: hookBound's.
func throughHook(code []byte, fn uintptr) ([]byte, uintptr) {
	return loadR10(code, fn), hookAddress()
}

// raceAcquire tells the race detector that the site's plain load pairs with Publish: what
// happens before the Publish also happens before what the probes do. The detector learns it
// from an atomic load of the same word, which comes after the site's load.
func raceAcquire(p *Point) { atomic.LoadPointer(&p.funcs) }
