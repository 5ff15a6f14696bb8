package benches

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/impls/torture"
	"github.com/tpbench/tpbench/impls/torture/all"
)

// tortureTime is how long a sample tries to break a strategy. It fills a column beside the
// times, from the same run. `tpbench torture` tries longer.
const tortureTime = 500 * time.Millisecond

const tortureName = "Torture"

// IsTorture reports whether a case's name is of the benchmark that tells whether a strategy is safe.
func IsTorture(name string) bool { return strings.HasPrefix(name, tortureName+"/") }

var tortureBench = Benchmark{
	Names: []string{tortureName},
	Doc:   "random transitions under a reader that is interrupted anywhere: does a strategy hold?",
	Roles: []string{"torture"},
	// Its flavour is found by trying, which not every start of tpbench must do: so it is asked for late.
	axes: []axis{
		implAxis(allStrategies, strategies),
		{"gp", func(Params) []string { return []string{torture.Flavour().Name} }},
		readersAxis(1),
	},
	fits:     func(k keys) bool { return k.num("readers") == 1 },
	hardware: wholly,
	check:    func(k keys) error { return tortured(k).Check() },
	ops:      always(1),
	untimed:  true, // that it broke must not be forgotten because a neighbour was there
	open: func(k keys, e *harness.Env) (*harness.Op, error) {
		s := tortured(k)
		var r torture.Report
		return &harness.Op{
			Run: func(int, harness.Timer) {
				var err error
				r, err = s.Torture(context.Background(), tortureOptions(e))
				must(err)
			},
			Values: func(int) []harness.Value { return tortureValues(r) },
		}, nil
	},
}

// tortureOptions has another seed in each round.
func tortureOptions(e *harness.Env) torture.Options {
	return torture.Options{For: tortureTime, Seed: uint64(e.Round) + 1, Beside: e.CPUs}
}

// tortureValues are what a sample reports.
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

// tortured is the subject of the strategy under the key impl.
func tortured(k keys) torture.Subject {
	subjects := all.Subjects()
	return subjects[slices.IndexFunc(subjects, func(s torture.Subject) bool {
		return s.Family == "tracepoint" && s.Name == k["impl"]
	})]
}
