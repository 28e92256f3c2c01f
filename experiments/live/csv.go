package live

import (
	"bytes"
	"encoding/csv"
	"strconv"
)

// CSV has one row a cell and metric. Effects are relative changes: -0.31 is 31 %
// less with the switch.
func CSV(results []Result) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"switch", "workload", "metric", "pairs", "effect", "low", "high", "verdict", "p"})
	g := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	for i := range results {
		r := &results[i]
		for _, e := range r.Effects() {
			_ = w.Write([]string{
				r.Plan.Switch, r.Plan.Workload, string(e.Metric), strconv.Itoa(e.Pairs), g(e.Change), g(e.Low), g(e.High), e.verdict(), g(e.P),
			})
		}
	}
	w.Flush() // to a buffer: nothing can fail
	return b.Bytes()
}
