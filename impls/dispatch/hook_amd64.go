//go:build linux && (steps || race)

package dispatch

import (
	"sync/atomic"

	"github.com/tpbench/tpbench/impls/internal/step"
)

//lint:file-ignore U1000 assembler refers to these

// hookOn, as const_hookOn, is what assembler asks for.
const hookOn = 1

func hookData()
func hookIterator()
func hookWalk()
func hookBound()
func hookAddress() uintptr

// dataLoaded is between R4 and R5: the site holds the first entry's data.
func dataLoaded(p *Point) {
	raceAcquire(p)
	step.At("site: data loaded")
}

// iteratorEntered is before the iterator reads tp->funcs again.
func iteratorEntered(*Point) { step.At("iterator: entered") }

// arrayLoaded is after that.
func arrayLoaded(p *Point) { raceAcquire(p) }

// boundEntered is in a thunk, before the probe. What the site has loaded is of no
// account there, so the edge for the race detector is bind's.
func boundEntered(*Point) {
	bound.Load()
	step.At("thunk: entered")
}

// throughHook adds to a thunk's code what hookBound needs, and returns where it is to
// jump: there.
func throughHook(code []byte, fn uintptr) ([]byte, uintptr) {
	return loadR10(code, fn), hookAddress()
}

// raceAcquire tells the race detector what the site's plain load means: what was done
// before the Publish that it saw happens before what its probes do. The detector
// sees that from an atomic load of the same word, made later than the site's.
func raceAcquire(p *Point) { atomic.LoadPointer(&p.funcs) }
