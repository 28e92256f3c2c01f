package report

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// entry of a legend: a swatch of what is drawn, and what it is.
type entry struct {
	name   string
	swatch func(c *draw.Canvas, x, y vg.Length) // around y, from x on, as wide as swatchWidth
}

// legend is laid out in lines above a picture.
type legend []entry

const (
	swatchWidth = 22
	legendLine  = 18
	legendGap   = 16
)

// place calls at with the place of each entry, from the top left, and returns
// how high all is.
func (l legend) place(w vg.Length, at func(e entry, x, y vg.Length, name string)) vg.Length {
	if len(l) == 0 {
		return 0
	}
	x, y := vg.Length(0), vg.Length(legendLine)/2
	for _, e := range l {
		name := fit(e.name, w-swatchWidth-4)
		width := swatchWidth + 4 + widthOf(name)
		if x > 0 && x+width > w {
			x, y = 0, y+legendLine
		}
		at(e, x, y, name)
		x += width + legendGap
	}
	return y + legendLine/2 + 6
}

func (l legend) height(w vg.Length) vg.Length {
	return l.place(w, func(entry, vg.Length, vg.Length, string) {})
}

// draw puts the legend at the top of the canvas, and returns what is left.
func (l legend) draw(c draw.Canvas) draw.Canvas {
	h := l.place(c.Max.X-c.Min.X, func(e entry, x, y vg.Length, name string) {
		x, y = c.Min.X+x, c.Max.Y-y
		e.swatch(&c, x, y)
		c.FillText(style(ink, draw.XLeft, draw.YCenter), vg.Point{X: x + swatchWidth + 4, Y: y}, name)
	})
	return draw.Crop(c, 0, 0, 0, -h)
}

func swatchOfLine(s draw.LineStyle) func(*draw.Canvas, vg.Length, vg.Length) {
	return func(c *draw.Canvas, x, y vg.Length) { c.StrokeLine2(s, x, y, x+swatchWidth, y) }
}

func swatchOfGlyph(g draw.GlyphStyle) func(*draw.Canvas, vg.Length, vg.Length) {
	return func(c *draw.Canvas, x, y vg.Length) { c.DrawGlyphNoClip(g, vg.Point{X: x + swatchWidth/2, Y: y}) }
}
