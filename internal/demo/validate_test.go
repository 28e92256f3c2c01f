package demo

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/controller"
	"autotune/executor"
)

func preset(t *testing.T, name string) Named {
	t.Helper()
	c, err := executor.Preset(name)
	require.NoError(t, err)
	return Named{name, c}
}

// As many pairs as fit, twenty where nothing is said; longer ones where work is
// put off.
func TestValidate_plans(t *testing.T) {
	for _, test := range []struct {
		candidate string
		duration  time.Duration
		pairs     int
		notShown  []string
	}{
		{"baseline", 0, 20, nil},
		{"baseline", 60 * time.Second, 20, nil},
		{"baseline", 28 * time.Second, 8, nil},
		{"high-frequency", 0, 20, []string{"cache_ttl"}},
		{"high-frequency", 3 * time.Minute, 13, []string{"cache_ttl"}},
		{"high-allocation", 0, 20, []string{"memory_cleanup_interval", "memory_threshold", "object_pool_cleanup_threshold"}},
	} {
		v := &validation{cfg: ValidateConfig{Baseline: preset(t, "baseline"), Candidate: preset(t, test.candidate), Duration: test.duration}}
		var out Validation
		plan, err := v.plan(&out)
		require.NoError(t, err, "%s %v", test.candidate, test.duration)
		assert.Equal(t, test.pairs, plan.Pairs, "%s %v", test.candidate, test.duration)
		assert.Equal(t, test.notShown, out.NotShown, "%s", test.candidate)
		assert.NoError(t, v.close(&out))
	}
}

func TestValidation_text(t *testing.T) {
	v := Validation{
		Baseline: "a.yaml", Candidate: "b.yaml", Verdict: "worse", Seed: 7, Seconds: 61.2,
		Load:     LoadReport{Sent: 24000, Failed: 2},
		Changes:  executor.Diff(preset(t, "baseline").Config, preset(t, "high-frequency").Config)[:2],
		NotShown: []string{"cache_ttl"},
		Check: []controller.Compared{
			{Metric: controller.LatencyP95, Effect: 0.31, Low: 0.2, High: 0.44, Pairs: 20, Verdict: "worse"},
			{Metric: controller.CPUPerRequest, Effect: -0.01, Low: -0.03, High: 0.02, Pairs: 20, Verdict: "unclear"},
		},
	}
	var b strings.Builder
	require.NoError(t, v.WriteText(&b))
	assert.Equal(t, `baseline   a.yaml
candidate  b.yaml
workload   everyday, seed 7, 61 s, 24000 requests, 2 failed, 0 dropped

Changes   enable_optimized_telemetry: false -> true
          telemetry_sampling_rate: 0.5 -> 0.01

Candidate against baseline, in randomized blocks
  latency_p95_seconds      worse    +31 % (+20 % to +44 %)  20 pairs
  cpu_seconds_per_request  unclear  -1 % (-3 % to +2 %)     20 pairs

Not shown cache_ttl
          (they act more rarely than a block lasts)

The candidate is worse: a regression.
`, b.String())
}
