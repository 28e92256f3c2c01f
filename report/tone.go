package report

import (
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// color and glyph of a tone: never the color alone.
func (t Tone) color() color.RGBA {
	switch t {
	case Good:
		return green
	case Bad:
		return vermillion
	case Quiet:
		return faint
	default:
		return blue
	}
}

func (t Tone) glyph() draw.GlyphStyle {
	g := draw.GlyphStyle{Color: t.color(), Radius: 5}
	switch t {
	case Good:
		g.Shape = draw.PyramidGlyph{}
	case Bad:
		g.Shape = crossGlyph{}
	case Quiet:
		g.Shape = draw.RingGlyph{}
	default:
		g.Shape = draw.CircleGlyph{}
	}
	return g
}

// crossGlyph is a cross that is thick enough to be seen.
type crossGlyph struct{}

// DrawGlyph draws it.
func (crossGlyph) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, pt vg.Point) {
	r := sty.Radius * 0.8
	s := line(sty.Color, 2)
	c.StrokeLine2(s, pt.X-r, pt.Y-r, pt.X+r, pt.Y+r)
	c.StrokeLine2(s, pt.X-r, pt.Y+r, pt.X+r, pt.Y-r)
}
