package harness

import (
	"math"

	"github.com/tpbench/tpbench/harness/clock"
)

const (
	canaryRepeats = 9
	canaryLoops   = 3000
	canaryChain   = 1000 // as many cycles, at imulCycles each
	imulCycles    = 3
	canaryMargin  = 1.15
)

// quiet reports whether the core is ours alone right now. A virtual CPU's neighbour on
// the same physical core shares its front end: for seconds at a time everything that
// is bound by fetching and decoding takes half as long again, nothing bound by
// latency does, and neither steal time nor context switches show it. So the
// canary compares one loop of each kind.
//
// The shortest of several readings of each loop counts. What a measured operation leaves
// behind (a CPU that slept, cold caches, a pending interrupt) lengthens one reading and
// is gone in the next; a neighbour lengthens all of them. It takes about 20 us.
func quiet() bool { return alone(readings()) }

// readings takes the canary's: of the empty loop and of the chain, in ticks.
func readings() (empty, chain uint64) {
	return shortest(
		func() uint64 {
			begin := clock.Start()
			emptyLoop(canaryLoops)
			return clock.Stop() - begin
		},
		func() uint64 {
			begin := clock.Start()
			imulChain(canaryChain)
			return clock.Stop() - begin
		})
}

// shortest reads each of two loops several times, in turn, and returns the shortest
// reading of each.
func shortest(a, b func() uint64) (leastA, leastB uint64) {
	leastA, leastB = math.MaxUint64, math.MaxUint64
	for range canaryRepeats {
		leastA, leastB = min(leastA, a()), min(leastB, b())
	}
	return leastA, leastB
}

// alone judges the canary's two readings, in ticks of one clock.
func alone(empty, chain uint64) bool {
	return float64(empty)*canaryChain*imulCycles < canaryMargin*float64(chain)*canaryLoops
}
