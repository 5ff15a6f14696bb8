package harness

import "github.com/tpbench/tpbench/harness/clock"

const (
	canaryLoops  = 9000
	canaryChain  = 3000 // as many cycles, at imulCycles each
	imulCycles   = 3
	canaryMargin = 1.15
)

// quiet reports whether the core is ours alone right now. A virtual CPU's neighbour on
// the same physical core shares its front end: for seconds at a time everything that
// is bound by fetching and decoding takes half as long again, nothing bound by
// latency does, and neither steal time nor context switches show it. So the
// canary compares one loop of each kind. It takes about 5 us.
func quiet() bool {
	begin := clock.Start()
	emptyLoop(canaryLoops)
	empty := clock.Stop() - begin
	begin = clock.Start()
	imulChain(canaryChain)
	chain := clock.Stop() - begin
	return float64(empty)*canaryChain*imulCycles < canaryMargin*float64(chain)*canaryLoops
}
