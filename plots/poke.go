package plots

import (
	"github.com/tpbench/tpbench/results"
	"gonum.org/v1/plot/vg"
)

// poke charts what patching costs a site against the number of sites in a batch, two
// lines for each way to patch: the other core executes the sites, or does nothing. It
// needs Patching in ns/site.
func poke(run *results.Run, cat results.Catalog) (*Chart, error) {
	executed := cat.Select(run.Samples, results.Patching, "beside=sites")
	idle := cat.Select(run.Samples, results.Patching, "beside=idle")
	c := newChart(run, cat, append(executed, idle...), "What it costs to patch one site, by the sites of a batch")
	c.note = "Both axes logarithmic. Dotted: the other core is idle; else it executes the sites."
	c.plot.X.Label.Text = "sites in a batch"
	c.yLabel = "time for one site"
	c.logX = "sites"
	lines := c.over("sites", "sec/site", executed, cat)
	for i := range lines {
		lines[i].name += ", executed"
	}
	for _, s := range c.over("sites", "sec/site", idle, cat) {
		s.name += ", idle"
		s.dashes = []vg.Length{1, 3}
		lines = append(lines, s)
	}
	for i := range lines {
		_, last := lines[i].last()
		lines[i].detail = results.Human(last.Center, "sec") + " a site"
	}
	c.addSeries(lines, "sec")
	return c.orMissing(cat.Name(results.Patching) + "/beside=sites or idle in ns/site")
}
