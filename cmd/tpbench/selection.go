package main

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/impls"
)

// A selection is the flags that select benchmarks and their parameters.
type selection struct {
	bench string
	benches.Params
}

func (c *selection) flags(f *pflag.FlagSet) {
	f.StringVar(&c.bench, "bench", "", "benchmarks whose name (such as DisableAll) matches this regular expression")
	f.StringSliceVar(&c.Impls, "impl", nil, "names of implementations (default all)")
	f.StringSliceVar(&c.GPs, "gp", nil, "names of grace-period flavours (default all)")
	f.IntSliceVar(&c.Events, "events", nil, "numbers of events (default 1000; for Disturb 256)")
	f.IntSliceVar(&c.Readers, "readers", nil, "numbers of threads that fire sites meanwhile (default depends on the benchmark)")
	f.IntSliceVar(&c.CPUs, "cpus", nil, "numbers of CPUs that hit uprobes at the same time (default 1 and 2)")
}

// selectionFlags are the flags of a selection.
var selectionFlags = []string{"bench", "impl", "gp", "events", "readers", "cpus"}

// orGate returns the cases that the flags select, or the gate family if no flag is given.
func (c *selection) orGate(cmd *cobra.Command) ([]benches.Chosen, func(string) bool, error) {
	for _, flag := range selectionFlags {
		if cmd.Flags().Changed(flag) {
			return c.choose(cmd)
		}
	}
	return []benches.Chosen{{Cases: benches.Gate()}}, func(string) bool { return true }, nil
}

// choose returns the cases that the flags select, and whether the name of a benchmark is selected.
func (c *selection) choose(cmd *cobra.Command) ([]benches.Chosen, func(string) bool, error) {
	bench, p := c.bench, c.Params
	pattern, err := regexp.Compile(bench)
	if err != nil {
		return nil, nil, usagef("--bench %q: %v", bench, err)
	}
	for flag, names := range map[string][]string{"impl": p.Impls, "gp": p.GPs} {
		if cmd.Flags().Changed(flag) && len(names) == 0 {
			return nil, nil, usagef("--%s: expected names, with commas between them", flag)
		}
	}
	for _, n := range p.Events {
		if err := checkEvents(n); err != nil {
			return nil, nil, err
		}
	}
	for _, n := range p.Readers {
		if n < 0 {
			return nil, nil, usagef("--readers %d: expected 0 or more", n)
		}
	}
	for _, n := range p.CPUs {
		if n < 1 {
			return nil, nil, usagef("--cpus %d: expected 1 or more", n)
		}
	}
	p.Events, p.Readers, p.CPUs = distinct(p.Events), distinct(p.Readers), distinct(p.CPUs)
	if err := cmp.Or(known("implementation", false, p.Impls), known("grace-period flavour", true, p.GPs)); err != nil {
		return nil, nil, err
	}
	return chooseNames(bench, p, func(b *benches.Benchmark, name string) bool { return b.Asked(name, pattern) })
}

// chooseNames returns the cases of the benchmarks that one asks for, and whether the name of one is asked for.
// It gives the error that nothing is called so.
func chooseNames(bench string, p benches.Params, asked func(b *benches.Benchmark, name string) bool) ([]benches.Chosen, func(string) bool, error) {
	var names, wanted []string
	var chosen []benches.Chosen
	for _, b := range benches.Benchmarks() {
		names = append(names, b.Names...)
		these := slices.DeleteFunc(slices.Clone(b.Names), func(name string) bool { return !asked(b, name) })
		if len(these) > 0 {
			wanted = append(wanted, these...)
			chosen = append(chosen, benches.Chosen{Cases: b.Cases(p)})
		}
	}
	if len(chosen) == 0 {
		return nil, nil, &impls.UnknownError{Kind: "benchmark", Name: bench, Nearest: impls.Nearest(bench, names)}
	}
	return chosen, func(name string) bool {
		base, _, _ := strings.Cut(name, "/")
		return slices.Contains(wanted, base)
	}, nil
}

// distinct sorts numbers and keeps one of each; nil stays nil.
func distinct(numbers []int) []int {
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// known returns an error for a name that no flavour has, or that no other implementation has.
func known(kind string, flavours bool, names []string) error {
	var have []string
	for _, i := range benches.Impls() {
		if (i.Family == benches.FlavourFamily) == flavours {
			have = append(have, i.Name)
		}
	}
	for _, n := range names {
		if !slices.Contains(have, n) {
			return &impls.UnknownError{Kind: kind, Name: n, Nearest: impls.Nearest(n, have)}
		}
	}
	return nil
}
