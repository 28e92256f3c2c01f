package report

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// barsPicture draws Bars: labels left of the bars where there is room, above
// them where there is not.
type barsPicture struct {
	*Bars
	plot   *plot.Plot
	legend legend
	left   vg.Length // room for labels
	right  vg.Length // and for figures
	above  bool
	step   float64 // of the figures: what they are rounded to
	row    vg.Length
	lines  []barLine
}

// barLine is one line of the picture: a group's name or a bar.
type barLine struct {
	group string
	bar   *Bar
	y     vg.Length // of its middle, from the top
}

const (
	barRow    = 21
	barAbove  = 38
	groupRow  = 26
	axisSpace = 44
)

func newBarsPicture(b *Bars, w vg.Length) *barsPicture {
	p := &barsPicture{Bars: b, plot: plot.New(), row: barRow}
	x := newSpan()
	for i := range b.Bars {
		bar := &b.Bars[i]
		x.take(b.X, bar.Value, bar.Low, bar.High)
		p.left = max(p.left, widthOf(fit(bar.Label, w))+10)
	}
	p.step = (x.max - x.min) / 300
	for i := range b.Bars {
		p.right = max(p.right, widthOf(p.figure(&b.Bars[i]))+8)
	}
	for _, l := range b.Limits {
		x.take(b.X, l.Value)
		p.legend = append(p.legend, entry{l.Label, swatchOfLine(limitLine)})
	}
	for _, t := range []Tone{Plain, Good, Bad, Quiet} {
		if name := b.Tones[t]; name != "" {
			p.legend = append(p.legend, entry{name, swatchOfGlyph(t.glyph())})
		}
	}
	if p.left+p.right > w*0.62 {
		p.above, p.left, p.right, p.row = true, 6, 10, barAbove
	}
	y := vg.Length(0)
	group := ""
	for i := range b.Bars {
		bar := &b.Bars[i]
		if bar.Group != group {
			group = bar.Group
			p.lines = append(p.lines, barLine{group: group, y: y + groupRow/2})
			y += groupRow
		}
		p.lines = append(p.lines, barLine{bar: bar, y: y + p.row/2})
		y += p.row
	}
	axis := b.X
	axis.Zero = axis.Zero || !b.Dots && !axis.Log
	x.round(axis, 0.04, 0.04)
	axis.set(&p.plot.X, x, w-p.left-p.right)
	p.plot.Y.Min, p.plot.Y.Max = -y.Points(), 0
	p.plot.HideY()
	p.plot.Y.Padding = 0
	p.plot.Add(layer(p.drawAll))
	return p
}

// figure is what stands beside a bar.
func (p *barsPicture) figure(b *Bar) string {
	text := func(v float64) string {
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			return "?"
		case p.X.Log || !(p.step > 0):
			return short(v)
		}
		return number(v, p.step)
	}
	return fmt.Sprintf("%s (%s to %s)", text(b.Value), text(b.Low), text(b.High))
}

// short is a number as people like it, three digits.
func short(v float64) string { return fmt.Sprintf("%.3g", v) }

func (p *barsPicture) height(w vg.Length) vg.Length {
	return p.legend.height(w-8) - vg.Length(p.plot.Y.Min) + axisSpace
}

func (p *barsPicture) draw(c draw.Canvas) {
	c = p.legend.draw(draw.Crop(c, 2, -6, 4, -2))
	p.plot.BackgroundColor = nil
	p.plot.Draw(draw.Crop(c, p.left, -p.right, 0, 0))
}

func (p *barsPicture) drawAll(c draw.Canvas, pl *plot.Plot) {
	x, _ := pl.Transforms(&c)
	for _, t := range pl.X.Tick.Marker.Ticks(pl.X.Min, pl.X.Max) {
		if !t.IsMinor() {
			c.StrokeLine2(line(grid, 0.75), x(t.Value), c.Min.Y, x(t.Value), c.Max.Y)
		}
	}
	zero := c.Min.X
	if !p.X.Log && pl.X.Min < 0 {
		zero = x(0)
		c.StrokeLine2(line(faint, 0.75), zero, c.Min.Y, zero, c.Max.Y)
	}
	scale := (c.Max.Y - c.Min.Y) / vg.Length(-pl.Y.Min)
	for _, l := range p.lines {
		y := c.Max.Y - l.y*scale
		if l.bar == nil {
			c.FillText(style(ink, draw.XLeft, draw.YCenter), vg.Point{X: c.Min.X - p.left, Y: y}, fit(l.group, c.Max.X-c.Min.X+p.left+p.right))
			continue
		}
		p.drawBar(&c, l.bar, x, zero, y)
	}
}

func (p *barsPicture) drawBar(c *draw.Canvas, b *Bar, x func(float64) vg.Length, zero, y vg.Length) {
	if p.above {
		c.FillText(style(ink, draw.XLeft, draw.YBottom), vg.Point{X: c.Min.X, Y: y + 2}, fit(b.Label, c.Max.X-c.Min.X-widthOf(p.figure(b))-8))
		c.FillText(style(faint, draw.XRight, draw.YBottom), vg.Point{X: c.Max.X + 6, Y: y + 2}, p.figure(b))
		y -= 8
	} else {
		c.FillText(style(ink, draw.XRight, draw.YCenter), vg.Point{X: c.Min.X - 8, Y: y}, b.Label)
		c.FillText(style(faint, draw.XLeft, draw.YCenter), vg.Point{X: c.Max.X + 8, Y: y}, p.figure(b))
	}
	defer p.drawLimits(c, x, y)
	if !p.X.usable(b.Value) {
		return
	}
	col := b.Tone.color()
	if p.Dots {
		p.drawWhisker(c, b, x, y)
		c.DrawGlyphNoClip(b.Tone.glyph(), vg.Point{X: x(b.Value), Y: y})
		return
	}
	rectangle(c, pale(col, barShare), min(zero, x(b.Value)), y-6, max(zero, x(b.Value)), y+6)
	p.drawWhisker(c, b, x, y)
}

// drawLimits stays within a bar's own line, so that it crosses no text.
func (p *barsPicture) drawLimits(c *draw.Canvas, x func(float64) vg.Length, y vg.Length) {
	half := vg.Length(barRow) / 2
	for _, l := range p.Limits {
		if p.X.usable(l.Value) {
			c.StrokeLine2(limitLine, x(l.Value), y-half, x(l.Value), y+half)
		}
	}
}

func (p *barsPicture) drawWhisker(c *draw.Canvas, b *Bar, x func(float64) vg.Length, y vg.Length) {
	if !p.X.usable(b.Low) || !p.X.usable(b.High) {
		return
	}
	low, high := x(b.Low), x(b.High)
	s := line(ink, 1.2)
	c.StrokeLine2(s, low, y, high, y)
	c.StrokeLine2(s, low, y-3, low, y+3)
	c.StrokeLine2(s, high, y-3, high, y+3)
}
