package plant

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/policies"
)

// What a run says about itself agrees: what it kept is what is set otherwise, and
// what that truly does is what an oracle finds.
func TestTune_tellsTheTruth(t *testing.T) {
	s := mustNamed(t, "high-frequency")
	guide, err := policies.NewGuide(s.Workload)
	require.NoError(t, err)
	r, err := Tune(context.Background(), RunConfig{Scenario: s, Seed: 1, Duration: 15 * time.Minute, Policy: guide})
	require.NoError(t, err)
	require.Contains(t, r.Kept, "enable_cache_optimization")
	require.Equal(t, 1.0, r.Changed["enable_cache_optimization"])
	require.InDelta(t, 15*60, r.Seconds, 30)
	require.Positive(t, r.DecidedSeconds)
	was, err := s.Cost(s.Initial(), 1, checkFor)
	require.NoError(t, err)
	is, err := s.Cost(s.Initial().With(r.Changed), 1, checkFor)
	require.NoError(t, err)
	require.InDelta(t, is.CPUPerRequest/was.CPUPerRequest-1, r.Check[1].Effect, 1e-12)
	require.Less(t, r.Check[1].Effect, -0.5)
	require.Negative(t, r.CPUExcessSeconds)
	require.GreaterOrEqual(t, r.HarmSeconds, 0.0)

	_, err = Tune(context.Background(), RunConfig{Scenario: s, Policy: guide, Duration: time.Minute})
	require.EqualError(t, err, "duration 1m0s: must be at least 5m0s: noise and a trial need that long")
	_, err = Tune(context.Background(), RunConfig{Scenario: s})
	require.EqualError(t, err, "policy: missing: must say what to try")
}

// A day of 100 requests/s under the full controller.
func BenchmarkDay(b *testing.B) {
	s := mustNamed(b, "high-frequency").AtRate(100)
	b.ReportAllocs()
	for b.Loop() {
		guide, err := policies.NewGuide(s.Workload)
		require.NoError(b, err)
		core := RunConfig{Scenario: s, Seed: 1, Duration: 24 * time.Hour, Policy: guide}
		service, err := core.play(context.Background(), &Run{})
		require.NoError(b, err)
		b.ReportMetric(float64(service.Counts().Arrived), "requests")
	}
}
