package plots

import (
	"cmp"
	"slices"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// DisableAll charts the time to disable all events for each strategy and
// grace-period flavour, at the largest number of events that most of them were
// run with; the label adds the grace periods waited. It needs DisableAll.
func DisableAll(run *results.Run, cat results.Catalog) (*Chart, error) {
	all, setting := run.Samples.Select("DisableAll").OneSetting("impl", "gp", "events")
	at, events := all.AtLargest("events")
	rows := at.ByName()
	rows = slices.DeleteFunc(rows, func(g results.Group) bool { return len(g.Samples.Values("sec/op")) == 0 })
	if len(rows) == 0 {
		return nil, missing(run, "DisableAll in ns/op")
	}
	slices.SortStableFunc(rows, func(a, b results.Group) int {
		x, y := &a.Samples[0], &b.Samples[0]
		return cmp.Or(cmp.Compare(x.Key("gp"), y.Key("gp")), cat.Index(x.Key("impl"))-cat.Index(y.Key("impl")))
	})

	c := newChart(run, at, "Time to disable "+count(events)+" events", setting)
	c.note = "Small dots: every sample; large: median. Logarithmic axis. Label: median and grace periods waited."
	p := c.plot
	p.X.Label.Text = "time to disable all events"
	c.labels.size = min(10, 190/vg.Length(len(rows))) // the rows share a fixed height
	p.Y.Tick.Label.Font.Size = c.labels.size
	below := vg.Point{Y: -0.75 * c.labels.size} // the median, which would cover the samples
	p.Add(grid{x: true}, c.labels)
	var ticks plot.ConstantTicks
	y := 0.0
	for i, g := range rows {
		s, times := &g.Samples[0], g.Samples.Values("sec/op")
		if i > 0 && s.Key("gp") != rows[i-1].Samples[0].Key("gp") {
			y -= 0.5
		}
		l := lookOf(cat, s.Key("impl"))
		ticks = append(ticks, plot.Tick{Value: y, Label: l.name + "  ·  " + s.Key("gp")})
		var pts plotter.XYs
		for _, v := range times {
			pts = append(pts, plotter.XY{X: v, Y: y})
		}
		median := plotter.XY{X: stat.Summarize(times).Center, Y: y}
		point, dot := l.point(), l.dot()
		point.Radius *= c.labels.size / 10
		dot.Radius *= c.labels.size / 10
		p.Add(marks{pts, dot, below}, marks{plotter.XYs{median}, point, vg.Point{}})
		l.name = results.Human(median.X, "sec/op")
		if waits := g.Samples.Values("gp-waits/op"); len(waits) > 0 {
			l.name += ",  " + results.Human(stat.Summarize(waits).Center, "gp-waits/op") + " waited"
		}
		c.label(median, l, "")
		y--
	}
	p.Y.Tick.Marker = ticks
	p.Y.Min, p.Y.Max = y+0.2, 0.6
	if err := logAxis(&p.X, "DisableAll", "sec", at.Values("sec/op")); err != nil {
		return nil, err
	}
	return c, nil
}
