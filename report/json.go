package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
)

// Version of the JSON that is written and read.
const Version = 1

// file is a Document with what says that it is one.
type file struct {
	Type    string `json:"type"` // "report"
	Version int    `json:"version"`
	*Document
}

// WriteJSON writes everything, pictures as data.
func (d *Document) WriteJSON(w io.Writer) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	if err := e.Encode(file{"report", Version, d.finite()}); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// finite is the document without what JSON has no word for.
func (d *Document) finite() *Document {
	out := *d
	out.Rows = slices.DeleteFunc(slices.Clone(d.Rows), func(r Row) bool { return !r.finite() })
	if out.Rows == nil {
		out.Rows = []Row{}
	}
	is := func(v ...float64) bool {
		return !slices.ContainsFunc(v, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) })
	}
	out.Charts = slices.Clone(d.Charts)
	for i := range out.Charts {
		c := &out.Charts[i]
		if c.Lines != nil {
			l := *c.Lines
			l.Series = slices.Clone(l.Series)
			for j := range l.Series {
				l.Series[j].Points = slices.DeleteFunc(slices.Clone(l.Series[j].Points), func(p Point) bool { return !is(p.X, p.Y, p.Low, p.High) })
			}
			c.Lines = &l
		}
		if c.Bars != nil {
			b := *c.Bars
			b.Bars = slices.DeleteFunc(slices.Clone(b.Bars), func(b Bar) bool { return !is(b.Value, b.Low, b.High) })
			c.Bars = &b
		}
		if c.Heat != nil {
			h := *c.Heat
			h.Cells = slices.DeleteFunc(slices.Clone(h.Cells), func(c Cell) bool { return !is(c.Value, c.Low, c.High) })
			c.Heat = &h
		}
	}
	return &out
}

// ReadJSON reads what WriteJSON wrote. The error names what is wrong.
func ReadJSON(r io.Reader) (*Document, error) {
	in := json.NewDecoder(r)
	f := file{Document: &Document{}}
	if err := in.Decode(&f); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	switch {
	case f.Type != "report":
		return nil, fmt.Errorf("report: type %q: must be \"report\"", f.Type)
	case f.Version != Version:
		return nil, fmt.Errorf("report: version %d: must be %d", f.Version, Version)
	}
	for i, row := range f.Rows {
		switch {
		case row.N < 1:
			return nil, fmt.Errorf("report: row %d: n %d: must be at least 1", i+1, row.N)
		case !(row.Low <= row.High):
			return nil, fmt.Errorf("report: row %d: low %v: must not be above high %v", i+1, row.Low, row.High)
		case !(row.Level > 0 && row.Level < 1):
			return nil, fmt.Errorf("report: row %d: level %v: must be within 0..1", i+1, row.Level)
		case row.Better != "" && row.Better != Less && row.Better != More:
			return nil, fmt.Errorf("report: row %d: better %q: must be \"less\", \"more\" or empty", i+1, row.Better)
		}
	}
	return f.Document, nil
}
