package plant

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/controller"
)

// Each knob that acts, where it pays and where it costs: relative changes of true
// costs, with room for another seed.
func TestSwitches_payAndCost(t *testing.T) {
	mean, p95, cpu, rss, failing := controller.LatencyMean, controller.LatencyP95, controller.CPUPerRequest, controller.RSSBytes, controller.ErrorRatio
	type values = map[string]float64
	cached := values{catalog.EnableCache: 1, catalog.CacheSize: 4096}
	for _, c := range []struct {
		scenario      string
		given, change values
		metric        controller.Metric
		low, high     float64
	}{
		{"high-allocation", nil, values{catalog.EnableObjectPool: 1}, cpu, -0.5, -0.15},
		{"high-allocation", values{catalog.EnableObjectPool: 1}, values{catalog.ObjectPoolMaxSize: 1}, cpu, 0.0001, 0.2}, // bursts find none
		{"large-context", nil, values{catalog.EnableContext: 1}, cpu, -0.4, -0.1},
		{"large-context", nil, values{catalog.EnableContext: 1}, mean, -0.3, -0.05},
		{"memory-constrained", nil, values{catalog.EnableMemory: 1}, cpu, -0.8, -0.3},
		{"memory-constrained", nil, values{catalog.EnableMemory: 1}, mean, 0.02, 0.5},
		{"memory-constrained", values{catalog.EnableMemory: 1}, values{catalog.MemoryThreshold: 1}, rss, 0.02, 0.5},
		{"overload", nil, values{catalog.EnableConcurrency: 1, catalog.MaxConcurrentExecutions: 4}, mean, -0.999, -0.5},
		{"overload", nil, values{catalog.EnableConcurrency: 1, catalog.MaxConcurrentExecutions: 4}, failing, 0.02, 0.5},
		{"outage", nil, values{catalog.EnableConcurrency: 1, catalog.MaxConcurrentExecutions: 4}, mean, 0.2, 10}, // those who wait for others hold permits
		{"traced", nil, values{catalog.EnableTelemetry: 1, catalog.TelemetrySamplingRate: 0.1, catalog.TelemetryBatchSize: 1000}, cpu, -0.8, -0.3},
		{"traced", nil, values{catalog.EnableTelemetry: 1, catalog.TelemetrySamplingRate: 1, catalog.TelemetryBatchSize: 400}, cpu, -0.7, -0.2},
		{"traced", nil, values{catalog.EnableMonitoring: 1}, cpu, 0.0001, 0.01},
		{"outage", nil, values{catalog.EnableErrorHandling: 1}, mean, -0.8, -0.2},
		{"outage", nil, values{catalog.EnableCircuitBreaker: 1}, p95, -0.95, -0.3},
		{"high-frequency", nil, cached, cpu, -0.95, -0.6},
		{"high-frequency", nil, values{catalog.EnableCache: 1, catalog.CacheSize: 10}, cpu, -0.6, -0.05},
		{"high-frequency", nil, values{catalog.EnableCache: 1, catalog.CacheTTL: 1}, cpu, -0.75, -0.2},
		{"memory-constrained", nil, values{catalog.EnableCache: 0}, cpu, -0.6, -0.05}, // it costs more collection than it saves
		{"memory-constrained", nil, values{catalog.EnableCache: 0}, mean, 0.3, 5},
		{"stampede", nil, values{catalog.EnableStep: 1}, mean, -0.999, -0.5},
		{"traced", nil, values{catalog.EnableStep: 1}, mean, 0.0005, 0.05},
		{"traced", cached, values{catalog.EnableAlgorithm: 1}, cpu, -0.05, -0.0005},
		{"high-allocation", nil, values{GCPercent: 400}, cpu, -0.5, -0.05},
		{"high-allocation", nil, values{GCPercent: 400}, rss, 0.1, 3},
	} {
		s := mustNamed(t, c.scenario)
		from := s.Initial().With(c.given)
		was, err := s.Cost(from, 1, 3*time.Minute)
		require.NoError(t, err)
		is, err := s.Cost(from.With(c.change), 1, 3*time.Minute)
		require.NoError(t, err)
		a, _ := was.Of(c.metric)
		b, _ := is.Of(c.metric)
		effect := b/a - 1
		if c.metric == controller.ErrorRatio {
			effect = b - a
		}
		t.Logf("%s %v %v: %s %+.4f", c.scenario, c.given, c.change, c.metric, effect)
		if effect < c.low || effect > c.high {
			t.Errorf("%s %v %v: %s changes by %+.4f, not within %v..%v", c.scenario, c.given, c.change, c.metric, effect, c.low, c.high)
		}
	}
}

// What switching does to what is warm.
func TestSwitches_whatIsWarm(t *testing.T) {
	s, err := mustNamed(t, "traced").Start(1)
	require.NoError(t, err)
	set := func(values map[string]float64) (missRatio float64) {
		require.NoError(t, s.Apply(ctx, s.Setting().With(values)))
		was := s.Counts()
		_, err := s.Observe(ctx, 1, 300*time.Millisecond)
		require.NoError(t, err)
		is := s.Counts()
		return float64(is.Misses-was.Misses) / float64(is.Misses-was.Misses+is.Hits-was.Hits)
	}
	cold := set(map[string]float64{catalog.EnableCache: 1, catalog.CacheSize: 100_000})
	_, err = s.Observe(ctx, 1, 20*time.Second)
	require.NoError(t, err)
	warm := set(nil)
	require.Less(t, warm, 0.7*cold)
	set(map[string]float64{catalog.EnableCache: 0})
	require.Less(t, set(map[string]float64{catalog.EnableCache: 1}), 0.7*cold, "off keeps what is warm")
	require.Greater(t, set(map[string]float64{catalog.EnableAlgorithm: 1}), 0.8*cold, "another identity finds nothing")
	require.Less(t, set(map[string]float64{catalog.EnableAlgorithm: 0}), 0.7*cold)
	require.Greater(t, set(map[string]float64{catalog.CacheSize: 10}), 0.7*cold, "a small one keeps little")
}

// Circuits open in an outage, reject, and close when it is over; while they are
// open the answers are fallbacks, and no request fails.
func TestSwitches_circuitsOpenAndClose(t *testing.T) {
	s, err := mustNamed(t, "outage").Start(1)
	require.NoError(t, err)
	require.NoError(t, s.Apply(ctx, s.Setting().With(map[string]float64{catalog.EnableCircuitBreaker: 1, catalog.CircuitBreakerFailureThreshold: 5, catalog.CircuitBreakerRecoveryTimeout: 1})))
	opened, closed := 0, 0
	was := shut
	for range 1200 {
		_, err := s.Observe(ctx, 1, 250*time.Millisecond)
		require.NoError(t, err)
		is := s.links[1].circuit.state
		if is == open && was == shut {
			opened++
		}
		if is == shut && was != shut {
			closed++
		}
		was = is
	}
	require.GreaterOrEqual(t, opened, 2)
	require.GreaterOrEqual(t, closed, 2)
	c := s.Counts()
	require.Positive(t, c.Broken)
	require.Zero(t, c.Failed)
}

// Rates of spans are exact in expectation, and retries have a budget.
func TestSwitches_counts(t *testing.T) {
	counts := func(scenario string, values map[string]float64) Counts {
		s, err := mustNamed(t, scenario).Start(1)
		require.NoError(t, err)
		require.NoError(t, s.Apply(ctx, s.Setting().With(values)))
		_, err = s.Observe(ctx, 1, time.Minute)
		require.NoError(t, err)
		return s.Counts()
	}
	all := counts("traced", nil)
	require.InDelta(t, float64(all.Arrived), float64(all.Spans), 10)
	tenth := counts("traced", map[string]float64{catalog.EnableTelemetry: 1, catalog.TelemetrySamplingRate: 0.1})
	require.InEpsilon(t, 0.1*float64(all.Spans), float64(tenth.Spans), 0.03)
	require.Zero(t, tenth.Dropped)

	free, bounded := counts("outage", nil), counts("outage", map[string]float64{catalog.EnableErrorHandling: 1})
	require.Greater(t, float64(free.Retries), 1.5*float64(bounded.Retries))
	require.Positive(t, bounded.Retries)
}

// Patience that is cut while nobody waits holds for the next one who does, though
// an event was planned by the longer one.
func TestService_shorterPatienceHoldsAtOnce(t *testing.T) {
	s, err := mustNamed(t, "overload").Start(1)
	require.NoError(t, err)
	patient := s.Setting().With(map[string]float64{"enable_concurrency_optimization": 1, "max_concurrent_executions": 1, "concurrency_timeout": 30})
	for range 20 {
		require.NoError(t, s.Apply(ctx, patient))
		for s.permits.looks == forever {
			_, err := s.Observe(ctx, 1, time.Millisecond)
			require.NoError(t, err)
		}
		require.NoError(t, s.Apply(ctx, s.Setting().With(map[string]float64{"enable_concurrency_optimization": 0}))) // all are let in
		require.NoError(t, s.Apply(ctx, patient.With(map[string]float64{"concurrency_timeout": 0.001})))
		for range 100 {
			_, err := s.Observe(ctx, 2, time.Millisecond)
			require.NoError(t, err)
			require.LessOrEqual(t, s.inQueue(), time.Millisecond)
		}
	}
}
