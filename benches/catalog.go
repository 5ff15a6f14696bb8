package benches

import (
	"slices"
	"strings"

	"github.com/tpbench/tpbench/harness"
)

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
// better, and which are exact: they follow from what a strategy does, whatever the machine
// does meanwhile. Waits for grace periods are counted as exactly, but are not among them:
// a grace period of somebody else may have saved one.
func Units() []harness.Unit {
	exact := []string{"core-syncs/op", "ftrace-waits/op", "stores/op", "refused/op", "bytes-held", "bytes-compact"}
	higher := []string{"gp-elided/op", "stores/op", "executions/op", "transitions/op", "Mhits/s"}
	lower := []string{
		"ns/event", "ns/site", "gp-waits/op", "core-syncs/op", "ftrace-waits/op", "holds/op", "traps/op",
		"p50-ns", "p90-ns", "p99-ns", "p99.9-ns", "max-ns", "mistakes/op",
		"refused/op", "bytes-held", "bytes-compact",
		"ns/uprobe",
	}
	var units []harness.Unit
	for better, names := range map[string][]string{"higher": higher, "lower": lower} {
		for _, name := range names {
			units = append(units, harness.Unit{Name: name, Better: better, Exact: slices.Contains(exact, name)})
		}
	}
	slices.SortFunc(units, func(a, b harness.Unit) int { return strings.Compare(a.Name, b.Name) })
	return units
}
