package live

import (
	"bytes"
	"flag"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/controller"
	"autotune/report"
)

var update = flag.Bool("update", false, "write golden files")

// around are twenty differences whose middle is log(1+change), spread evenly.
func around(change, spread float64) []float64 {
	d := make([]float64, 20)
	for i := range d {
		d[i] = math.Log1p(change) + spread*(float64(i)-9.5)/9.5
	}
	return d
}

// of makes differences for the first goals.
func of(d ...[]float64) map[controller.Metric][]float64 {
	out := map[controller.Metric][]float64{}
	for i, values := range d {
		out[Goals()[i].Metric] = values
	}
	return out
}

// measured is a handful of cells: one that pays, one too small to count, one that
// trades, one unclear, one with an interval without bounds, and the autopilot's.
func measured() []Result {
	m := Machine{Cores: 2, CPU: "Example 3000", OS: "linux/amd64", Go: "go1.26.0", Commit: "0123456789ab"}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	cell := func(workload, name string, minutes int, d map[controller.Metric][]float64) Result {
		return Result{
			Plan: Plan{Workload: workload, Switch: name, Pairs: 20, Block: 0.75, Rate: 400}, Differences: d, Machine: m,
			Requests: 18000, Ended: at.Add(time.Duration(minutes) * time.Minute), Seconds: 45, LoadBefore: 1.5, LoadAfter: 2.25,
		}
	}
	pays := cell("high-frequency", catalog.EnableCache, 1, of(around(-0.62, 0.5), around(-0.51, 0.3), around(-0.311, 0.2), around(0.001, 0.1), around(0.021, 0.01)))
	pays.NotShown = []string{catalog.CacheTTL}
	trades := cell("low-latency", catalog.EnableCache, 2, of(around(-0.1, 0.1), around(0.1, 0.1)))
	costs := cell("low-latency", catalog.EnableMonitoring, 3, of(around(0.05, 0.02), []float64{0.1, -0.2}))
	none := cell("low-latency", catalog.EnableObjectPool, 4, of(around(-0.01, 0.3), around(-0.012, 0.01)))
	pilot := cell("high-frequency", catalog.EnableAutomatic, 5, of(around(-0.6, 0.4)))
	pilot.Plan.Autopilot, pilot.Kept, pilot.AutopilotCPU = 120, []string{catalog.EnableCache, catalog.EnableStep}, 0.0042
	idle := cell("low-latency", catalog.EnableAutomatic, 6, of(around(0, 0.1)))
	idle.Plan.Autopilot, idle.Failed, idle.Dropped = 120, 3, 2
	return []Result{pays, trades, costs, none, pilot, idle}
}

func TestReport_golden(t *testing.T) {
	for name, got := range map[string][]byte{
		"testdata/report.md": Markdown(measured()), "testdata/report.csv": CSV(measured()), "testdata/empty.md": Markdown(nil),
	} {
		if *update {
			require.NoError(t, os.WriteFile(name, got, 0o644))
		}
		want, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), name)
	}
}

// The order in which cells were measured is not in the report.
func TestReport_isOfTheResultsAlone(t *testing.T) {
	reversed := measured()
	slices.Reverse(reversed)
	assert.Equal(t, string(Markdown(measured())), string(Markdown(reversed)))
}

func TestWorthOf(t *testing.T) {
	assert.Equal(t, NotMeasured, WorthOf(nil))
	var got []Worth
	for _, r := range measured() {
		got = append(got, WorthOf(&r))
	}
	assert.Equal(t, []Worth{Pays, Trades, Costs, Unclear, Pays, Unclear}, got)
}

// Every row has its sentence.
func TestActs_hasEverySwitch(t *testing.T) {
	for _, s := range Rows() {
		assert.NotEmpty(t, acts[s], s)
	}
	assert.Len(t, acts, len(Rows()))
}

// The page and the JSON have each cell that the CSV has.
func TestDocument(t *testing.T) {
	results := measured()
	d := Document(results)
	require.Len(t, d.Rows, strings.Count(string(CSV(results)), "\n")-1)
	cells := 0
	for _, c := range d.Charts {
		cells += len(c.Heat.Cells)
	}
	require.Equal(t, len(d.Rows), cells)
	var page bytes.Buffer
	require.NoError(t, d.Write(&page, report.HTML))
	for _, r := range results {
		require.Contains(t, page.String(), r.Plan.Workload)
	}
	require.Empty(t, Document(nil).Rows)
}
