package plots

import (
	"image/color"
	"math"

	"github.com/tpbench/tpbench/results"
	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

var (
	paper = color.White
	ink   = color.RGBA{0x22, 0x22, 0x22, 0xff}
	muted = color.RGBA{0x66, 0x66, 0x66, 0xff}
	faint = color.RGBA{0xdd, 0xdd, 0xdd, 0xff}
)

// palette is Okabe and Ito's, which colour-blind readers can tell apart, without
// its black and yellow, and with three of Paul Tol's muted colours.
var palette = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, // blue
	{0xcc, 0x33, 0x11, 0xff}, // red
	{0xd5, 0x7e, 0x00, 0xff}, // orange
	{0x00, 0x9e, 0x73, 0xff}, // green
	{0xaa, 0x4a, 0x99, 0xff}, // purple
	{0x33, 0xa6, 0xdd, 0xff}, // sky
	{0x88, 0x22, 0x55, 0xff}, // wine
	{0x77, 0x77, 0x22, 0xff}, // olive
	{0x33, 0x22, 0x88, 0xff}, // indigo
}

// A look is how an implementation is drawn in every chart.
type look struct {
	name   string // as labels have it
	color  color.RGBA
	busted bool
	shape  draw.GlyphDrawer
	dashes []vg.Length
}

// lookOf gives the implementations of the catalog the colours of the palette in
// its order, and the busted ones dashes too. What is not listed, such as a
// floor, is grey.
func lookOf(cat results.Catalog, impl string) look {
	i := cat.Index(impl)
	if i == len(cat) {
		return look{name: impl, color: muted, shape: level{}, dashes: []vg.Length{1, 2}}
	}
	l := look{name: impl, color: palette[i%len(palette)], shape: draw.CircleGlyph{}}
	if cat[i].Busted {
		l.name, l.busted, l.shape, l.dashes = impl+" (unsafe)", true, crossed{}, []vg.Length{4, 3}
	}
	return l
}

func (l look) line() draw.LineStyle {
	return draw.LineStyle{Color: l.color, Width: 1.75, Dashes: l.dashes}
}

// layer orders what may lie over each other: hollow marks over full ones.
func (l look) layer() int {
	if l.busted {
		return 1
	}
	return 0
}

// point is the large mark of a median, dot the small one of a sample.
func (l look) point() draw.GlyphStyle {
	s := draw.GlyphStyle{Color: l.color, Radius: 4.5, Shape: l.shape}
	if l.busted { // around a full one below it
		s.Radius = 6
	}
	return s
}

func (l look) dot() draw.GlyphStyle {
	c := l.color
	for _, v := range []*uint8{&c.R, &c.G, &c.B} { // half way to white
		*v = uint8((int(*v) + 255) / 2)
	}
	return draw.GlyphStyle{Color: c, Radius: 1.5, Shape: draw.CircleGlyph{}}
}

// crossed is a hollow circle with a cross in it. What lies below shows through.
type crossed struct{}

func (crossed) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	c.SetLineStyle(draw.LineStyle{Color: s.Color, Width: 1.25})
	var ring vg.Path
	ring.Move(vg.Point{X: at.X + s.Radius, Y: at.Y})
	ring.Arc(at, s.Radius, 0, 2*math.Pi)
	ring.Close()
	c.Stroke(ring)
	r := s.Radius * 0.6
	stroke := draw.LineStyle{Color: s.Color, Width: 1.25}
	c.StrokeLine2(stroke, at.X-r, at.Y-r, at.X+r, at.Y+r)
	c.StrokeLine2(stroke, at.X-r, at.Y+r, at.X+r, at.Y-r)
}

// level is a short horizontal line, to show on both sides of a point over it.
type level struct{}

func (level) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	c.StrokeLine2(draw.LineStyle{Color: s.Color, Width: 2}, at.X-2*s.Radius, at.Y, at.X+2*s.Radius, at.Y)
}

func style(size vg.Length, c color.Color, x text.XAlignment, y text.YAlignment) text.Style {
	return text.Style{
		Color:   c,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		XAlign:  x,
		YAlign:  y,
		Handler: visible{plot.DefaultTextHandler},
	}
}

// visible draws of a text only what can be seen, and escapes for the rest: a control
// character, for example, makes an SVG that is no XML. All text of a chart passes here.
// What package results has read has none; a name of the caller's catalog may.
type visible struct{ text.Handler }

// Lines implements text.Handler. Box gets these lines one by one.
func (h visible) Lines(txt string) []string { return h.Handler.Lines(results.Visible(txt)) }

// Draw implements text.Handler.
func (h visible) Draw(c vg.Canvas, txt string, sty text.Style, pt vg.Point) {
	h.Handler.Draw(c, results.Visible(txt), sty, pt)
}

func bold(s text.Style) text.Style {
	s.Font.Weight = xfont.WeightBold
	return s
}
