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
			for _, c := range charts(nil, nil, sections) {
				if err := plots.Check(out, c.name); err != nil {
					return err
				}
			}
			err = measure(cmd, chosen, everything, seed, path)
			var lost lostError
			if err != nil && !errors.Is(err, context.Canceled) && !errors.As(err, &lost) {
				return err
			}
			// What an interrupted run, or one that lost samples, has measured is
			// shown, which may be nothing.
			shown := show(cmd.OutOrStdout(), path, out, sections, err == nil)
			var nothing *results.FormatError
			if err != nil && errors.As(shown, &nothing) {
				return err
			}
			return errors.Join(err, shown)
		},
	}
	f := cmd.Flags()
	f.IntVar(&events, "events", benches.DefaultEvents, "number of events to disable and enable")
	f.StringVar(&out, "out", "", "directory for results and charts (default tpbench-evidence-TIME)")
	f.Uint64Var(&seed, "seed", 0, "determines the order of the cases in each round (default random; the file names it)")
	f.BoolVar(&all, "all", false, "measure every part")
	return cmd
}

func everything(string) bool { return true }

// catalog returns for package results which implementations are busted, and the order to show them in.
func catalog() results.Catalog {
	var c results.Catalog
	for _, i := range benches.Impls() {
		if i.Family != "floor" {
			c = append(c, results.Entry{Name: i.Name, Busted: i.Status == impls.Busted})
		}
	}
	return c
}

// show prints a run's tables and draws its charts. Of a run that is not complete,
// what is missing is left out without a word: the run has said so.
func show(out io.Writer, path, dir string, sections []string, complete bool) (err error) {
	w := &checkedWriter{w: out}
	defer func() { err = cmp.Or(w.err, err) }()
	run, err := results.Open(path)
	if err != nil {
		return err
	}
	cat := catalog()
	for _, t := range results.EvidenceTables(run, cat) {
		if err := t.WriteText(w); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	for _, warning := range run.Warnings {
		fmt.Fprintln(w, warning)
	}
	if run.Superseded > 0 {
		fmt.Fprintf(w, "%d samples were taken again with the rest of their blocks, because a neighbour shared the core\n", run.Superseded)
	}
	for _, chart := range charts(run, cat, sections) {
		c, err := chart.draw()
		var missing *results.MissingError
		switch {
		case errors.As(err, &missing):
			if complete {
				fmt.Fprintf(w, "no chart %s: %v\n", chart.name, err)
			}
		case err != nil:
			return fmt.Errorf("chart %s: %w", chart.name, err)
		default:
			if err := plots.Save(c, dir, chart.name); err != nil {
				return err
			}
			fmt.Fprintf(w, "wrote %s.svg and .png\n", filepath.Join(dir, chart.name))
		}
	}
	fmt.Fprintf(w, "wrote %s\n", path)
	if !slices.Contains(sections, benches.MainSection) {
		return nil
	}
	sentence, err := results.Verdict(run)
	var missing *results.MissingError
	if errors.As(err, &missing) && !complete {
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s\n", sentence)
	return nil
}

// A chart is a file's name, the part of the evidence that it shows, and how it is drawn.
type chart struct {
	name, section string
	draw          func() (*plots.Chart, error)
}

// charts lists the charts of these sections.
func charts(run *results.Run, cat results.Catalog, sections []string) []chart {
	const gp = "kernelgp"
	all := []chart{
		{"disable-all", benches.MainSection, func() (*plots.Chart, error) { return plots.DisableAll(run, cat) }},
		{"scaling", benches.MainSection, func() (*plots.Chart, error) { return plots.Scaling(run, cat, gp) }},
		{"transitions", benches.MainSection, func() (*plots.Chart, error) { return plots.Transitions(run, cat, gp) }},
		{"tradeoff", benches.MainSection, func() (*plots.Chart, error) { return plots.Tradeoff(run, cat, gp, benches.DispatchOf) }},
		{"dispatch", benches.MainSection, func() (*plots.Chart, error) { return plots.DispatchProbes(run, cat) }},
		{"disturb", benches.MainSection, func() (*plots.Chart, error) { return plots.Disturb(run, cat, "memb") }},
		{"unregister", "unregister", func() (*plots.Chart, error) { return plots.Unregister(run, cat, gp) }},
		{"livepatch", "livepatch", func() (*plots.Chart, error) { return plots.Livepatch(run, cat) }},
		{"uprobe", "uprobe", func() (*plots.Chart, error) { return plots.Uprobe(run, cat) }},
		{"poke", "textpoke", func() (*plots.Chart, error) { return plots.Poke(run, cat) }},
	}
	return slices.DeleteFunc(all, func(c chart) bool { return !slices.Contains(sections, c.section) })
}
