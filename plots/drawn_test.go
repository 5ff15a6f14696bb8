package plots

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"

	"github.com/tpbench/tpbench/results"
)

// If this fails, a chart hands something else to the plotter than its golden text says. The
// golden images may show no difference: an interval of theirs, for example, happens to end at
// the largest sample.
//
// What is right follows from testdata/made.txt. A benchmark has the samples 1*base, 2*base ...
// 12*base. Their median is 6.5*base and, by the tables of the sign test, its 95 % interval is
// from 3*base to 10*base. With 5 samples the median is 3*base, and there is no interval.
func TestDrawn(t *testing.T) {
	run := made(t)
	for name, draw := range charts {
		c, err := draw(run)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name+"_golden.txt", []byte(describe(c)), bytes.Equal)
	}
}

// made makes the run of testdata/made.txt.
func made(t *testing.T) *results.Run {
	t.Helper()
	var text strings.Builder
	for round := range 12 {
		k := (round*7+3)%12 + 1
		for line := range strings.Lines(string(read(t, "testdata/made.txt"))) {
			line, few := strings.CutPrefix(line, "[few] ")
			if few && k > 5 {
				continue
			}
			line = strings.ReplaceAll(line, "ROUND", strconv.Itoa(round))
			line = regexp.MustCompile(`LAYOUT\[(.*)\]`).ReplaceAllStringFunc(line, func(s string) string {
				return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("LAYOUT[ ]", r) })[round%4]
			})
			line = regexp.MustCompile(` \*[0-9.]+`).ReplaceAllStringFunc(line, func(s string) string {
				base, err := strconv.ParseFloat(s[2:], 64)
				if err != nil {
					t.Fatal(err)
				}
				return fmt.Sprintf(" %g", float64(k)*base)
			})
			text.WriteString(line)
		}
	}
	return parse(t, text.String())
}

// describe lists the texts of a chart, its axes, and what it draws from the bottom up.
func describe(c *Chart) string {
	var b strings.Builder
	for _, text := range []string{c.title, c.subtitle, c.yLabel, c.note} {
		fmt.Fprintf(&b, "%q\n", text)
	}
	for _, a := range []plot.Axis{c.plot.X, c.plot.Y} {
		fmt.Fprintf(&b, "axis %q %T from %.4g to %.4g", a.Label.Text, a.Scale, a.Min, a.Max)
		for _, tick := range a.Tick.Marker.Ticks(a.Min, a.Max) {
			if !tick.IsMinor() {
				fmt.Fprintf(&b, ", %s at %.4g", tick.Label, tick.Value)
			}
		}
		b.WriteByte('\n')
	}
	for _, p := range c.drawn {
		switch p := p.(type) {
		case *plotter.Line:
			fmt.Fprintf(&b, "line %x %v%s\n", p.Color, p.Dashes, points(p.XYs...))
		case marks:
			byXY := func(a, b plotter.XY) int { return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Y, b.Y)) }
			sorted := slices.SortedFunc(slices.Values(p.XYs), byXY)
			fmt.Fprintf(&b, "%T %x of radius %.4g beside %.4g%s\n", p.Shape, p.Color, p.Radius, p.beside, points(sorted...))
		case bar:
			fmt.Fprintf(&b, "bar %x%s\n", p.Color, points(p.from, p.to))
		case *labels:
			for _, l := range p.all {
				fmt.Fprintf(&b, "label %x %q %q%s\n", l.color, l.name, l.detail, points(plotter.XY{X: l.x, Y: l.y}))
			}
		default:
			fmt.Fprintf(&b, "%T %+v\n", p, p)
		}
	}
	return b.String()
}

func points(pts ...plotter.XY) string {
	var b strings.Builder
	for _, pt := range pts {
		fmt.Fprintf(&b, "  %.4g %.4g", pt.X, pt.Y)
	}
	return b.String()
}

// spots is a glyph that remembers where it was drawn.
type spots struct{ at []vg.Point }

// DrawGlyph implements draw.GlyphDrawer.
func (s *spots) DrawGlyph(_ *draw.Canvas, _ draw.GlyphStyle, at vg.Point) { s.at = append(s.at, at) }

// If this fails, a point is drawn where the axes do not have it.
func TestTransform(t *testing.T) {
	p := plot.New()
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 10, 0, 100
	var pen recorder.Canvas
	c := draw.NewCanvas(&pen, 100, 100)
	bar{plotter.XY{X: 2, Y: 30}, plotter.XY{X: 4, Y: 70}, draw.LineStyle{Color: ink, Width: 1}}.Plot(c, p)
	var path []vg.Point
	for _, action := range pen.Actions {
		if stroke, ok := action.(*recorder.Stroke); ok {
			for _, step := range stroke.Path {
				path = append(path, step.Pos)
			}
		}
	}
	if want := []vg.Point{{X: 20, Y: 30}, {X: 40, Y: 70}}; !slices.Equal(path, want) {
		t.Errorf("the bar is drawn at %v, expected %v", path, want)
	}
	var glyph spots
	marks{plotter.XYs{{X: 2, Y: 30}, {X: 10, Y: 100}}, draw.GlyphStyle{Color: ink, Radius: 1, Shape: &glyph}, vg.Point{X: 8, Y: -1}}.Plot(c, p)
	if want := []vg.Point{{X: 28, Y: 29}, {X: 108, Y: 99}}; !slices.Equal(glyph.at, want) {
		t.Errorf("the marks are drawn at %v, expected %v", glyph.at, want)
	}
}
