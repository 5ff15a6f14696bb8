package benches

import (
	"context"
	"slices"
	"time"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls/torture"
)

// tortureTime is how long a sample tries to break a strategy. `tpbench torture` is the
// real thing; this is for a column beside the times, from the same run.
const tortureTime = 500 * time.Millisecond

var tortureBench = Benchmark{
	Names: []string{"Torture"},
	Doc:   "random transitions under a reader that is interrupted anywhere: does a strategy hold?",
	Roles: []string{"torture"},
	axes:  []axis{implAxis(anyStrategy, strategies), axisOf("gp", torture.Flavour), readersAxis(1)},
	fits:  func(k keys) bool { return k.num("readers") == 1 },
	check: func(k keys) error { return tortured(k).Check() },
	ops:   always(1),
	open: func(k keys, e *harness.Env) (*harness.Op, error) {
		s := tortured(k)
		var r torture.Report
		return &harness.Op{
			Run: func(int, harness.Timer) {
				var err error
				r, err = s.Torture(context.Background(), tortureOptions(e))
				must(err)
			},
			Values: func() []harness.Value { return tortureValues(r) },
		}, nil
	},
}

// tortureOptions draws other transitions in each round.
func tortureOptions(e *harness.Env) torture.Options {
	return torture.Options{For: tortureTime, Seed: uint64(e.Round) + 1, Beside: e.CPUs}
}

// tortureValues are what is reported of a torture.
func tortureValues(r torture.Report) []harness.Value {
	mistakes := 0.0
	if r.Failure != "" {
		mistakes = 1
	}
	return []harness.Value{
		{Unit: "executions/op", V: float64(r.Executions)},
		{Unit: "transitions/op", V: float64(r.Transitions)},
		{Unit: "mistakes/op", V: mistakes},
	}
}

// tortured is the subject that a strategy is.
func tortured(k keys) torture.Subject {
	all := torture.Subjects()
	return all[slices.IndexFunc(all, func(s torture.Subject) bool {
		return s.Family == "tracepoint" && s.Name == k["impl"]
	})]
}
