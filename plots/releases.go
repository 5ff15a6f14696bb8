package plots

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// This file draws the chart release by release: a panel for each operation, with its time and what it waited for in
// each release.

// A History is what a run does not say of the releases in it.
type History struct {
	Arms  []string // the values of the key arm, in their order
	Again string   // that of the first arm, measured once more, or ""
	Steps []Step   // those that were called slower or faster
}

// A Step is a release that was called slower or faster than the one before it.
type Step struct {
	Name  string // of the benchmark, without the key arm
	Arm   string
	Ratio float64 // of the times, above 1 if it is slower
}

// labelled reports whether a chart has room for the step's ratio. One that does not exist has none.
func (s Step) labelled() bool {
	return s.Ratio >= 1+leastLabel || s.Ratio > 0 && s.Ratio <= 1-leastLabel
}

// leastLabel is the least change, as a share, that a chart says in numbers.
const leastLabel = 0.1

// countRows are what a panel says above its points: how often the operation waited for a grace period, and how often
// it interrupted all CPUs.
var countRows = []struct{ name, unit string }{{"waits", "gp-waits/op"}, {"syncs", "core-syncs/op"}}

// ByRelease draws a panel for each operation that has times in two releases or more, with the samples that the catalog
// shows, or with all where none of a benchmark is shown.
func ByRelease(run *results.Run, cat results.Catalog, h History) (*Chart, error) {
	var shown results.Samples
	for _, base := range bases(run.Samples) {
		of := cat.Shown(run.Samples, base)
		if len(of) == 0 { // only settings were measured that a chart of all leaves out
			of = run.Samples.Select(base)
		}
		shown = append(shown, of...)
	}
	shown = slices.DeleteFunc(shown, func(s results.Sample) bool {
		_, timed := s.Value("sec/op")
		return !timed || !slices.Contains(h.Arms, s.Key("arm")) && s.Key("arm") != h.Again
	})
	emulator := ""
	if version := run.Get("qemu"); version != "" {
		emulator = "QEMU " + version
	}
	c := newChart(run, cat, shown, "Time of one operation, release by release"+clock(run), emulator)
	for _, samples := range operations(shown, cat) {
		if p := newPanel(samples, h); p.points() > 1 {
			c.panels = append(c.panels, p)
		}
	}
	if len(c.panels) == 0 {
		return nil, &results.MissingError{Path: run.Path, What: "a benchmark with a time in two of the releases " + strings.Join(h.Arms, ", ")}
	}
	band := "95 % interval"
	if slices.ContainsFunc(c.panels, (*panel).few) {
		band = "range (few have no interval)"
	}
	c.note = "Median, " + band + "; grey: the first again. Triangle: slower (filled), faster (hollow) than the one before; from 10 % on in numbers. Above: counts."
	return c, nil
}

// clock says what the run's times count.
func clock(run *results.Run) string {
	switch kind := run.Get(results.TimeFact); kind {
	case "":
		return ""
	case results.VirtualTime:
		return ", in virtual time: instructions, 1 ns each"
	default:
		return ", in " + kind + " time"
	}
}

// bases returns the names of the samples' benchmarks, each once.
func bases(ss results.Samples) (names []string) {
	for _, s := range ss {
		if !slices.Contains(names, s.Base) {
			names = append(names, s.Base)
		}
	}
	return names
}

// operations parts samples by their names without the arm, in the catalog's order.
func operations(ss results.Samples, cat results.Catalog) []results.Samples {
	of := map[string]results.Samples{}
	for _, s := range ss {
		name := s.Except("arm")
		of[name] = append(of[name], s)
	}
	index := func(ss results.Samples) int {
		if i := slices.IndexFunc(cat.Benchmarks, func(b results.Benchmark) bool { return b.Name == ss[0].Base }); i >= 0 {
			return i
		}
		return len(cat.Benchmarks)
	}
	return slices.SortedFunc(maps.Values(of), func(a, b results.Samples) int {
		return cmp.Or(index(a)-index(b), results.Natural(a[0].Except("arm"), b[0].Except("arm")))
	})
}

// A panel is one operation in all releases. It is a plotter: x is the number of the release.
type panel struct {
	name   string
	arms   []string
	there  []stat.Summary       // in each release; N is 0 where it was not measured
	again  stat.Summary         // of the first release, once more
	counts map[string][]float64 // by unit: the mean of each release, or NaN
	steps  map[int]Step         // by the number of the release
}

func newPanel(ss results.Samples, h History) *panel {
	p := &panel{name: ss[0].Except("arm"), arms: h.Arms, counts: map[string][]float64{}, steps: map[int]Step{}}
	for i, arm := range h.Arms {
		samples := ss.Select("", "arm="+arm)
		p.there = append(p.there, stat.Summarize(samples.Values("sec/op")))
		for _, row := range countRows {
			p.counts[row.unit] = append(p.counts[row.unit], stat.Mean(samples.Values(row.unit)))
		}
		for _, s := range h.Steps {
			if s.Name == p.name && s.Arm == arm {
				p.steps[i] = s
			}
		}
	}
	p.again = stat.Summarize(ss.Select("", "arm="+h.Again).Values("sec/op"))
	return p
}

// points is the number of releases in which the operation was measured.
func (p *panel) points() int {
	n := 0
	for _, s := range p.there {
		if s.N > 0 {
			n++
		}
	}
	return n
}

// few reports whether a release has too few samples for an interval.
func (p *panel) few() bool {
	return slices.ContainsFunc(p.there, func(s stat.Summary) bool { return s.N > 0 && !s.HasInterval() })
}

// bounds are the 95 % interval of a median, or of few samples the range.
func bounds(s stat.Summary) (lo, hi float64) {
	if s.HasInterval() {
		return s.Lo, s.Hi
	}
	return s.Min, s.Max
}

// Sizes of a panel.
const (
	panelFont   = 7
	panelHeight = 1.55 * vg.Inch
	panelTop    = 32 // above the data: the name, and the rows of counts
	mostColumns = 3
)

// axes returns the axes of the panel. The vertical one begins at 0, unless the times differ so much that only a
// logarithmic one shows them all.
func (p *panel) axes(labels bool) *plot.Plot {
	const far = 6
	plt := plot.New()
	plt.BackgroundColor = nil
	lo, hi := math.Inf(1), 0.0
	var ticks plot.ConstantTicks
	for i, name := range results.ShortArms(p.arms) {
		if !labels {
			name = ""
		}
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: name})
	}
	for _, s := range append(slices.Clone(p.there), p.again) {
		if s.N > 0 {
			from, to := bounds(s)
			lo, hi = min(lo, from), max(hi, to)
		}
	}
	for _, axis := range []*plot.Axis{&plt.X, &plt.Y} {
		axis.Color, axis.Tick.Color = faint, faint
		axis.Tick.Label = style(panelFont, ink, axis.Tick.Label.XAlign, axis.Tick.Label.YAlign)
		axis.Tick.Length, axis.Padding = 3, 0
	}
	plt.X.Tick.Marker = ticks
	plt.X.Tick.Label.Rotation, plt.X.Tick.Label.XAlign, plt.X.Tick.Label.YAlign = math.Pi/4, text.XRight, text.YCenter
	plt.X.Min, plt.X.Max = -0.5, float64(len(p.arms))-0.5
	if lo > 0 && hi/lo > far {
		plt.Y.Scale, plt.Y.Tick.Marker = plot.LogScale{}, logTicks{"sec"}
		plt.Y.Min, plt.Y.Max = lo/1.5, hi*math.Pow(hi/lo, 0.35)
	} else {
		plt.Y.Tick.Marker = timeTicks{}
		plt.Y.Min, plt.Y.Max = 0, hi*1.5
	}
	plt.Add(grid{y: true}, p)
	return plt
}

// timeTicks are few ticks of a linear axis of time.
type timeTicks struct{}

// Ticks implements plot.Ticker.
func (timeTicks) Ticks(lo, hi float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(lo, hi)
	for i, t := range ticks {
		switch {
		case t.IsMinor():
		case t.Value == 0:
			ticks[i].Label = "0"
		default:
			ticks[i].Label = tickLabel(t.Value, "sec")
		}
	}
	return ticks
}

// Plot implements plot.Plotter.
func (p *panel) Plot(c draw.Canvas, plt *plot.Plot) {
	x, y := plt.Transforms(&c)
	line := draw.LineStyle{Color: palette[0], Width: 1.25}
	at := func(i int, v float64) vg.Point { return vg.Point{X: x(float64(i)), Y: y(v)} }
	if p.again.N > 0 {
		lo, hi := bounds(p.again)
		grey := draw.LineStyle{Color: greys[1], Width: 1.25}
		beside := vg.Point{X: 5}
		c.StrokeLines(grey, []vg.Point{at(0, lo).Add(beside), at(0, hi).Add(beside)})
		c.DrawGlyphNoClip(draw.GlyphStyle{Color: greys[1], Radius: 2, Shape: draw.RingGlyph{}}, at(0, p.again.Center).Add(beside))
	}
	for i, s := range p.there {
		lo, hi := bounds(s)
		switch {
		case s.N == 0:
			c.FillText(style(panelFont, muted, text.XCenter, text.YBottom), vg.Point{X: x(float64(i)), Y: c.Min.Y + 2}, "–")
			continue
		case i > 0 && p.there[i-1].N > 0:
			before := p.there[i-1]
			from, to := bounds(before)
			c.FillPolygon(mix(palette[0], paper, 0.75), []vg.Point{at(i-1, from), at(i-1, to), at(i, hi), at(i, lo)})
		}
		c.StrokeLines(line, []vg.Point{at(i, lo), at(i, hi)})
	}
	for i, s := range p.there {
		if i > 0 && s.N > 0 && p.there[i-1].N > 0 {
			c.StrokeLines(line, []vg.Point{at(i-1, p.there[i-1].Center), at(i, s.Center)})
		}
	}
	raised := false // the label before
	for i, s := range p.there {
		if s.N == 0 {
			continue
		}
		step, called := p.steps[i]
		if !called {
			c.DrawGlyphNoClip(draw.GlyphStyle{Color: palette[0], Radius: 2, Shape: draw.CircleGlyph{}}, at(i, s.Center))
			continue
		}
		mark, word, beside := draw.GlyphStyle{Color: palette[1], Radius: 4, Shape: draw.PyramidGlyph{}}, text.XCenter, vg.Point{Y: 5}
		if step.Ratio < 1 { // the line comes from above
			mark, word, beside = draw.GlyphStyle{Color: palette[3], Radius: 4, Shape: downward{}}, text.XLeft, vg.Point{X: 2, Y: 4}
		}
		c.DrawGlyphNoClip(mark, at(i, s.Center))
		if !step.labelled() {
			continue
		}
		if raised = !raised && p.steps[i-1].labelled(); raised { // or it would be on that one
			beside.Y += panelFont + 1
		}
		c.FillText(style(panelFont, mark.Color, word, text.YBottom), at(i, s.Center).Add(beside), percent(step.Ratio))
	}
	p.above(c, x)
}

// above draws the panel's name, and below it the counts of each release.
func (p *panel) above(c draw.Canvas, x func(float64) vg.Length) {
	top := c.Max.Y + panelTop
	c.FillText(bold(style(panelFont+1, ink, text.XLeft, text.YTop)), vg.Point{X: c.Min.X, Y: top}, strings.ReplaceAll(p.name, "/", "  "))
	row := c.Max.Y + 4
	for _, counted := range slices.Backward(countRows) {
		counts := p.counts[counted.unit]
		if !slices.ContainsFunc(counts, func(v float64) bool { return v > 0 }) {
			continue
		}
		c.FillText(style(panelFont-0.5, muted, text.XRight, text.YBottom), vg.Point{X: c.Min.X - 2, Y: row}, counted.name)
		for i, v := range counts {
			if !math.IsNaN(v) {
				c.FillText(style(panelFont-0.5, ink, text.XCenter, text.YBottom), vg.Point{X: x(float64(i)), Y: row}, short(v))
			}
		}
		row += panelFont + 2
	}
}

// short prints a count in three digits.
func short(v float64) string {
	switch {
	case v >= 9995:
		return strconv.FormatFloat(v/1000, 'f', 0, 64) + "k"
	case v == math.Trunc(v) || v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}

// percent words a ratio: +38 %, or 2.1x if it is above 2 or below 1/2.
func percent(ratio float64) string {
	if ratio > 2 || ratio < 0.5 {
		return results.Factor(ratio) + "x"
	}
	return fmt.Sprintf("%+.3g %%", 100*(ratio-1))
}

// downward is a hollow triangle that stands on its point.
type downward struct{}

func (downward) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	const cos30 = 0.866
	half := s.Radius * cos30
	corners := []vg.Point{{X: at.X, Y: at.Y - s.Radius}, {X: at.X - half, Y: at.Y + s.Radius/2}, {X: at.X + half, Y: at.Y + s.Radius/2}}
	c.FillPolygon(paper, corners)
	c.StrokeLines(draw.LineStyle{Color: s.Color, Width: 1.25}, append(corners, corners[0], corners[1]))
}

// drawPanels draws the panels in rows. The releases are named below the lowest of each column.
func (c *Chart) drawPanels(dc draw.Canvas) {
	columns := min(mostColumns, len(c.panels))
	rows := (len(c.panels) + columns - 1) / columns
	plots := make([][]*plot.Plot, rows)
	for i, p := range c.panels {
		plots[i/columns] = append(plots[i/columns], p.axes(i+columns >= len(c.panels)))
	}
	for len(plots[rows-1]) < columns {
		plots[rows-1] = append(plots[rows-1], nil)
	}
	tiles := draw.Tiles{Cols: columns, Rows: rows, PadX: 14, PadY: panelTop + 8, PadTop: panelTop}
	for i, row := range plot.Align(plots, tiles, dc) {
		for j, tile := range row {
			if plots[i][j] != nil {
				plots[i][j].Draw(tile)
			}
		}
	}
}
