package report

import (
	_ "embed" // the page and its style
	"errors"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"strings"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

var page = template.Must(template.New("report").Parse(pageText))

// WriteHTML writes one page that needs nothing else: no script, no font, no
// other file. Each chart is there for a wide and for a narrow window.
func (d *Document) WriteHTML(w io.Writer) error {
	type chart struct {
		Title, Note  string
		Wide, Narrow template.HTML
	}
	type cell struct{ Text, Label, Class string }
	type table struct {
		Title, Note string
		Cards       bool // in a narrow window each row is a card
		Head        []cell
		Rows        [][]cell
	}
	var charts []chart
	for i := range d.Charts {
		c := &d.Charts[i]
		wide, err := c.SVG(Wide)
		if errors.Is(err, errNothing) {
			continue
		}
		if err != nil {
			return err
		}
		narrow, err := c.SVG(Narrow)
		if err != nil {
			return err
		}
		charts = append(charts, chart{visible(c.Title), visible(c.Note), template.HTML(wide), template.HTML(narrow)}) //nolint:gosec // every text in it was escaped by us
	}
	var tables []table
	for i := range d.Tables {
		t := &d.Tables[i]
		classes := t.classes()
		cells := func(texts []string) []cell {
			out := make([]cell, len(texts))
			for j, text := range texts {
				out[j].Text = visible(text)
				if j < len(t.Head) {
					out[j].Label, out[j].Class = visible(t.Head[j]), classes[j]
				}
			}
			return out
		}
		shown := table{Title: visible(t.Title), Note: visible(t.Note), Cards: len(t.Head) > 3, Head: cells(t.Head)}
		for _, r := range t.Rows {
			shown.Rows = append(shown.Rows, cells(r))
		}
		tables = append(tables, shown)
	}
	shown := d.visible()
	var failed, held []Claim
	for _, c := range shown.Claims {
		if c.Holds {
			held = append(held, c)
		} else {
			failed = append(failed, c)
		}
	}
	verdict := ""
	switch {
	case len(shown.Claims) == 0:
	case len(failed) == 0:
		verdict = fmt.Sprintf("✓ All %d claims hold.", len(held))
	default:
		verdict = fmt.Sprintf("✗ %d of %d claims do not hold:", len(failed), len(shown.Claims))
	}
	return page.Execute(w, struct {
		*Document
		Verdict      string
		Failed, Held []Claim
		Charts       []chart
		Tables       []table
		Style        template.CSS
	}{shown, verdict, failed, held, charts, tables, template.CSS(pageStyle)}) //nolint:gosec // it is our own
}

// visible is the document without what a page may not hold.
func (d *Document) visible() *Document {
	out := &Document{Title: visible(d.Title)}
	for _, s := range d.Summary {
		out.Summary = append(out.Summary, visible(s))
	}
	for _, f := range d.Facts {
		out.Facts = append(out.Facts, Fact{visible(f.Name), visible(f.Value)})
	}
	for _, c := range d.Claims {
		out.Claims = append(out.Claims, Claim{visible(c.Text), visible(c.Figure), c.Holds})
	}
	return out
}

var numeric = regexp.MustCompile(`^[-+−]?[0-9.][0-9.,e+-]* ?(%|x|s|ms|µs|min|h)?( \(.*\))?$|^[-?]?$`)

// classes of the columns: "n" holds nothing but numbers, "t" long texts.
func (t *Table) classes() []string {
	out := make([]string, len(t.Head))
	for i := range out {
		some, numbers, long := false, true, false
		for _, r := range t.Rows {
			if i < len(r) {
				numbers = numbers && numeric.MatchString(r[i])
				some = some || strings.ContainsAny(r[i], "0123456789")
				long = long || len(r[i]) > 40
			}
		}
		switch {
		case some && numbers:
			out[i] = "n"
		case long:
			out[i] = "t"
		}
	}
	return out
}
