package plots

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/tpbench/tpbench/results"
	"golang.org/x/perf/benchunit"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// logTicks marks 1, 2, ... 9 of every decade and labels the decades; on an axis
// of less than two decades also 2 and 5.
type logTicks struct{ unit string } // "sec" or ""

func (t logTicks) Ticks(lo, hi float64) []plot.Tick {
	var ticks []plot.Tick
	short := hi/lo < 100
	for exp := math.Floor(math.Log10(lo)); exp <= math.Ceil(math.Log10(hi)); exp++ {
		for m := 1.0; m <= 9; m++ {
			tick := plot.Tick{Value: m * math.Pow(10, exp)}
			if tick.Value < lo || tick.Value > hi {
				continue
			}
			if m == 1 || short && (m == 2 || m == 5) {
				tick.Label = tickLabel(tick.Value, t.unit)
			}
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

// tickLabel prints a round number: 1 ms, 10,000, 0.5.
func tickLabel(v float64, unit string) string {
	if unit == "" && v < 1 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	if unit == "" {
		return results.Human(math.Round(v), "")
	}
	s := benchunit.CommonScale([]float64{v}, benchunit.Decimal)
	return strconv.FormatFloat(v/s.Factor, 'g', 3, 64) + " " + s.Prefix + "s"
}

// logAxis makes an axis logarithmic over the values, with some space at both ends; what
// names them. A value of zero makes the chart fail: a logarithmic axis has no place for it.
func (c *Chart) logAxis(a *plot.Axis, what, unit string, values []float64) {
	lo, hi := math.Inf(1), 0.0
	for _, v := range values {
		lo, hi = min(lo, v), max(hi, v)
	}
	if lo <= 0 {
		c.fail(fmt.Errorf("plots: %s has a value of %v, which a logarithmic axis cannot show", what, lo))
		return
	}
	a.Scale, a.Tick.Marker = plot.LogScale{}, logTicks{unit}
	a.Min, a.Max = lo/1.5, hi*1.5
}

// tickEach marks each x of the lines on the horizontal axis. It returns the largest.
func (c *Chart) tickEach(lines []series) (far float64) {
	values := xs(lines)
	slices.Sort(values)
	var ticks plot.ConstantTicks
	for _, x := range slices.Compact(values) {
		ticks = append(ticks, plot.Tick{Value: x, Label: tickLabel(x, "")})
		far = x
	}
	c.plot.X.Tick.Marker = ticks
	return far
}

// grid draws a hairline at every labelled tick of the given axes.
type grid struct{ x, y bool }

// Plot implements plot.Plotter.
func (g grid) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	hair := draw.LineStyle{Color: faint, Width: 0.5}
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		if g.x && !t.IsMinor() {
			c.StrokeLine2(hair, x(t.Value), c.Min.Y, x(t.Value), c.Max.Y)
		}
	}
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if g.y && !t.IsMinor() {
			c.StrokeLine2(hair, c.Min.X, y(t.Value), c.Max.X, y(t.Value))
		}
	}
}

// marks draws a glyph at each point, or beside it.
type marks struct {
	plotter.XYs
	draw.GlyphStyle
	beside vg.Point
}

// Plot implements plot.Plotter. Unlike plotter.Scatter it does not clip at the
// edge, where half of a point would be missing.
func (m marks) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, pt := range m.XYs {
		c.DrawGlyphNoClip(m.GlyphStyle, vg.Point{X: x(pt.X), Y: y(pt.Y)}.Add(m.beside))
	}
}

// bar draws a straight line between two points of the data.
type bar struct {
	from, to plotter.XY
	draw.LineStyle
}

// Plot implements plot.Plotter.
func (b bar) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	c.StrokeLine2(b.LineStyle, x(b.from.X), y(b.from.Y), x(b.to.X), y(b.to.Y))
}

// count prints a key's number for reading: 1,000.
func count(s string) string {
	if n, err := strconv.Atoi(s); err == nil {
		return results.Human(float64(n), "")
	}
	return s
}
