package report

import (
	"image/color"
	"math"

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
		g.Shape = ringGlyph{}
	default:
		g.Shape = draw.CircleGlyph{}
	}
	return g
}

// ringGlyph is a ring that is thick enough to be seen.
type ringGlyph struct{}

// DrawGlyph draws it.
func (ringGlyph) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, pt vg.Point) {
	c.SetLineStyle(line(sty.Color, 1.6))
	var p vg.Path
	p.Move(vg.Point{X: pt.X + sty.Radius, Y: pt.Y})
	p.Arc(pt, sty.Radius, 0, 2*math.Pi)
	p.Close()
	c.Stroke(p)
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
