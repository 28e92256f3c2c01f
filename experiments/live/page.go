package live

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"autotune/report"
)

// Document is the same as a document with a map of each metric, from which the
// page and the JSON are written. Its rows have the workload as scenario and the
// switch as contender.
func Document(results []Result) *report.Document {
	d := &report.Document{
		Kind: "live", Name: "live", Title: "What each switch does",
		Summary: []string{
			"The guide's twelve switches on its five workloads, each measured live on the demonstration service: two configurations " +
				"that differ in the switch alone take turns in randomized pairs of short blocks, under open-loop load from another process.",
			"An effect is the relative change of the metric with the switch against without, the median over pairs; less is better.",
		},
		Rows: []report.Row{},
	}
	worth := report.Table{Title: "Where it pays", Head: append([]string{"switch"}, Workloads()...)}
	lines := map[string][]string{}
	for i := range results {
		r := &results[i]
		if lines[r.Plan.Switch] == nil {
			lines[r.Plan.Switch] = slices.Repeat([]string{"-"}, len(Workloads()))
		}
		if at := slices.Index(Workloads(), r.Plan.Workload); at >= 0 {
			lines[r.Plan.Switch][at] = string(WorthOf(r))
		}
		for _, e := range r.Effects() {
			d.Rows = append(d.Rows, report.Row{
				Scenario: r.Plan.Workload, Contender: r.Plan.Switch, Measure: string(e.Metric), N: e.Pairs,
				Value: e.Change, Low: e.Low, High: e.High, Level: 1 - level, Better: report.Less, Relative: true,
			})
		}
	}
	for _, s := range Rows() {
		if lines[s] != nil {
			worth.Rows = append(worth.Rows, append([]string{s}, lines[s]...))
		}
	}
	machines := map[string]bool{}
	for _, r := range results {
		machines[r.Machine.String()] = true
	}
	d.Facts = append(d.Facts, report.Fact{Name: "cells", Value: fmt.Sprintf("%d of %d", len(results), len(Rows())*len(Workloads()))})
	for _, m := range slices.Sorted(maps.Keys(machines)) {
		d.Facts = append(d.Facts, report.Fact{Name: "machine", Value: m})
	}
	for _, g := range Goals() {
		heat := report.HeatOf(d.Rows, string(g.Metric))
		if len(heat.Cells) == 0 {
			continue
		}
		title := titles[g.Metric]
		heat.Label = "change of " + title + " with the switch on"
		d.Charts = append(d.Charts, report.Chart{
			Title: strings.ToUpper(title[:1]) + title[1:], Heat: heat,
			Alt:  fmt.Sprintf("The change of %s by switch and workload, in percent: %d cells; the rows of the CSV have each with its interval.", title, len(heat.Cells)),
			Note: "Cells without color have an interval on both sides of zero.",
		})
	}
	if len(worth.Rows) > 0 {
		d.Tables = append(d.Tables, worth)
	}
	return d
}
