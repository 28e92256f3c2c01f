package simulate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/internal/stats"
)

// Recorded measurements of software that did not change, with all their drift,
// jumps and periods: three virtual machines over 483 days (azure_vm_noise,
// CC-BY-4.0), and Java benchmarks of ten forks and 3,000 iterations (jmh). What
// is kept there is kept falsely; tests for consecutive blocks keep 8 to 25 % of
// these. A change of 5 % in the better direction is found wherever the noise
// lets it be planned within a trial.
func TestTrials_realMeasurements(t *testing.T) {
	data := os.Getenv("AUTOTUNE_DATA")
	if data == "" {
		t.Skip("AUTOTUNE_DATA is not set: no recorded measurements to run trials on")
	}
	perSeries := 25
	if testing.Short() || raceEnabled {
		perSeries = 4
	}
	open := func(glob, column string, group ...string) (out []Recording) {
		files, err := filepath.Glob(filepath.Join(data, glob))
		require.NoError(t, err)
		require.NotEmpty(t, files, "%s in AUTOTUNE_DATA", glob)
		for _, path := range files {
			all, err := OpenSeries(path, column, group...)
			require.NoError(t, err)
			out = append(out, all...)
		}
		return out
	}
	sets := map[string][]Recording{"azure_vm_noise": open("azure_vm_noise/*long*.csv.gz", "value", "vm")}
	for fork := range 10 {
		sets["jmh"] = append(sets["jmh"], open("jmh/*.csv.gz", fmt.Sprintf("fork_%d", fork))...)
	}
	nothing, gains := TrialsSummary{}, TrialsSummary{}
	for name, all := range sets {
		for _, block := range []int{1, 5} {
			fit, unfit := Usable(all, block)
			require.Empty(t, unfit)
			var quiet []Recording // a change of 5 % can be planned
			for _, r := range fit {
				if stats.PlannedPairs(TrialsAlpha, r.Noise(block), 0.05) < TrialsMaxPairs/2 {
					quiet = append(quiet, r)
				}
			}
			run := func(series []Recording, effect float64) TrialsSummary {
				got, err := Trials(context.Background(), series, TrialsConfig{
					N: perSeries * len(series), Block: block, Effect: effect, Maximize: effect > 0, Seed: 1,
				})
				require.NoError(t, err)
				return Summarize(got)
			}
			aa, gain := run(fit, 0), run(quiet, -0.05)
			t.Logf("%s, blocks of %d: %d series, false keeps %d of %d, called worse %d; 5 %% less on %d series: kept %.1f %%",
				name, block, len(fit), aa.Kept, aa.N, aa.Reverted, len(quiet), 100*gain.KeepRate)
			nothing.N, nothing.Kept, nothing.Reverted = nothing.N+aa.N, nothing.Kept+aa.Kept, nothing.Reverted+aa.Reverted
			gains.N, gains.Kept = gains.N+gain.N, gains.Kept+gain.Kept
			require.Zero(t, aa.Errored+gain.Errored)
		}
	}
	rate := func(k, n int) float64 { return float64(k) / float64(n) }
	low, _ := stats.Binomial(nothing.Kept, nothing.N, 0.98)
	require.LessOrEqual(t, low, 0.02, "false keeps")
	require.LessOrEqual(t, rate(nothing.Reverted, nothing.N), 0.03, "called worse")
	if !testing.Short() && !raceEnabled {
		require.LessOrEqual(t, rate(nothing.Kept, nothing.N), 0.02, "false keeps")
	}
	require.GreaterOrEqual(t, rate(gains.Kept, gains.N), 0.9, "a change of 5 % for the better is kept")
}
