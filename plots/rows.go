package plots

import (
	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// addRows draws a row for each group, from the top down: its samples and their median along
// a logarithmic axis of time. A row is named by its implementation and its part, and set
// apart where that changes. Its label is the median, and what detail adds.
func (c *Chart) addRows(rows []results.Group, cat results.Catalog, part func(*results.Sample) string, detail func(results.Samples) string) error {
	p := c.plot
	c.labels.size = min(10, 190/vg.Length(len(rows))) // the rows share a fixed height
	p.Y.Tick.Label.Font.Size = c.labels.size
	below := vg.Point{Y: -0.75 * c.labels.size} // the median, which would cover the samples
	c.add(grid{x: true}, c.labels)
	var ticks plot.ConstantTicks
	var all []float64
	y := 0.0
	for i, g := range rows {
		s, times := &g.Samples[0], g.Samples.Values("sec/op")
		if i > 0 && part(s) != part(&rows[i-1].Samples[0]) {
			y -= 0.5
		}
		l := lookOf(cat, s.Key("impl"))
		ticks = append(ticks, plot.Tick{Value: y, Label: l.name + "  ·  " + part(s)})
		var pts plotter.XYs
		for _, v := range times {
			pts = append(pts, plotter.XY{X: v, Y: y})
		}
		all = append(all, times...)
		median := plotter.XY{X: stat.Summarize(times).Center, Y: y}
		point, dot := l.point(), l.dot()
		point.Radius *= c.labels.size / 10
		dot.Radius *= c.labels.size / 10
		c.add(marks{pts, dot, below}, marks{plotter.XYs{median}, point, vg.Point{}})
		l.name = results.Human(median.X, "sec/op") + detail(g.Samples)
		c.label(median, l, "")
		y--
	}
	p.Y.Tick.Marker = ticks
	p.Y.Min, p.Y.Max = y+0.2, 0.6
	return logAxis(&p.X, rows[0].Samples[0].Base, "sec", all)
}

// byKey parts rows by their values of a key.
func byKey(key string) func(*results.Sample) string {
	return func(s *results.Sample) string { return s.Key(key) }
}

// waited is how many grace periods the samples waited for, as a part of a label.
func waited(ss results.Samples) string {
	waits := ss.Values("gp-waits/op")
	if len(waits) == 0 {
		return ""
	}
	return ",  " + results.Human(stat.Summarize(waits).Center, "gp-waits/op") + " waited"
}
