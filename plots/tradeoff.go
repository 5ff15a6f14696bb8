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

// Tradeoff charts what firing costs against what switching costs: a point for
// each strategy, x the time of one pass with one probe less the empty loop, y
// the time to disable all events under one flavour. dispatchOf names the
// Dispatch implementation that a strategy fires through, or "". It needs
// DisableAll/gp=<gp>, Dispatch/probes=1 and Dispatch/impl=nothing.
func Tradeoff(run *results.Run, cat results.Catalog, gp string, dispatchOf func(strategy string) string) (*Chart, error) {
	dispatch, _ := run.Samples.Select("Dispatch").OneSetting("impl", "probes")
	if len(dispatch.Select("", "impl=nothing")) == 0 {
		return nil, missing(run, "Dispatch/impl=nothing")
	}
	all, setting := run.Samples.Select("DisableAll", "gp="+gp).OneSetting("impl", "events")
	at, events := all.AtLargest("events")

	c := newChart(run, at, "What firing costs, and what switching costs", setting)
	c.note = "Points: medians; bars: 95 % interval. Lower left is better. Logarithmic vertical axis."
	p := c.plot
	p.X.Label.Text = "one pass with one probe, without the loop (ns)"
	c.yLabel = "time to disable " + count(events) + " events"
	c.add(grid{x: true, y: true}, c.labels)
	var far float64
	var ys []float64
	impls := cat.Sort(at)
	slices.SortStableFunc(impls, func(a, b results.Group) int { // hollow marks on top
		return lookOf(cat, a.Value).layer() - lookOf(cat, b.Value).layer()
	})
	for _, impl := range impls {
		pass := results.NetOfLoop(dispatch, dispatch.Select("", "impl="+dispatchOf(impl.Value), "probes=1"))
		for i := range pass {
			pass[i].Value *= 1e9
		}
		x, y := stat.Summarize(stat.Collapse(pass)), stat.Summarize(impl.Samples.Values("sec/op"))
		if x.N == 0 || y.N == 0 {
			continue
		}
		l := lookOf(cat, impl.Value)
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
	if len(c.labels.all) == 0 {
		return nil, missing(run, "DisableAll/gp="+gp+" for a strategy whose dispatch has Dispatch/probes=1")
	}
	p.X.Min, p.X.Max = 0, far*1.1
	p.X.Tick.Marker = plot.DefaultTicks{}
	if err := logAxis(&p.Y, "DisableAll", "sec", ys); err != nil {
		return nil, err
	}
	return c, nil
}
