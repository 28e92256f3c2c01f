package experiments

import (
	"strconv"

	"autotune/experiments/internal/durable"
	"autotune/report"
)

// Report is what an experiment found: a document that is written in every
// format. Its rows are one a cell and measure.
type Report struct{ *report.Document }

// Table is that of any report.
type Table = report.Table

// Claim is that of any report.
type Claim = report.Claim

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
	form := "full"
	if o.Short {
		form = "short"
	}
	trials := 0
	for _, t := range res.Tallies {
		trials += t.N
	}
	d := &report.Document{
		Kind: "experiment", Name: e.Name, Title: e.Name,
		Summary: []string{e.Doc, "Rates are in percent with their 99 % Clopper-Pearson intervals, other figures with 95 % intervals."},
		Facts: []report.Fact{
			{Name: "form", Value: form},
			{Name: "seed", Value: strconv.FormatUint(o.Seed, 10)},
			{Name: "cells", Value: strconv.Itoa(len(res.Cells))},
			{Name: "trials", Value: strconv.Itoa(trials)},
		},
		Tables: []Table{plainTable(e, res)},
		Rows:   rowsOf(e, res),
	}
	if e.Claims != nil {
		d.Claims = e.Claims(res)
	}
	if e.Tables != nil {
		d.Tables = e.Tables(res)
	}
	if e.Charts != nil {
		d.Charts = e.Charts(res)
	}
	return &Report{d}
}

func rowsOf(e *Experiment, res *Results) []report.Row {
	var out []report.Row
	for i, c := range res.Cells {
		for _, m := range e.Measures {
			if x, ok := m.Take(&res.Tallies[i]); ok {
				out = append(out, report.Row{
					Scenario: c.Scenario, Contender: c.Contender, Measure: m.Name,
					N: x.N, Value: x.Value, Low: x.Low, High: x.High, Level: x.Level, Better: m.Better,
				})
			}
		}
	}
	return out
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
			text = m.Text(e)
		}
		out = append(out, text)
	}
	return out
}

// write puts all files in place, each whole or not at all.
func (r *Report) write(dir string) error {
	return durable.Report(dir, r.Document, report.Formats()...)
}
