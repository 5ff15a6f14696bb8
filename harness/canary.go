package harness

import (
	"math"

	"github.com/tpbench/tpbench/harness/clock"
)

const (
	canaryRepeats = 9    // readings of each loop
	canaryLoops   = 3000 // iterations of the empty loop, a cycle each
	canaryChain   = 1000 // multiplications, imulCycles each: as many cycles
	imulCycles    = 3
	canaryMargin  = 1.15 // by how much the empty loop may take longer than the chain
)

// quiet reports whether no neighbour uses this physical core now. Two threads on one core
// share its front end. So for seconds at a time, code bound by fetching and decoding takes
// half as long again, and code bound by latency takes no longer; neither steal time nor
// context switches show it. The canary compares one loop of each kind.
//
// The shortest of several readings of each loop counts. What the measured operation leaves
// behind (a CPU that slept, cold caches, a pending interrupt) makes one reading
// longer; a neighbour makes all of them longer. quiet takes about 20 us.
func quiet() bool { return alone(readings()) }

// canary returns quiet, or, for a clock that counts the instructions of a guest, a function that is always true: no
// neighbour can make instructions more.
func canary(virtual bool) func() bool {
	if virtual {
		return func() bool { return true }
	}
	return quiet
}

// readings returns how many ticks the empty loop and the chain of multiplications take.
func readings() (empty, chain uint64) {
	ticks := func(loop func(int), n int) func() uint64 {
		return func() uint64 {
			begin := clock.Start()
			loop(n)
			return clock.Stop() - begin
		}
	}
	return shortest(ticks(emptyLoop, canaryLoops), ticks(imulChain, canaryChain))
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

// alone judges two readings of the canary, in ticks of one clock.
func alone(empty, chain uint64) bool {
	return float64(empty)*canaryChain*imulCycles < canaryMargin*float64(chain)*canaryLoops
}
