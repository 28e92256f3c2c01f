package report

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Widths of a chart in CSS pixels: beside a mouse, and in a hand.
const (
	Wide   = 760
	Narrow = 350
)

// SVG draws the chart as an SVG element that is as wide as said and as high as
// it needs. The same chart makes the same bytes. Its colors and font are CSS
// variables with a default, so that it stands alone, and follows the page that
// it is part of into the dark. An error is a chart that has nothing to draw.
func (c *Chart) SVG(width int) ([]byte, error) {
	w := vg.Length(width)
	var p interface {
		height(w vg.Length) vg.Length
		draw(c draw.Canvas)
	}
	switch {
	case width < 200:
		return nil, fmt.Errorf("chart %q: width %d: must be at least 200", c.Title, width)
	case c.Lines != nil:
		p = newLinesPicture(c.Lines, w)
	case c.Bars != nil && len(c.Bars.Bars) > 0:
		p = newBarsPicture(c.Bars, w)
	case c.Heat != nil && len(c.Heat.Rows) > 0 && len(c.Heat.Cols) > 0:
		p = newHeatPicture(c.Heat, w)
	default:
		return nil, fmt.Errorf("chart %q: %w", c.Title, errNothing)
	}
	h := p.height(w)
	canvas := vgsvg.New(w, h)
	p.draw(draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, err
	}
	return c.dress(b.String(), int(w), h.Points()), nil
}

var errNothing = errors.New("has nothing to draw")

// dress replaces the head of the file by one of ours, and colors and font by variables.
func (c *Chart) dress(svg string, w int, h float64) []byte {
	_, body, _ := strings.Cut(svg, "<svg ")
	_, body, _ = strings.Cut(body, ">\n")
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %.5g" width="%d" height="%.5g" role="img" aria-label="%s">`+"\n",
		w, h, w, h, escape(c.Title+". "+c.Alt))
	b.WriteString(variables.Replace(visible(body)))
	return b.Bytes()
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;").Replace(visible(s))
}

// visible leaves out what no reader can see and some file formats do not allow.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// The colors are those of Okabe and Ito, which people tell apart however they
// see color; what matters differs in shape or dash as well.
var (
	ink        = color.RGBA{0x22, 0x22, 0x22, 0xff}
	faint      = color.RGBA{0x66, 0x66, 0x66, 0xff}
	grid       = color.RGBA{0xdd, 0xdd, 0xdd, 0xff}
	blue       = color.RGBA{0x00, 0x72, 0xb2, 0xff}
	vermillion = color.RGBA{0xd5, 0x5e, 0x00, 0xff}
	green      = color.RGBA{0x00, 0x9e, 0x73, 0xff}
	purple     = color.RGBA{0xaa, 0x33, 0x88, 0xff}
	amber      = color.RGBA{0xb8, 0x86, 0x00, 0xff}
	sky        = color.RGBA{0x3a, 0x9b, 0xdc, 0xff}
)

// variables are what the page may set.
var variables = func() *strings.Replacer {
	var pairs []string
	for name, c := range map[string]color.RGBA{
		"ink": ink, "faint": faint, "grid": grid, "blue": blue, "red": vermillion, "green": green, "purple": purple, "amber": amber, "sky": sky,
	} {
		hex := fmt.Sprintf("#%02X%02X%02X", c.R, c.G, c.B)
		for _, share := range []float64{1, bandShare, shadeShare, barShare} { // premultiplied colors come back rounded
			r, g, b, a := pale(c, share).RGBA()
			back := func(v uint32) int { return int(float64(v) * (255 / float64(a))) }
			pairs = append(pairs, fmt.Sprintf("#%02X%02X%02X", back(r), back(g), back(b)), fmt.Sprintf("var(--%s,%s)", name, hex))
		}
	}
	return strings.NewReplacer(append(pairs,
		"font-family:Liberation Sans;font-variant:normal;font-weight:normal;font-style:normal",
		"font-family:'Liberation Sans',Arial,Helvetica,sans-serif")...)
}()

// The shares of a color that are laid over what is behind.
const (
	bandShare  = 0.18
	shadeShare = 0.22
	barShare   = 0.55
)

// textSize of all that is written, in CSS pixels.
const textSize = 12

var sans = font.Font{Typeface: "Liberation", Variant: "Sans", Size: textSize}

func style(c color.Color, x text.XAlignment, y text.YAlignment) draw.TextStyle {
	return draw.TextStyle{Color: c, Font: sans, XAlign: x, YAlign: y, Handler: text.Plain{Fonts: font.DefaultCache}}
}

// widthOf a text as it is drawn.
func widthOf(s string) vg.Length {
	face := font.DefaultCache.Lookup(sans, textSize)
	return face.Width(s)
}

// fit shortens a text to a width.
func fit(s string, w vg.Length) string {
	s = strings.Join(strings.Fields(visible(s)), " ")
	if widthOf(s) <= w {
		return s
	}
	r := []rune(s)
	for len(r) > 1 && widthOf(string(r)+"…") > w {
		r = r[:len(r)-1]
	}
	return string(r) + "…"
}

func line(c color.Color, width vg.Length, dash ...vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: width, Dashes: dash}
}

// pale is a color that lets what is behind it through.
func pale(c color.RGBA, share float64) color.NRGBA {
	return color.NRGBA{c.R, c.G, c.B, uint8(share*255 + 0.5)}
}

func rectangle(c *draw.Canvas, fill color.Color, x0, y0, x1, y1 vg.Length) {
	c.FillPolygon(fill, []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}})
}
