package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func simulated(t *testing.T, args ...string) string {
	t.Helper()
	p := begin(t, append([]string{"simulate"}, args...)...)
	require.Equal(t, 0, p.end(t, time.Minute), p.err.String())
	require.Empty(t, p.err.String())
	return p.out.String()
}

func TestSimulateScenario_aLineASeed(t *testing.T) {
	args := []string{"--scenario", "high-frequency", "--duration", "10m", "--seeds", "2", "--seed", "7"}
	out := simulated(t, append(args, "--json")...)
	require.Equal(t, out, simulated(t, append(args, "--json")...), "the same seed")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 2)
	for i, line := range lines {
		var got struct {
			Type, Scenario, Policy string
			Seed                   uint64
			Evaluations            int
			Tried                  []struct{ Name, Outcome, Reason string }
			Kept                   []string
			Final, Changed         map[string]float64
			Check                  []struct {
				Metric string
				Effect float64
			}
			Harm *float64 `json:"harm_latency_seconds"`
			Net  float64  `json:"latency_excess_seconds"`
		}
		require.NoError(t, json.Unmarshal([]byte(line), &got))
		assert.Equal(t, "run high-frequency guide/high-frequency", got.Type+" "+got.Scenario+" "+got.Policy)
		assert.Equal(t, uint64(7+i), got.Seed)
		assert.Len(t, got.Tried, got.Evaluations)
		assert.Equal(t, "enable_cache_optimization kept better", got.Tried[0].Name+" "+got.Tried[0].Outcome+" "+got.Tried[0].Reason)
		assert.Contains(t, got.Kept, "enable_cache_optimization")
		assert.Equal(t, 1.0, got.Final["enable_cache_optimization"])
		assert.Equal(t, 4096.0, got.Changed["cache_size"])
		require.Len(t, got.Check, 3)
		assert.Less(t, got.Check[0].Effect, -0.5, got.Check[0].Metric)
		assert.NotNil(t, got.Harm)
		assert.Negative(t, got.Net)
	}
}

// Recorded rates and keys are what the service gets: a cache does nothing for keys
// that never come again.
func TestSimulateScenario_recordedRequests(t *testing.T) {
	dir := t.TempDir()
	rates, keys := filepath.Join(dir, "rates.csv"), filepath.Join(dir, "keys.trace")
	require.NoError(t, os.WriteFile(rates, []byte("minute,requests\n0,10\n1,60\n2,30\n"), 0o600))
	var loop strings.Builder
	for i := range 2000 {
		loop.WriteString(strings.Repeat("9", 1+i%5) + strings.Repeat("0", i/500) + "\n")
	}
	require.NoError(t, os.WriteFile(keys, []byte(loop.String()), 0o600))
	text := simulated(t, "--scenario", "traced", "--rate", "300", "--duration", "8m", "--rates", rates, "--keys", keys, "--policy", "static")
	require.Contains(t, text, "0 trials in 0 pairs of blocks.\nNothing is set otherwise than at first.\n")
	require.Contains(t, text, "Against leaving everything as it was: +0 s of latency in all, +0 s of CPU time")
}

// A simulated run leaves a journal like a live one's, which replays.
func TestSimulateScenario_journal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	simulated(t, "--scenario", "high-frequency", "--duration", "10m", "--journal", dir)
	p := begin(t, "replay", dir)
	require.Equal(t, 0, p.end(t, time.Minute), p.err.String())
	require.Contains(t, p.out.String(), "identical: 1 sessions, ")
	p = begin(t, "simulate", "--scenario", "high-frequency", "--journal", dir)
	require.Equal(t, 2, p.end(t, time.Minute))
	require.Equal(t, "autotune: journal "+dir+": must be empty: a simulated run does not go on from another\n", p.err.String())
}

func TestSimulateScenario_badInput(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken")
	require.NoError(t, os.WriteFile(broken, []byte("second,requests\n0,1\n1,x\n"), 0o600))
	for _, c := range []struct{ args, want string }{
		{"--scenario hihg-frequency", `scenario "hihg-frequency": the nearest is "high-frequency"; must be one of everyday, `},
		{"--scenario x", `scenario "x": must be one of everyday, high-allocation, `},
		{"--scenario everyday --duration 1m", "duration 1m0s: must be at least 5m0s"},
		{"--scenario everyday --policy guess", `policy "guess": must be one of guide, static`},
		{"--scenario everyday --seeds 2 --journal j", "journal j: must be of one run, and --seeds asks for 2"},
		{"--scenario everyday --seeds 0", "seeds 0: must be at least 1"},
		{"--scenario everyday --rate -1", "rate -1: must be above 0"},
		{"--scenario everyday --rates /nowhere", "rates /nowhere: no such file or directory"},
		{"--scenario everyday --rates " + broken, `broken: line 3, column "requests": "x": must be a number of requests`},
		{"--scenario everyday --keys " + broken, `broken: line 1, column 1: "second,requests": must be a key`},
		{"--scenario everyday --column x", "--column: is no flag of simulate --scenario"},
	} {
		p := begin(t, append([]string{"simulate"}, strings.Fields(c.args)...)...)
		assert.Equal(t, 2, p.end(t, 20*time.Second), c.args)
		assert.Contains(t, p.err.String(), c.want)
		assert.Equal(t, 1, strings.Count(p.err.String(), "\n"), p.err.String())
		assert.Empty(t, p.out.String())
	}
}
