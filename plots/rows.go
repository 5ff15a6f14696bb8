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

// rowsOf makes a row of each benchmark that has times, in the given order, and in the
// catalog's order of implementations where that leaves it open.
func rowsOf(ss results.Samples, cat results.Catalog, order func(a, b *results.Sample) int) []results.Group {
	rows := slices.DeleteFunc(ss.ByName(), func(g results.Group) bool { return len(g.Samples.Values("sec/op")) == 0 })
	slices.SortStableFunc(rows, func(a, b results.Group) int {
		x, y := &a.Samples[0], &b.Samples[0]
		return cmp.Or(order(x, y), cat.Index(x.Key("impl"))-cat.Index(y.Key("impl")))
	})
	return rows
}

// inOrder orders samples by a key whose values have this order.
func inOrder(key string, values ...string) func(a, b *results.Sample) int {
	return func(a, b *results.Sample) int {
		return slices.Index(values, a.Key(key)) - slices.Index(values, b.Key(key))
	}
}

// addRows draws the rows from the top down: the samples of each, and their median along
// a logarithmic axis of time. A row is named by its implementation and its part, with a gap
// where the part changes. Its label is the median, and what detail adds.
func (c *Chart) addRows(rows []results.Group, part func(*results.Sample) string, detail func(results.Samples) string) {
	if len(rows) == 0 {
		return
	}
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
		l := c.looks[s.Key("impl")]
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
	c.logAxis(&p.X, c.what, "sec", all)
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
