package report_test

import (
	"os"

	"autotune/report"
)

func ExampleDocument_WriteMarkdown() {
	d := report.Document{
		Title:  "A cache",
		Claims: []report.Claim{{Text: "it pays", Figure: "-31 % of p95 latency in 20 pairs", Holds: true}},
		Tables: []report.Table{{Title: "Effects", Head: []string{"metric", "effect", "n"}, Rows: [][]string{{"p95 latency", "-31 % (-35 to -27)", "20"}}}},
	}
	_ = d.WriteMarkdown(os.Stdout)
	// Output:
	// # A cache
	//
	// ## Claims
	//
	// | claim | figure | holds |
	// |---|---|---|
	// | it pays | -31 % of p95 latency in 20 pairs | yes |
	//
	// ## Effects
	//
	// | metric | effect | n |
	// |---|---|---|
	// | p95 latency | -31 % (-35 to -27) | 20 |
}

// Two runs of the same trial: did the second find more?
func ExampleCompare() {
	run := func(name string, effect, low, high float64) *report.Document {
		return &report.Document{Name: name, Rows: []report.Row{{
			Scenario: "cache on", Contender: "trial 1 of it", Measure: "latency_p95_seconds",
			N: 20, Value: effect, Low: low, High: high, Level: 0.95, Better: report.Less, Relative: true,
		}}}
	}
	d, _ := report.Compare(run("monday", -0.31, -0.35, -0.27), run("friday", -0.10, -0.15, -0.05))
	_ = d.WriteCSV(os.Stdout)
	// Output:
	// report,scenario,contender,measure,n,value,low,high,level
	// monday and friday,cache on,trial 1 of it,latency_p95_seconds,20,0.304348,0.203744,0.413772,0.95
}
