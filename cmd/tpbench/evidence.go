package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
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
	)
	cmd := &cobra.Command{
		Use:   "evidence",
		Short: "Measure all strategies side by side; tables, a sentence to quote, a file, charts",
		Long: `evidence measures all strategies side by side in one interleaved run and writes

  DIR/evidence.txt        every sample, in Go benchmark format
  DIR/*.svg, DIR/*.png    the charts

A run that was cut off goes on where it stopped when DIR is named again.`,
		Example: `  tpbench evidence
  tpbench evidence --events 200 --out /tmp/quick
  tpbench evidence --events 2305 --out whole-kernel`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if events < 1 {
				return usagef("--events %d: expected 1 or more", events)
			}
			if out == "" {
				out = "tpbench-evidence-" + time.Now().UTC().Format("20060102-150405")
			}
			path := filepath.Join(out, "evidence.txt")
			if err := checkCharts(out); err != nil {
				return err
			}
			err := measure(cmd.Context(), cmd.ErrOrStderr(), benches.Evidence(events), everything, seed, path)
			if err != nil && !errors.Is(err, context.Canceled) {
				return err
			}
			// An interrupted run is shown as far as it got, which may be nowhere.
			shown := show(cmd.OutOrStdout(), path, out, err == nil)
			var nothing *results.FormatError
			if err != nil && errors.As(shown, &nothing) {
				return err
			}
			return errors.Join(err, shown)
		},
	}
	cmd.Flags().IntVar(&events, "events", benches.DefaultEvents, "number of events that are disabled and enabled")
	cmd.Flags().StringVar(&out, "out", "", "directory for results and charts (default tpbench-evidence-TIME)")
	cmd.Flags().Uint64Var(&seed, "seed", 0, "orders the cases within each round (default random; it is in the file)")
	return cmd
}

func everything(string) bool { return true }

// catalog tells package results what is busted, and in which order to show things.
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
func show(w io.Writer, path, dir string, complete bool) error {
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
	for _, chart := range charts(run, cat) {
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

// checkCharts reports a chart of an earlier run that cannot be written again. That new
// ones can be is shown by evidence.txt, beside them.
func checkCharts(dir string) error {
	for _, c := range charts(nil, nil) {
		for _, ending := range []string{".svg", ".png"} {
			f, err := os.OpenFile(filepath.Join(dir, c.name+ending), os.O_WRONLY, 0)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return fmt.Errorf("the charts cannot be written: %w", err)
			}
			if err := f.Close(); err != nil {
				return err
			}
		}
	}
	return nil
}

// A chart is a file's name and how it is drawn.
type chart struct {
	name string
	draw func() (*plots.Chart, error)
}

func charts(run *results.Run, cat results.Catalog) []chart {
	const gp = "kernelgp"
	return []chart{
		{"disable-all", func() (*plots.Chart, error) { return plots.DisableAll(run, cat) }},
		{"scaling", func() (*plots.Chart, error) { return plots.Scaling(run, cat, gp) }},
		{"transitions", func() (*plots.Chart, error) { return plots.Transitions(run, cat, gp) }},
		{"tradeoff", func() (*plots.Chart, error) { return plots.Tradeoff(run, cat, gp, benches.DispatchOf) }},
		{"dispatch", func() (*plots.Chart, error) { return plots.DispatchProbes(run, cat) }},
		{"disturb", func() (*plots.Chart, error) { return plots.Disturb(run, cat, "memb") }},
		{"unregister", func() (*plots.Chart, error) { return plots.Unregister(run, cat, gp) }},
		{"livepatch", func() (*plots.Chart, error) { return plots.Livepatch(run, cat) }},
		{"uprobe", func() (*plots.Chart, error) { return plots.Uprobe(run, cat) }},
		{"poke", func() (*plots.Chart, error) { return plots.Poke(run, cat) }},
	}
}
