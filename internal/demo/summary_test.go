package demo

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune"
	"autotune/controller"
)

// ended is a run in which the cache was kept, harm was found, the placebo was
// not decided, and the limit on concurrency had no time.
func ended() (autotune.Status, []controller.Optimization) {
	initial := controller.SettingOf(map[string]float64{"enable_cache_optimization": 0, "cache_size": 1024, "placebo": 0, "harmful": 0})
	safe := initial.With(map[string]float64{"enable_cache_optimization": 1, "cache_size": 4096})
	effect := func(mid, low, high float64) []controller.Effect {
		return []controller.Effect{{Metric: controller.LatencyP95, Change: mid, Low: low, High: high}}
	}
	st := autotune.Status{Status: controller.Status{
		Phase: controller.Ended, Initial: initial, Safe: safe,
		Ended: []controller.Trial{
			{Optimization: "enable_cache_optimization", Move: "on", Pairs: 9, Cap: 24, Outcome: controller.Kept, Reason: controller.Better, Effects: effect(-0.72, -0.79, -0.2)},
			{Optimization: "placebo", Move: "on", Pairs: 3, Cap: 22, Outcome: controller.Inconclusive, Reason: controller.Undecidable, Effects: effect(0.01, -1, 22025.5)},
			{Optimization: "harmful", Move: "on", Pairs: 7, Cap: 19, Outcome: controller.Reverted, Reason: controller.Worse, Effects: effect(1.55, 1.14, 2.38)},
		},
	}}
	var offered []controller.Optimization
	for _, name := range []string{"enable_cache_optimization", "placebo", "harmful", "enable_concurrency_optimization"} {
		offered = append(offered, controller.Optimization{Name: name, Switch: name})
	}
	return st, offered
}

func TestSummary_saysWhatBecameOfEach(t *testing.T) {
	s := Summary{Type: "summary", Seed: 7, Seconds: 221}
	s.take(ended())
	assert.Equal(t, []string{"enable_cache_optimization"}, s.Kept)
	assert.Equal(t, []string{"placebo", "harmful"}, s.Reverted)
	assert.Contains(t, s.Untried["enable_concurrency_optimization"], "no time left")
	assert.False(t, s.Improved(), "not before the check")
	s.Check = []controller.Compared{
		{Metric: controller.LatencyP95, Effect: -0.77, Low: -0.84, High: -0.62, Pairs: 12, Verdict: "better"},
		{Metric: controller.LatencyMean, Effect: 0.01, Low: -0.1, High: 0.1, Pairs: 12, Verdict: "unclear"},
	}
	assert.True(t, s.Improved())

	var out strings.Builder
	require.NoError(t, s.WriteText(&out))
	for _, line := range strings.Split(out.String(), "\n") {
		assert.LessOrEqual(t, len(line), 80, line)
	}
	for _, want := range []string{
		"  enable_cache_optimization on: kept, better, 9 of 24 pairs\n      latency_p95_seconds -72 % (-79 % to -20 %)\n",
		"  placebo on: inconclusive, undecidable, 3 of 22 pairs\n      latency_p95_seconds +1 % (? to ?)\n",
		"Kept      enable_cache_optimization\nPut back  placebo\n          harmful\n",
		"Changed   cache_size 1024 -> 4096\n          enable_cache_optimization 0 -> 1\n",
	} {
		assert.Contains(t, out.String(), want)
	}

	s.Check[1].Verdict = "worse"
	assert.False(t, s.Improved())
}

func TestSummary_auditsAreNotTried(t *testing.T) {
	st, offered := ended()
	before := Summary{}
	before.take(st, offered)
	st.Ended = append(st.Ended, controller.Trial{
		ID: 9, Audit: 1, Optimization: "enable_cache_optimization", Move: controller.MoveOff, Outcome: controller.Kept, Reason: controller.Better,
	})
	st.Safe = st.Initial
	s := Summary{}
	s.take(st, offered)
	assert.Equal(t, before.Tried, s.Tried)
	assert.Equal(t, []string{"enable_cache_optimization off"}, s.RolledBack)
	assert.Empty(t, s.Kept)
	assert.Contains(t, s.Reverted, "enable_cache_optimization")
}
