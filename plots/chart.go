package plots

import (
	"cmp"
	"strings"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Every chart has one size, but for those with panels: 9 x 5.5 inches, 1296 x 792 pixels.
const (
	width  = 9 * vg.Inch
	height = 5.5 * vg.Inch
	dpi    = 144
)

// height is the chart's: with panels it grows with their rows.
func (c *Chart) height() vg.Length {
	if len(c.panels) == 0 {
		return height
	}
	rows := (len(c.panels) + mostColumns - 1) / mostColumns
	return vg.Length(rows)*panelHeight + 1.4*vg.Inch
}

// A Chart is a plot with its title and facts above, a note below, and labels to
// the right of the data.
type Chart struct {
	path, what      string     // the run's file, and one of the benchmarks that the chart shows
	plot            *plot.Plot // its axes
	drawn           []plot.Plotter
	title, subtitle string
	yLabel          string // above the axis, where it reads without turning
	note            string
	labels          *labels
	panels          []*panel // in place of the axes, or none

	looks map[string]look // by implementation
	logX  string          // the key that a logarithmic horizontal axis has; "" for another axis

	// err is the first thing that went wrong. It is returned by orMissing.
	err error
}

// orMissing returns the chart when it is complete, or why there is none: the first error, or
// a *results.MissingError about what it lacks if nothing was drawn.
func (c *Chart) orMissing(what string) (*Chart, error) {
	if c.err != nil {
		return nil, c.err
	}
	if len(c.labels.all) == 0 {
		return nil, &results.MissingError{Path: c.path, What: what}
	}
	return c, nil
}

// fail keeps the first error.
func (c *Chart) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// add puts plotters over those that are drawn already.
func (c *Chart) add(ps ...plot.Plotter) { c.drawn = append(c.drawn, ps...) }

// newChart starts a chart: what is fixed and where it was measured go below the
// title.
func newChart(run *results.Run, cat results.Catalog, ss results.Samples, title string, setting ...string) *Chart {
	var facts []string
	for _, f := range append(setting, run.Host(), gracePeriod(run, cat, ss), rounds(ss)) {
		if f != "" {
			facts = append(facts, f)
		}
	}
	c := &Chart{path: run.Path, plot: plot.New(), title: title, subtitle: strings.Join(facts, "  ·  "), labels: &labels{size: 10}, looks: looksOf(cat, ss)}
	if len(ss) > 0 {
		c.what = ss[0].Base
	}
	for _, axis := range []*plot.Axis{&c.plot.X, &c.plot.Y} {
		axis.Color, axis.Tick.Color = faint, faint
		for _, s := range []*text.Style{&axis.Tick.Label, &axis.Label.TextStyle} {
			*s = style(10, ink, s.XAlign, s.YAlign)
		}
		axis.Label.Padding = 6
		axis.Tick.Length = 4
		axis.Padding = 0
	}
	return c
}

// gracePeriod says how long the kernel's grace period was in the run, beside as many
// readers as the chart's samples had.
func gracePeriod(run *results.Run, cat results.Catalog, ss results.Samples) string {
	readers := ""
	if len(ss) > 0 {
		readers = ss[0].Key("readers")
	}
	alone := run.GracePeriod(cat, cat.KernelGP, cmp.Or(readers, "0"))
	if len(alone) == 0 {
		return ""
	}
	return "kernel grace period " + results.Human(stat.Summarize(alone.Values("sec/op")).Center, "sec/op")
}

// rounds says how many rounds the benchmarks of a chart were measured in.
func rounds(ss results.Samples) string {
	if len(ss) == 0 {
		return ""
	}
	least, most := ss.Rounds(), 0
	for _, g := range ss.ByName() {
		least, most = min(least, g.Samples.Rounds()), max(most, g.Samples.Rounds())
	}
	if least < most {
		return results.Human(float64(least), "") + " to " + plural(most, "round")
	}
	return plural(most, "round")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return results.Human(float64(n), "") + " " + noun + "s"
}

// Draw draws the chart to fill the canvas.
func (c *Chart) Draw(dc draw.Canvas) {
	const margin = 16
	dc.SetColor(paper)
	dc.Fill(dc.Rectangle.Path())
	top := vg.Point{X: dc.Min.X + margin, Y: dc.Max.Y - margin}
	dc.FillText(bold(style(14, ink, text.XLeft, text.YTop)), top, c.title)
	dc.FillText(style(9, muted, text.XLeft, text.YTop), vg.Point{X: top.X, Y: top.Y - 20}, c.subtitle)
	dc.FillText(style(9, muted, text.XLeft, text.YBottom), vg.Point{X: top.X, Y: dc.Min.Y + margin - 6}, c.note)
	dc.FillText(style(10, ink, text.XLeft, text.YTop), vg.Point{X: top.X, Y: top.Y - 42}, c.yLabel)
	above := vg.Length(60)
	if c.yLabel == "" {
		above = 40
	}
	if len(c.panels) > 0 {
		c.drawPanels(draw.Crop(dc, margin, -margin, 2.5*margin, -margin-above))
		return
	}
	p := *c.plot // Draw may be called again, and Add only adds
	p.BackgroundColor = nil
	p.Add(c.drawn...)
	p.Draw(draw.Crop(dc, margin, -margin-c.labels.width(), 2*margin, -margin-above))
}
