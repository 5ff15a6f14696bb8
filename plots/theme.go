package plots

import (
	"image/color"

	"github.com/tpbench/tpbench/results"
	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

var (
	paper = color.White
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
