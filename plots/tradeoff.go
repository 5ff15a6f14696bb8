package plots

import (
	"slices"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// tradeoff charts what firing costs against what switching costs: a point for
// each strategy, x the time of one pass with one probe less the empty loop, y
// the time to disable all events with the kernel's grace period. It needs Disable, Firing
// with one probe by what the strategies fire through, and Firing's empty loop.
func tradeoff(run *results.Run, cat results.Catalog) (*Chart, error) {
	firing, _ := cat.Select(run.Samples, results.Firing).OneSetting("impl", "probes")
	all, setting := cat.Select(run.Samples, results.Disable, "gp="+cat.KernelGP).OneSetting("impl", "events")
	at, events := all.AtLargest("events")

	c := newChart(run, cat, at, "What firing costs, and what switching costs", setting)
	c.note = "Points: medians; bars: 95 % interval. Lower left is better. Logarithmic vertical axis."
	p := c.plot
	p.X.Label.Text = "one pass with one probe, without the loop (ns)"
	c.yLabel = "time to disable " + count(events) + " events"
	c.add(grid{x: true, y: true}, c.labels)
	var far float64
	var ys []float64
	strategies := cat.Sort(at)
	slices.SortStableFunc(strategies, func(a, b results.Group) int { // hollow marks on top
		return c.looks[a.Value].layer() - c.looks[b.Value].layer()
	})
	for _, impl := range strategies {
		i := cat.Index(impl.Value)
		if i == len(cat.Impls) {
			continue
		}
		pass := results.NetOfLoop(firing, firing.Select("", "impl="+cat.Impls[i].Fires, "probes=1"), cat)
		for i := range pass {
			pass[i].Value *= 1e9
		}
		x, y := stat.Summarize(stat.Collapse(pass)), stat.Summarize(impl.Samples.Values("sec/op"))
		if x.N == 0 || y.N == 0 {
			continue
		}
		l := c.looks[impl.Value]
		bars := draw.LineStyle{Color: l.color, Width: 1.25}
		if x.HasInterval() {
			c.add(bar{plotter.XY{X: x.Lo, Y: y.Center}, plotter.XY{X: x.Hi, Y: y.Center}, bars})
		}
		if y.HasInterval() {
			c.add(bar{plotter.XY{X: x.Center, Y: y.Lo}, plotter.XY{X: x.Center, Y: y.Hi}, bars})
		}
		median := plotter.XY{X: x.Center, Y: y.Center}
		c.add(marks{plotter.XYs{median}, l.point(), vg.Point{}})
		detail := results.Human(x.Center/1e9, "sec/op") + ",  " + results.Human(y.Center, "sec/op")
		c.label(median, l, detail)
		far, ys = max(far, x.Max), append(ys, impl.Samples.Values("sec/op")...)
	}
	p.X.Min, p.X.Max = 0, far*1.1
	p.X.Tick.Marker = plot.DefaultTicks{}
	if len(ys) > 0 {
		c.logAxis(&p.Y, c.what, "sec", ys)
	}
	name := cat.Name(results.Firing)
	return c.orMissing(cat.Name(results.Disable) + "/gp=" + cat.KernelGP + " for a strategy, or of " + name + "/probes=1 for its way to fire, or of " + name + "/impl=" + cat.EmptyLoop)
}
