package benches

import "github.com/tpbench/tpbench/harness"

// Families lists every benchmark.
func Families() []*Family {
	return []*Family{
		&dispatchFamily,
		&bulkFamily,
		&churnFamily,
		&pingPongFamily,
		&shrinkFamily,
		&disturbFamily,
		&unregisterFamily,
		&stubbedFamily,
		&tortureFamily,
		&gracePeriodFamily,
		&readSideFamily,
		&pokeFamily,
		&livepatchFamily,
		&transitionFamily,
		&uprobeHitFamily,
		&uprobeRegisterFamily,
	}
}

// Units says of every unit that is not the Go benchmark format's own which way is
// better.
func Units() []harness.Unit {
	lower := []string{
		"ns/event", "ns/site", "gp-waits/op", "core-syncs/op", "ftrace-waits/op", "holds/op", "traps/op",
		"p50-ns", "p90-ns", "p99-ns", "p99.9-ns", "max-ns", "mistakes/op",
		"refused/op", "bytes-held", "bytes-compact",
		"ns/uprobe",
	}
	units := []harness.Unit{
		{Name: "gp-elided/op", Better: "higher"},
		{Name: "stores/op", Better: "higher"},
		{Name: "executions/op", Better: "higher"},
		{Name: "transitions/op", Better: "higher"},
		{Name: "Mhits/s", Better: "higher"},
	}
	for _, u := range lower {
		units = append(units, harness.Unit{Name: u, Better: "lower"})
	}
	return units
}
