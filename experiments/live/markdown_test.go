package live

import (
	"flag"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/controller"
)

var update = flag.Bool("update", false, "write golden files")

func effects(verdicts []string, values ...[3]float64) []controller.Compared {
	var out []controller.Compared
	for i, g := range Goals()[:len(values)] {
		v := values[i]
		out = append(out, controller.Compared{Metric: g.Metric, Effect: v[0], Low: v[1], High: v[2], Pairs: 20, Verdict: verdicts[i]})
	}
	return out
}

// measured is a handful of cells: one that pays, one too small to count, one that
// trades, one unclear, one with an interval without bounds, and the autopilot's.
func measured() []Result {
	m := Machine{Cores: 2, CPU: "Example 3000", OS: "linux/amd64", Go: "go1.26.0", Commit: "0123456789ab"}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	cell := func(workload, name string, minutes int, e []controller.Compared) Result {
		return Result{
			Plan: Plan{Workload: workload, Switch: name, Pairs: 20, Block: 0.75, Rate: 400}, Effects: e, Machine: m,
			Requests: 18000, Ended: at.Add(time.Duration(minutes) * time.Minute), Seconds: 45, LoadBefore: 1.5, LoadAfter: 2.25,
		}
	}
	better, unclear, worse := "better", "unclear", "worse"
	pays := cell("high-frequency", catalog.EnableCache, 1, effects([]string{better, better, better, unclear, worse},
		[3]float64{-0.62, -0.66, -0.55}, [3]float64{-0.51, -0.56, -0.48}, [3]float64{-0.311, -0.35, -0.27}, [3]float64{0.001, -0.02, 0.03}, [3]float64{0.021, 0.011, 0.03}))
	pays.NotShown = []string{catalog.CacheTTL}
	trades := cell("low-latency", catalog.EnableCache, 2, effects([]string{better, worse}, [3]float64{-0.1, -0.2, -0.05}, [3]float64{0.1, 0.05, 0.2}))
	costs := cell("low-latency", catalog.EnableMonitoring, 3, effects([]string{worse, unclear}, [3]float64{0.05, 0.04, 0.06}, [3]float64{0.02, -0.99999, 22000}))
	none := cell("low-latency", catalog.EnableObjectPool, 4, effects([]string{unclear, better}, [3]float64{-0.01, -0.03, 0.02}, [3]float64{-0.012, -0.02, -0.001}))
	pilot := cell("high-frequency", catalog.EnableAutomatic, 5, effects([]string{better}, [3]float64{-0.6, -0.7, -0.5}))
	pilot.Plan.Autopilot, pilot.Kept, pilot.AutopilotCPU = 120, []string{catalog.EnableCache, catalog.EnableStep}, 0.0042
	idle := cell("low-latency", catalog.EnableAutomatic, 6, effects([]string{unclear}, [3]float64{0, -0.02, 0.02}))
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

// Every switch has its sentence.
func TestActs_hasEverySwitch(t *testing.T) {
	for _, s := range Switches() {
		assert.NotEmpty(t, acts[s], s)
	}
	assert.Len(t, acts, len(Switches()))
}
