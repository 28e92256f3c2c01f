package report

import (
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// heatPicture draws Heat.
type heatPicture struct {
	*Heat
	legend legend
	left   vg.Length
	top    vg.Length
	above  bool
	row    vg.Length
	most   float64 // the value with the full color
	rows   []string
}

const (
	heatRow   = 26
	heatAbove = 44
)

func newHeatPicture(h *Heat, w vg.Length) *heatPicture {
	p := &heatPicture{Heat: h, row: heatRow, rows: h.Rows}
	for _, r := range p.rows {
		p.left = max(p.left, widthOf(fit(r, w))+10)
	}
	if p.left > w*0.4 {
		p.above, p.left, p.row = true, 0, heatAbove
	}
	p.top = legendLine * vg.Length(p.headLines(w))
	for _, c := range h.Cells {
		if a := math.Abs(c.Value); !math.IsNaN(a) && !math.IsInf(a, 0) {
			p.most = max(p.most, a)
		}
	}
	box := func(share float64, name string) entry {
		return entry{name, func(c *draw.Canvas, x, y vg.Length) {
			rectangle(c, heatColor(share), x, y-6, x+swatchWidth, y+6)
		}}
	}
	less, more := h.Less, h.More
	if less == "" {
		less = "less"
	}
	if more == "" {
		more = "more"
	}
	p.legend = legend{box(-0.8, less), box(0.8, more), box(0, "the interval holds 0")}
	return p
}

// column is how wide one is.
func (p *heatPicture) column(w vg.Length) vg.Length { return (w - p.left) / vg.Length(len(p.Cols)) }

// head of a column, in lines.
func (p *heatPicture) head(col string, w vg.Length) []string {
	room := p.column(w) - 4
	var out []string
	for _, word := range strings.FieldsFunc(visible(col), func(r rune) bool { return r == ' ' || r == '-' || r == '_' }) {
		if n := len(out); n > 0 && widthOf(out[n-1]+" "+word) <= room {
			out[n-1] += " " + word
			continue
		}
		out = append(out, fit(word, room))
	}
	return out
}

func (p *heatPicture) headLines(w vg.Length) int {
	most := 1
	for _, c := range p.Cols {
		most = max(most, len(p.head(c, w)))
	}
	return most
}

func (p *heatPicture) height(w vg.Length) vg.Length {
	return p.legend.height(w-8) + p.top + p.row*vg.Length(len(p.Rows)) + legendLine + 14
}

func (p *heatPicture) draw(c draw.Canvas) {
	c = p.legend.draw(draw.Crop(c, 2, -2, 4, -2))
	w := c.Max.X - c.Min.X
	column := p.column(w)
	for i, name := range p.Cols {
		for j, part := range p.head(name, w) {
			at := vg.Point{X: c.Min.X + p.left + (vg.Length(i)+0.5)*column, Y: c.Max.Y - vg.Length(j)*14}
			c.FillText(style(ink, draw.XCenter, draw.YTop), at, part)
		}
	}
	top := c.Max.Y - p.top
	for i, name := range p.rows {
		y := top - vg.Length(i)*p.row
		if p.above {
			c.FillText(style(ink, draw.XLeft, draw.YTop), vg.Point{X: c.Min.X, Y: y - 3}, fit(name, w))
		} else {
			c.FillText(style(ink, draw.XRight, draw.YCenter), vg.Point{X: c.Min.X + p.left - 8, Y: y - heatRow/2}, name)
		}
	}
	for i := range p.Cells {
		p.drawCell(&c, &p.Cells[i], column, top)
	}
	label := p.Label
	if p.Unit != "" {
		label += ", " + p.Unit
	}
	c.FillText(style(faint, draw.XLeft, draw.YBottom), vg.Point{X: c.Min.X, Y: c.Min.Y}, fit(label, w))
}

func (p *heatPicture) drawCell(c *draw.Canvas, cell *Cell, column, top vg.Length) {
	if cell.Row < 0 || cell.Row >= len(p.Rows) || cell.Col < 0 || cell.Col >= len(p.Cols) || math.IsNaN(cell.Value) {
		return
	}
	x := c.Min.X + p.left + vg.Length(cell.Col)*column
	y := top - vg.Length(cell.Row+1)*p.row
	share := 0.0
	if p.most > 0 && (cell.Low > 0 || cell.High < 0) {
		share = math.Copysign(0.25+0.75*math.Sqrt(math.Min(math.Abs(cell.Value)/p.most, 1)), cell.Value)
	}
	rectangle(c, heatColor(share), x+1, y+1, x+column-1, y+heatRow-1)
	c.FillText(style(heatInk(share), draw.XCenter, draw.YCenter), vg.Point{X: x + column/2, Y: y + heatRow/2}, fit(signed(cell.Value), column-4))
}

// signed is a value with its sign, three digits.
func signed(v float64) string {
	s := short(v)
	if v > 0 {
		s = "+" + s
	}
	return s
}

// heatColor goes from blue over pale gray to orange, for -1..1.
func heatColor(share float64) color.RGBA {
	none := [3]float64{0xe6, 0xe6, 0xe6}
	end := [3]float64{0x05, 0x55, 0x99} // -1
	if share > 0 {
		end = [3]float64{0xb8, 0x4a, 0x00}
	}
	a := math.Min(math.Abs(share), 1)
	mix := func(i int) uint8 { return uint8(math.Round(none[i] + (end[i]-none[i])*a)) }
	return color.RGBA{mix(0), mix(1), mix(2), 0xff}
}

// heatInk can be read on heatColor. It is no variable: the cell has its color in
// the dark too.
func heatInk(share float64) color.RGBA {
	if math.Abs(share) > 0.45 {
		return color.RGBA{0xff, 0xff, 0xff, 0xff}
	}
	return color.RGBA{0x11, 0x11, 0x11, 0xff}
}

// HeatOf is the map of one measure: a row a contender, a column a scenario, each
// in the order in which they first come. Relative changes are in percent.
func HeatOf(rows []Row, measure string) *Heat {
	h := &Heat{Label: measure, Less: "less", More: "more"}
	at := func(names *[]string, name string) int {
		i := slices.Index(*names, name)
		if i < 0 {
			i = len(*names)
			*names = append(*names, name)
		}
		return i
	}
	for _, r := range rows {
		if r.Measure != measure {
			continue
		}
		scale := 1.0
		if r.Relative {
			scale, h.Unit = 100, "%"
		}
		h.Cells = append(h.Cells, Cell{
			Row: at(&h.Rows, r.Contender), Col: at(&h.Cols, r.Scenario), N: r.N,
			Value: scale * r.Value, Low: scale * r.Low, High: scale * r.High,
		})
		switch r.Better {
		case Less:
			h.Less, h.More = "less, which is better", "more, which is worse"
		case More:
			h.Less, h.More = "less, which is worse", "more, which is better"
		}
	}
	return h
}
