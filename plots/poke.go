package plots

import (
	"fmt"
	"strconv"

	"github.com/tpbench/tpbench/results"
	"gonum.org/v1/plot/vg"
)

// Poke charts what patching costs a site against the number of sites in a batch, two
// lines for each way to patch: the other core executes the sites, or does nothing. It
// needs Poke in ns/site, with sites and beside.
func Poke(run *results.Run, cat results.Catalog) (*Chart, error) {
	var all results.Samples
	var lines []series
	for _, beside := range []struct {
		value, name string
		dashes      []vg.Length
	}{{"sites", "executed", nil}, {"idle", "idle", []vg.Length{1, 3}}} {
		ss := run.Samples.Select("Poke", "beside="+beside.value)
		all = append(all, ss...)
		for _, impl := range cat.Sort(ss) {
			s := series{look: lookOf(cat, impl.Value)}
			s.name += ", " + beside.name
			if beside.dashes != nil {
				s.dashes = beside.dashes
			}
			for _, g := range impl.Samples.GroupBy("sites") {
				sites, err := strconv.ParseFloat(g.Value, 64)
				if err != nil {
					return nil, fmt.Errorf("plots: %s: sites=%s is no number", g.Samples[0].Name, g.Value)
				}
				s.add(sites, g.Samples.Pairs("sec/site"))
			}
			if n := len(s.xs); n > 0 {
				s.detail = results.Human(s.summaries[n-1].Center, "sec") + " a site"
				lines = append(lines, s)
			}
		}
	}
	if len(lines) == 0 {
		return nil, missing(run, "Poke/beside=sites or idle in ns/site")
	}

	c := newChart(run, all, "What it costs to patch one site, by the sites of a batch")
	c.note = "Both axes logarithmic. Dotted: the other core is idle; else it executes the sites."
	c.plot.X.Label.Text = "sites in a batch"
	c.yLabel = "time for one site"
	var xs []float64
	for _, s := range lines {
		xs = append(xs, s.xs...)
	}
	if err := logAxis(&c.plot.X, "sites", "", xs); err != nil {
		return nil, err
	}
	if err := logAxis(&c.plot.Y, "Poke", "sec", values(lines)); err != nil {
		return nil, err
	}
	c.addSeries(lines)
	return c, nil
}
