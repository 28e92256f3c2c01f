package experiments

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Report is what an experiment found.
type Report struct {
	Experiment string
	Claims     []Claim
	// CSV has one row a cell and measure: n, value, and the ends of its interval.
	CSV []byte
	// Markdown has the claims and the tables.
	Markdown []byte
}

// Table is a table of a report.
type Table struct {
	Title string
	Note  string // below it
	Head  []string
	Rows  [][]string
}

// Failed are the claims that do not hold.
func (r *Report) Failed() []Claim {
	var out []Claim
	for _, c := range r.Claims {
		if !c.Holds {
			out = append(out, c)
		}
	}
	return out
}

func newReport(e *Experiment, res *Results, o *Options) *Report {
	r := &Report{Experiment: e.Name, CSV: csvOf(e, res)}
	if e.Claims != nil {
		r.Claims = e.Claims(res)
	}
	tables := []Table{plainTable(e, res)}
	if e.Tables != nil {
		tables = e.Tables(res)
	}
	var b bytes.Buffer
	form := "full"
	if o.Short {
		form = "short"
	}
	trials := 0
	for _, t := range res.Tallies {
		trials += t.N
	}
	fmt.Fprintf(&b, "# %s\n\n%s\n\n%s form, seed %d: %d cells, %d trials. Rates are in percent with their 99 %% Clopper-Pearson intervals, other figures with 95 %% intervals.\n",
		e.Name, e.Doc, form, o.Seed, len(res.Cells), trials)
	if len(r.Claims) > 0 {
		t := Table{Title: "Claims", Head: []string{"claim", "figure", "holds"}}
		for _, c := range r.Claims {
			holds := "yes"
			if !c.Holds {
				holds = "**no**"
			}
			t.Rows = append(t.Rows, []string{c.Text, c.Figure, holds})
		}
		t.print(&b)
	}
	for _, t := range tables {
		t.print(&b)
	}
	r.Markdown = b.Bytes()
	return r
}

func csvOf(e *Experiment, res *Results) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"experiment", "scenario", "contender", "measure", "n", "value", "low", "high", "level"})
	g := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	for i, c := range res.Cells {
		for _, m := range e.Measures {
			if x, ok := m.Take(&res.Tallies[i]); ok {
				_ = w.Write([]string{e.Name, c.Scenario, c.Contender, m.Name, strconv.Itoa(x.N), g(x.Value), g(x.Low), g(x.High), g(x.Level)})
			}
		}
	}
	w.Flush() // to a buffer: nothing can fail
	return b.Bytes()
}

// plainTable has a row a cell and a column a measure.
func plainTable(e *Experiment, res *Results) Table {
	t := Table{Title: "Cells", Head: []string{"scenario", "contender", "n"}}
	for _, m := range e.Measures {
		t.Head = append(t.Head, m.Name)
	}
	for i, c := range res.Cells {
		t.Rows = append(t.Rows, append([]string{c.Scenario, c.Contender}, figures(&res.Tallies[i], e.Measures)...))
	}
	return t
}

// figures are a tally's n and measures as cells of a table; "-" where it has none.
func figures(t *Tally, measures []Measure) []string {
	out := []string{strconv.Itoa(t.N)}
	for _, m := range measures {
		text := "-"
		if e, ok := m.Take(t); ok {
			text = m.text(e)
		}
		out = append(out, text)
	}
	return out
}

func (t *Table) print(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n## %s\n\n", t.Title)
	row := func(cells []string) {
		for _, c := range cells {
			b.WriteString("| " + strings.ReplaceAll(c, "|", `\|`) + " ")
		}
		b.WriteString("|\n")
	}
	row(t.Head)
	b.WriteString(strings.Repeat("|---", len(t.Head)) + "|\n")
	for _, r := range t.Rows {
		row(r)
	}
	if t.Note != "" {
		fmt.Fprintf(b, "\n%s\n", t.Note)
	}
}

// write puts both files in place, each whole or not at all.
func (r *Report) write(dir string) error {
	return errors.Join(
		replace(filepath.Join(dir, r.Experiment+".csv"), r.CSV),
		replace(filepath.Join(dir, r.Experiment+".md"), r.Markdown),
	)
}

func replace(path string, data []byte) error {
	fresh := path + ".new"
	if err := os.WriteFile(fresh, data, 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}
