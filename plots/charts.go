package plots

import "github.com/tpbench/tpbench/results"

// A Drawing is a chart that can be drawn of a run.
type Drawing struct {
	Name string       // of its files
	Role results.Role // of the benchmarks that it shows

	// Draw draws it. Its error is a *results.MissingError if the run lacks what it shows.
	Draw func(*results.Run, results.Catalog) (*Chart, error)
}

// Charts lists the charts, in the order to show them.
func Charts() []Drawing {
	return []Drawing{
		{"disable-all", results.Disable, disableAll},
		{"scaling", results.Disable, scaling},
		{"transitions", results.Transition, transitions},
		{"tradeoff", results.Disable, tradeoff},
		{"dispatch", results.Firing, dispatchProbes},
		{"disturb", results.ReaderLatency, disturb},
		{"unregister", results.Removal, unregister},
		{"livepatch", results.FunctionTransition, livepatch},
		{"uprobe", results.UprobeHit, uprobe},
		{"poke", results.Patching, poke},
	}
}
