package plots

import (
	"cmp"
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A label names a point of the data from the margin to the right of it.
type label struct {
	x, y         float64 // the point, in data units
	name, detail string
	color        color.Color
}

// labels are drawn in the margin as near to the height of their points as they
// can be without touching, and joined to them by a hairline.
type labels struct {
	all  []label
	size vg.Length // of the font
}

const labelGap = 14 // between data and labels

func (ls *labels) styles() (name, detail text.Style) {
	return bold(style(ls.size, ink, text.XLeft, text.YCenter)), style(0.9*ls.size, muted, text.XLeft, text.YCenter)
}

// label adds a label to the chart.
func (c *Chart) label(at plotter.XY, l look, detail string) {
	c.labels.all = append(c.labels.all, label{at.X, at.Y, l.name, detail, l.color})
	if detail != "" { // of nine labels with two lines, each fits with its letters at full size
		c.labels.size = min(c.labels.size, 10*9/vg.Length(len(c.labels.all)))
	}
}

// width is what the labels need beside the data.
func (ls *labels) width() (w vg.Length) {
	name, detail := ls.styles()
	for _, l := range ls.all {
		w = max(w, name.Width(l.name), detail.Width(l.detail))
	}
	return w + labelGap
}

// height is that of a label's one or two lines and the gap to the next label.
func (ls *labels) height(l label) vg.Length {
	if l.detail == "" {
		return 1.2 * ls.size
	}
	return 2.8 * ls.size
}

// Plot implements plot.Plotter.
func (ls *labels) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	sorted := slices.Clone(ls.all)
	slices.SortStableFunc(sorted, func(a, b label) int { return cmp.Compare(b.y, a.y) })
	heights, centres := make([]vg.Length, len(sorted)), make([]vg.Length, len(sorted))
	for i, l := range sorted {
		heights[i], centres[i] = ls.height(l), y(l.y)
	}
	at := spread(heights, centres, c.Min.Y, c.Max.Y)
	left := c.Max.X + labelGap
	for i, l := range sorted {
		hair := draw.LineStyle{Color: l.color, Width: 0.5}
		c.StrokeLines(hair, []vg.Point{{X: x(l.x) + ls.size/2, Y: y(l.y)}, {X: c.Max.X, Y: y(l.y)}, {X: left - 3, Y: at[i]}})
		name, detail := ls.styles()
		name.Color = l.color
		base := at[i] + ls.size/8 // YCenter centres the line, not its letters
		up := vg.Length(0)
		if l.detail != "" {
			up = 0.6 * ls.size
		}
		c.FillText(name, vg.Point{X: left, Y: base + up}, l.name)
		c.FillText(detail, vg.Point{X: left, Y: base - up}, l.detail)
	}
}

// spread moves the centres of boxes, given from the top down, by as little as makes them
// lie between bottom and top and not on each other. If there is no room for all, the
// uppermost lie above top.
func spread(heights, centres []vg.Length, bottom, top vg.Length) []vg.Length {
	at := slices.Clone(centres)
	for i, h := range heights { // down, where they would touch the one above
		at[i] = min(at[i], top-h/2)
		top = at[i] - h/2
	}
	for i, h := range slices.Backward(heights) { // and up again from the bottom
		at[i] = max(at[i], bottom+h/2)
		bottom = at[i] + h/2
	}
	return at
}
