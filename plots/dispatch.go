package plots

import (
	"github.com/tpbench/tpbench/results"
)

// dispatchProbes charts the time of one pass over a site against the number of
// probes on it, a line for each implementation, floors included. It needs
// Firing.
func dispatchProbes(run *results.Run, cat results.Catalog) (*Chart, error) {
	all, setting := cat.Select(run.Samples, results.Firing).OneSetting("impl", "probes")
	c := newChart(run, cat, all, "Time to fire a site, by the probes on it", setting)
	c.note = "Logarithmic vertical axis, so the loop around the site is not subtracted: \"" + cat.EmptyLoop + "\" is that loop alone."
	c.plot.X.Label.Text = "probes on the site (0 = disabled)"
	c.yLabel = "one pass, loop included"
	lines := c.over("probes", "sec/op", all, cat)
	for i := range lines {
		x, last := lines[i].last()
		lines[i].detail = results.Human(last.Center, "sec/op") + " at " + plural(int(x), "probe")
	}
	c.addSeries(lines, "sec")
	c.tickEach(lines)
	far := 0.0
	for _, x := range xs(lines) {
		far = max(far, x)
	}
	c.plot.X.Min, c.plot.X.Max = -0.25, far+0.25
	return c.orMissing(cat.Name(results.Firing) + " in ns/op")
}
