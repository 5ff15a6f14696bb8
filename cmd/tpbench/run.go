package main

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/impls"
)

func newRun() *cobra.Command {
	var (
		bench  string
		p      benches.Params
		rounds int
		out    string
		seed   uint64
	)
	cmd := &cobra.Command{
		Use:   "run -o FILE",
		Short: "Measure the benchmarks and implementations you choose, to a file",
		Long: `run measures the benchmarks and implementations you choose, and writes every sample to
FILE in Go benchmark format. It works in rounds: each round takes one sample of every
case that is due, in an order that the seed determines. Each sample is taken by a new process.

If FILE was left by an interrupted run with the same flags, run measures what is missing.`,
		Example: `  tpbench run --bench 'Dispatch|DisableAll' --impl naive-sync,rcu-cond-sync --events 200 --rounds 10 -o a.txt
  tpbench run --bench GracePeriod --gp memb,qsbr --readers 1 -o gp.txt
  tpbench run --bench Poke --impl int3-batch -o poke.txt`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			chosen, wanted, err := choose(cmd, bench, p, rounds)
			if err != nil {
				return err
			}
			if out == "" {
				return usagef("run needs -o FILE, the file to write the results to")
			}
			return measure(cmd, chosen, wanted, seed, out)
		},
	}
	f := cmd.Flags()
	f.StringVar(&bench, "bench", ".", "benchmarks whose name (such as DisableAll) matches this regular expression")
	f.StringSliceVar(&p.Impls, "impl", nil, "names of implementations (default all)")
	f.StringSliceVar(&p.GPs, "gp", nil, "names of grace-period flavours (default all)")
	f.IntSliceVar(&p.Events, "events", nil, "numbers of events (default 1000; for Disturb 256)")
	f.IntSliceVar(&p.Readers, "readers", nil, "numbers of threads that fire sites meanwhile (default depends on the benchmark)")
	f.IntSliceVar(&p.CPUs, "cpus", nil, "numbers of CPUs that hit uprobes at the same time (default 1 and 2)")
	f.IntVar(&rounds, "rounds", 10, "samples of each case; rounded up to a multiple of 4 where a loop exists at 4 alignments; below 6 a median has no 95 % interval")
	f.StringVarP(&out, "output", "o", "", "file to write the results to")
	f.Uint64Var(&seed, "seed", 0, "determines the order of the cases in each round (default random; the file names it)")
	return cmd
}

// mostRounds bounds a run: more samples give no better interval.
const mostRounds = 10_000

// choose turns flags into cases.
func choose(cmd *cobra.Command, bench string, p benches.Params, rounds int) ([]benches.Chosen, func(string) bool, error) {
	pattern, err := regexp.Compile(bench)
	if err != nil {
		return nil, nil, usagef("--bench %q: %v", bench, err)
	}
	if rounds < 1 || rounds > mostRounds {
		return nil, nil, usagef("--rounds %d: expected 1 to %d", rounds, mostRounds)
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
	var names []string
	var chosen []benches.Chosen
	for _, b := range benches.Benchmarks() {
		names = append(names, b.Names...)
		if slices.ContainsFunc(b.Names, pattern.MatchString) {
			chosen = append(chosen, benches.Chosen{Cases: b.Cases(p), Rounds: rounds})
		}
	}
	if len(chosen) == 0 {
		return nil, nil, &impls.UnknownError{Kind: "benchmark", Name: bench, Nearest: impls.Nearest(bench, names)}
	}
	wanted := func(name string) bool {
		base, _, _ := strings.Cut(name, "/")
		return pattern.MatchString(base)
	}
	return chosen, wanted, nil
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
