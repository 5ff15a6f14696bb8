package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/impls"
	"github.com/tpbench/tpbench/plots"
	"github.com/tpbench/tpbench/results"
)

func newEvidence() *cobra.Command {
	var (
		events int
		out    string
		seed   uint64
		all    bool
	)
	var parts strings.Builder
	for _, s := range benches.Sections() {
		fmt.Fprintf(&parts, "  %-12s%s\n", s.Name, s.Doc)
	}
	cmd := &cobra.Command{
		Use:   "evidence [PART...]",
		Short: "Measure all strategies in one run; print tables and a sentence to quote, draw charts",
		Long: `evidence measures all strategies in one run, in turn, and writes

  DIR/evidence.txt        every sample, in Go benchmark format
  DIR/*.svg, DIR/*.png    the charts

It measures these parts, or ` + benches.MainSection + ` if you name none:

` + parts.String() + `
With the DIR of an interrupted run, evidence measures what is missing.`,
		Example: `  tpbench evidence
  tpbench evidence --all --events 2305 --out whole-kernel
  tpbench evidence uprobe livepatch --out neighbours`,
		Args: func(_ *cobra.Command, args []string) error {
			if all && len(args) > 0 {
				return usagef("evidence takes names of parts or --all, not both")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, sections []string) error {
			if err := checkEvents(events); err != nil {
				return err
			}
			switch {
			case all:
				for _, s := range benches.Sections() {
					sections = append(sections, s.Name)
				}
			case len(sections) == 0:
				sections = []string{benches.MainSection}
			}
			chosen, err := benches.Evidence(events, sections...)
			if err != nil {
				return err
			}
			if out == "" {
				out = "tpbench-evidence-" + time.Now().UTC().Format("20060102-150405")
			}
			path := filepath.Join(out, "evidence.txt")
			for _, d := range charts(chosen) {
				if err := plots.Check(out, d.Name); err != nil {
					return err
				}
			}
			measured := measure(cmd, place{}, chosen, func(string) bool { return true }, seed, path)
			return showMeasured(measured, cmd.OutOrStdout(), path, out, chosen)
		},
	}
	f := cmd.Flags()
	f.IntVar(&events, "events", benches.DefaultEvents, "number of events to disable and enable")
	f.StringVar(&out, "out", "", "directory for results and charts (default tpbench-evidence-TIME)")
	f.Uint64Var(&seed, "seed", 0, "determines the order of the cases in each round (default random; the file names it)")
	f.BoolVar(&all, "all", false, "measure every part")
	return cmd
}

// showMeasured shows what a run has measured, also if it was interrupted or lost samples.
// Then it may have measured nothing, and the run's error says enough.
func showMeasured(err error, out io.Writer, path, dir string, chosen []benches.Chosen) error {
	if err != nil && !errors.Is(err, context.Canceled) && !is[lostError](err) {
		return err
	}
	shown := show(out, path, dir, chosen, err == nil)
	if err != nil && is[*results.FormatError](shown) {
		return err
	}
	return errors.Join(err, shown)
}

// catalog tells packages results and plots what a file does not say.
func catalog() results.Catalog {
	c := results.Catalog{
		EmptyLoop: benches.EmptyLoop, PlainCall: benches.PlainCall, Undisturbed: benches.Undisturbed, KernelGP: benches.KernelGP,
	}
	for _, i := range benches.Impls() {
		if i.Family != benches.FloorFamily {
			c.Impls = append(c.Impls, results.Impl{Name: i.Name, Busted: i.Status == impls.Busted, Fires: benches.DispatchOf(i.Name)})
		}
	}
	for _, b := range benches.Benchmarks() {
		for phase, name := range b.Names {
			listed := results.Benchmark{Name: name, Table: b.Table, Short: b.Short, Shown: b.Shown}
			if phase < len(b.Roles) {
				listed.Role = results.Role(b.Roles[phase])
			}
			if phase < len(b.Models) {
				listed.Model = b.Models[phase]
			}
			c.Benchmarks = append(c.Benchmarks, listed)
		}
	}
	return c
}

// hasRole reports whether a benchmark of the role was chosen.
func hasRole(chosen []benches.Chosen, r results.Role) bool {
	return slices.ContainsFunc(chosen, func(ch benches.Chosen) bool {
		return slices.ContainsFunc(ch.Cases, func(c benches.Case) bool {
			return slices.Contains(c.Benchmark.Roles, string(r))
		})
	})
}

// charts lists the charts of what was chosen.
func charts(chosen []benches.Chosen) []plots.Drawing {
	return slices.DeleteFunc(plots.Charts(), func(d plots.Drawing) bool { return !hasRole(chosen, d.Role) })
}

// show prints a run's tables and draws the charts of what was chosen. If a run is not
// complete, charts that lack samples are left out silently: the run has said so.
func show(out io.Writer, path, dir string, chosen []benches.Chosen, complete bool) (err error) {
	w := &checkedWriter{w: out}
	defer func() { err = cmp.Or(w.err, err) }()
	run, err := results.Open(path)
	if err != nil {
		return err
	}
	cat := catalog()
	for _, t := range results.EvidenceTables(run, cat) {
		fmt.Fprintln(w, t)
	}
	for _, warning := range run.Warnings {
		fmt.Fprintln(w, warning)
	}
	if run.Superseded > 0 {
		fmt.Fprintf(w, "%d samples were taken again with the rest of their blocks, because a neighbour shared the core\n", run.Superseded)
	}
	for _, d := range charts(chosen) {
		c, err := d.Draw(run, cat)
		switch {
		case is[*results.MissingError](err):
			if complete {
				fmt.Fprintf(w, "no chart %s: %v\n", d.Name, err)
			}
		case err != nil:
			return fmt.Errorf("chart %s: %w", d.Name, err)
		default:
			if err := plots.Save(c, dir, d.Name); err != nil {
				return err
			}
			fmt.Fprintf(w, "wrote %s.svg and .png\n", filepath.Join(dir, d.Name))
		}
	}
	fmt.Fprintf(w, "wrote %s\n", path)
	if !hasRole(chosen, results.Disable) {
		return nil
	}
	sentence, err := results.Verdict(run, cat)
	if is[*results.MissingError](err) && !complete {
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s\n", sentence)
	return nil
}
