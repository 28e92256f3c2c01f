package report

import (
	"encoding/csv"
	"io"
	"math"
	"strconv"
)

// WriteCSV writes the rows: report, scenario, contender, measure, n, value, low,
// high, level.
func (d *Document) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"report", "scenario", "contender", "measure", "n", "value", "low", "high", "level"}) // told by Error
	g := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	for _, r := range d.Rows {
		if r.finite() {
			_ = out.Write([]string{d.Name, r.Scenario, r.Contender, r.Measure, strconv.Itoa(r.N), g(r.Value), g(r.Low), g(r.High), g(r.Level)})
		}
	}
	out.Flush()
	return out.Error()
}

// finite says whether the row can be written: what is not a number was not measured.
func (r *Row) finite() bool {
	for _, v := range []float64{r.Value, r.Low, r.High, r.Level} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}
