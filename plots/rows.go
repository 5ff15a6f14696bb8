package plots

import (
	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// addRows draws a row for each benchmark, with time to the right: its samples, their
// median, and what the updater waited for as the label. A gap stands between rows of
// different parts; name words a row, given its implementation's name.
func (c *Chart) addRows(rows []results.Group, cat results.Catalog, part func(*results.Sample) string, name func(s *results.Sample, impl string) string) {
	p := c.plot
	c.labels.size = min(10, 190/vg.Length(len(rows))) // the rows share a fixed height
	p.Y.Tick.Label.Font.Size = c.labels.size
	below := vg.Point{Y: -0.75 * c.labels.size} // the median, which would cover the samples
	p.Add(grid{x: true}, c.labels)
	var ticks plot.ConstantTicks
	y := 0.0
	for i, g := range rows {
		s, times := &g.Samples[0], g.Samples.Values("sec/op")
		if i > 0 && part(s) != part(&rows[i-1].Samples[0]) {
			y -= 0.5
		}
		l := lookOf(cat, s.Key("impl"))
		ticks = append(ticks, plot.Tick{Value: y, Label: name(s, l.name)})
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
}
