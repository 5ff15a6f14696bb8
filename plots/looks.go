package plots

import (
	"hash/fnv"
	"image/color"
	"math"

	"github.com/tpbench/tpbench/results"
	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

var (
	paper = color.RGBA{0xff, 0xff, 0xff, 0xff}
	ink   = color.RGBA{0x22, 0x22, 0x22, 0xff}
	muted = color.RGBA{0x66, 0x66, 0x66, 0xff}
	faint = color.RGBA{0xdd, 0xdd, 0xdd, 0xff}
)

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

// A look is how a chart draws an implementation.
type look struct {
	name   string // as labels have it
	color  color.RGBA
	busted bool
	shape  draw.GlyphDrawer
	dashes []vg.Length
}

// palette is Okabe and Ito's, whose colours differ also for colour-blind people, without
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

// greys are for what is not in the catalog: floors, which have no strategy, and the
// undisturbed reader.
var greys = []color.RGBA{
	{0x66, 0x66, 0x66, 0xff},
	{0x99, 0x99, 0x99, 0xff},
	{0x3c, 0x3c, 0x3c, 0xff},
	{0x80, 0x80, 0x80, 0xff},
}

// A kind of implementation has looks that no other kind has. When its colours are used up,
// the next turn has other shades of them, and also other shapes and other dashes: two shades of
// one colour are hard to tell apart.
type kind struct {
	colors []color.RGBA
	shapes []draw.GlyphDrawer
	dashes [][]vg.Length
}

var (
	sound    = kind{palette, []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}}, [][]vg.Length{nil, {10, 2}, {10, 2, 2, 2}}}
	busted   = kind{palette, []draw.GlyphDrawer{crossed{}}, [][]vg.Length{{4, 3}, {4, 3, 1, 3}, {4, 1}}}
	unlisted = kind{greys, []draw.GlyphDrawer{level{}}, [][]vg.Length{{1, 2}, {1, 4}, {2, 1}}}
)

// looksOf gives each implementation of a chart its look. No two have the same colour.
//
// The colour follows from the name, so that an implementation keeps it when others are
// added: a hash of the name chooses from the palette. If another implementation of the
// chart has that colour, it is the next free one. The implementations choose in the
// catalog's order, so that one that is added at the end takes no colour from another.
func looksOf(cat results.Catalog, ss results.Samples) map[string]look {
	looks := map[string]look{}
	taken := map[color.RGBA]bool{}
	for _, g := range cat.Sort(ss) {
		l, k := look{name: g.Value}, sound
		switch cat.Status(g.Value) {
		case "":
			k = unlisted
		case "busted":
			l.name, l.busted, k = g.Value+" (unsafe)", true, busted
		}
		color, turn := k.free(g.Value, taken)
		taken[color] = true
		l.color, l.shape, l.dashes = color, k.shapes[turn%len(k.shapes)], k.dashes[turn%len(k.dashes)]
		looks[g.Value] = l
	}
	return looks
}

// free returns the colour of a name, or the next one that is not taken, and in which turn
// of the palette it is.
func (k kind) free(name string, taken map[color.RGBA]bool) (c color.RGBA, turn int) {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(name)) // a hash never fails
	first := int(hash.Sum32() % uint32(len(k.colors)))
	for turn := 0; ; turn++ {
		for i := range k.colors {
			if c := shade(k.colors[(first+i)%len(k.colors)], turn); !taken[c] {
				return c, turn
			}
		}
	}
}

// shade is a colour in one turn of the palette: as it is, darker, lighter, darker still and
// so on.
func shade(c color.RGBA, turn int) color.RGBA {
	n := float64((turn + 1) / 2)
	if turn%2 == 1 {
		return mix(c, ink, 1-math.Pow(0.55, n))
	}
	return mix(c, paper, 1-math.Pow(0.65, n))
}

// mix is a colour with a share of another one.
func mix(c, other color.RGBA, share float64) color.RGBA {
	of := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + share*(float64(b)-float64(a)))) }
	return color.RGBA{of(c.R, other.R), of(c.G, other.G), of(c.B, other.B), 0xff}
}

func (l look) line() draw.LineStyle {
	return draw.LineStyle{Color: l.color, Width: 1.75, Dashes: l.dashes}
}

// interval is the bar of a 95 % interval.
func (l look) interval(from, to plotter.XY) bar {
	return bar{from, to, draw.LineStyle{Color: l.color, Width: 1.25}}
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
	if l.busted { // so that a full mark below it fits inside
		s.Radius = 6
	}
	return s
}

func (l look) dot() draw.GlyphStyle {
	return draw.GlyphStyle{Color: mix(l.color, paper, 0.5), Radius: 1.5, Shape: draw.CircleGlyph{}}
}

// crossed is a hollow circle with a cross in it. What lies below it stays visible.
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

// level is a short horizontal line: a point that is drawn over it shows on its middle.
type level struct{}

func (level) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	c.StrokeLine2(draw.LineStyle{Color: s.Color, Width: 2}, at.X-2*s.Radius, at.Y, at.X+2*s.Radius, at.Y)
}
