package report

import (
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// linesPicture draws Lines.
type linesPicture struct {
	*Lines
	plot   *plot.Plot
	legend legend
}

// look of the n-th series: a color and a dash of its own.
func look(n int) (color.RGBA, []vg.Length) {
	colors := []color.RGBA{blue, vermillion, green, purple, amber, sky, ink}
	dashes := [][]vg.Length{nil, {7, 3}, {2, 2}, {8, 3, 2, 3}, {4, 2}, {12, 3}, {1, 3}}
	return colors[n%len(colors)], dashes[n%len(dashes)]
}

// glyph of the n-th series.
func glyph(n int) draw.GlyphStyle {
	c, _ := look(n)
	shapes := []draw.GlyphDrawer{
		draw.CircleGlyph{}, draw.PyramidGlyph{}, draw.BoxGlyph{}, crossGlyph{}, ringGlyph{}, draw.TriangleGlyph{}, draw.SquareGlyph{},
	}
	return draw.GlyphStyle{Color: c, Radius: 3.2, Shape: shapes[n%len(shapes)]}
}

func newLinesPicture(l *Lines, w vg.Length) *linesPicture {
	p := &linesPicture{Lines: l, plot: plot.New()}
	x, y := newSpan(), newSpan()
	for i := range l.Series {
		s := &l.Series[i]
		for _, pt := range s.Points {
			if l.X.usable(pt.X) && l.Y.usable(pt.Y) {
				x.take(l.X, pt.X)
				y.take(l.Y, pt.Y, pt.Low, pt.High)
			}
		}
		p.legend = append(p.legend, p.entryOf(s, i))
	}
	for _, s := range l.Shades {
		x.take(l.X, s.From, s.To)
	}
	for _, m := range l.Marks {
		x.take(l.X, m.X)
	}
	for _, m := range l.Limits {
		y.take(l.Y, m.Value)
		p.legend = append(p.legend, entry{m.Label, swatchOfLine(limitLine)})
	}
	if len(l.Shades) > 0 && l.ShadeName != "" {
		p.legend = append(p.legend, entry{l.ShadeName, func(c *draw.Canvas, x, y vg.Length) {
			rectangle(c, pale(amber, shadeShare), x, y-6, x+swatchWidth, y+6)
		}})
	}
	named := map[string]bool{}
	for _, m := range l.Marks {
		if !named[m.Name] {
			named[m.Name] = true
			p.legend = append(p.legend, entry{m.Name, swatchOfGlyph(m.Tone.glyph())})
		}
	}
	x.round(l.X, 0, 0)
	top := 0.06
	if len(l.Marks) > 0 {
		top = 0.2
	}
	y.round(l.Y, 0.05, top)
	l.X.set(&p.plot.X, x, w-80)
	l.Y.set(&p.plot.Y, y, linesHeight-50)
	p.plot.Add(layer(p.drawShades), layer(drawGrid), layer(p.drawBands), layer(p.drawLimits), layer(p.drawSeries), layer(p.drawMarks))
	return p
}

const (
	linesHeight = 270
	// mostBands that can be told apart; of more series the first one has its band.
	mostBands = 3
	// mostGlyphs of a line whose points are marked.
	mostGlyphs = 30
)

var limitLine = line(ink, 1.2, 5, 4)

func (p *linesPicture) entryOf(s *Series, n int) entry {
	c, dash := look(n)
	if s.Dots {
		return entry{s.Name, swatchOfGlyph(glyph(n))}
	}
	return entry{s.Name, func(cv *draw.Canvas, x, y vg.Length) {
		swatchOfLine(line(c, 1.8, dash...))(cv, x, y)
		if p.marked(s) {
			swatchOfGlyph(glyph(n))(cv, x, y)
		}
	}}
}

// marked says whether the points of a line are: where there are few.
func (p *linesPicture) marked(s *Series) bool {
	return len(s.Points) <= mostGlyphs && len(p.Shades) == 0
}

func (p *linesPicture) height(w vg.Length) vg.Length { return p.legend.height(w-8) + linesHeight }

func (p *linesPicture) draw(c draw.Canvas) {
	c = p.legend.draw(draw.Crop(c, 2, -14, 4, -2))
	p.plot.BackgroundColor = nil
	p.plot.Draw(c)
}

// layer is a part of a picture that is drawn over those before it.
type layer func(c draw.Canvas, p *plot.Plot)

// Plot draws it.
func (l layer) Plot(c draw.Canvas, p *plot.Plot) { l(c, p) }

// drawGrid has horizontal lines at the labeled ticks.
func drawGrid(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if !t.IsMinor() {
			c.StrokeLine2(line(grid, 0.75), c.Min.X, y(t.Value), c.Max.X, y(t.Value))
		}
	}
}

func (p *linesPicture) drawShades(c draw.Canvas, pl *plot.Plot) {
	x, _ := pl.Transforms(&c)
	for _, s := range p.Shades {
		if !p.X.usable(s.From) || !p.X.usable(s.To) {
			continue
		}
		rectangle(&c, pale(amber, shadeShare), x(s.From), c.Min.Y, max(x(s.To), x(s.From)+0.5), c.Max.Y)
	}
}

// runs are the stretches of a series that are drawn without a gap.
func (p *linesPicture) runs(s *Series) [][]Point {
	var out [][]Point
	var run []Point
	for _, pt := range s.Points {
		ok := p.X.usable(pt.X) && p.Y.usable(pt.Y)
		if (pt.Gap || !ok) && len(run) > 0 {
			out, run = append(out, run), nil
		}
		if ok {
			run = append(run, pt)
		}
	}
	if len(run) > 0 {
		out = append(out, run)
	}
	return out
}

func (p *linesPicture) drawBands(c draw.Canvas, pl *plot.Plot) {
	x, y := pl.Transforms(&c)
	for i := range p.Series {
		s := &p.Series[i]
		col, _ := look(i)
		for _, run := range p.runs(s) {
			var up, down []vg.Point
			for _, pt := range run {
				if p.Y.usable(pt.Low) && p.Y.usable(pt.High) {
					up = append(up, vg.Point{X: x(pt.X), Y: y(p.Y.clip(pt.High))})
					down = append(down, vg.Point{X: x(pt.X), Y: y(p.Y.clip(pt.Low))})
				}
			}
			if len(up) < 2 || s.Dots || i > 0 && len(p.Series) > mostBands || !slices.ContainsFunc(run, func(pt Point) bool { return pt.Low < pt.High }) {
				continue
			}
			slices.Reverse(down)
			c.FillPolygon(pale(col, bandShare), append(up, down...))
		}
	}
}

func (p *linesPicture) drawSeries(c draw.Canvas, pl *plot.Plot) {
	x, y := pl.Transforms(&c)
	for i := range p.Series {
		s := &p.Series[i]
		col, dash := look(i)
		for _, run := range p.runs(s) {
			pts := make([]vg.Point, len(run))
			for j, pt := range run {
				pts[j] = vg.Point{X: x(pt.X), Y: y(p.Y.clip(pt.Y))}
			}
			switch {
			case s.Dots || len(pts) == 1:
				for j, at := range pts {
					if s.Dots && run[j].Low < run[j].High {
						c.StrokeLine2(line(col, 1), at.X, y(p.Y.clip(run[j].Low)), at.X, y(p.Y.clip(run[j].High)))
					}
					c.DrawGlyphNoClip(glyph(i), at)
				}
			default:
				c.StrokeLines(line(col, 1.8, dash...), pts)
				if p.marked(s) {
					for _, at := range pts {
						c.DrawGlyphNoClip(glyph(i), at)
					}
				}
			}
		}
	}
}

func (p *linesPicture) drawLimits(c draw.Canvas, pl *plot.Plot) {
	_, y := pl.Transforms(&c)
	for _, l := range p.Limits {
		if p.Y.usable(l.Value) {
			c.StrokeLine2(limitLine, c.Min.X, y(l.Value), c.Max.X, y(l.Value))
		}
	}
}

// drawMarks has a thin line at each mark, its glyph near the top, and its label
// above where it does not run into the one before.
func (p *linesPicture) drawMarks(c draw.Canvas, pl *plot.Plot) {
	x, _ := pl.Transforms(&c)
	free := c.Min.X - 100
	for _, m := range p.Marks {
		if !p.X.usable(m.X) {
			continue
		}
		at := x(m.X)
		c.StrokeLine2(line(m.Tone.color(), 0.9, 2, 2), at, c.Min.Y, at, c.Max.Y-22)
		c.DrawGlyphNoClip(m.Tone.glyph(), vg.Point{X: at, Y: c.Max.Y - 20})
		label := fit(m.Label, 80)
		half := widthOf(label) / 2
		if at-half > free {
			c.FillText(style(ink, draw.XCenter, draw.YTop), vg.Point{X: at, Y: c.Max.Y}, label)
			free = at + half + 3
		}
	}
}
