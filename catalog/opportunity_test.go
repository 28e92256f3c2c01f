package catalog_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"autotune/catalog"
	"autotune/controller"
)

func TestOpportunities(t *testing.T) {
	repeats := measured{
		catalog.DuplicateInputRatio: 0.8, catalog.CacheMissRatio(256): 0.5, catalog.CacheMissRatio(1024): 0.3, catalog.CacheMissRatio(4096): 0.28, catalog.CacheMissRatio(16384): 0.28,
		catalog.RepeatedSeconds: 12, catalog.IdenticalInFlightRatio: 0.2,
	}
	for _, c := range []struct {
		name    string
		of      string
		m       measured
		share   float64
		figures string
	}{
		{"repeats", catalog.EnableCache, repeats, 0.45, "80 % of executions with a declared result repeat an input, which takes 50 % of the time of requests; 4096 entries would hold 90 % of those"},
		{"repeats of what costs nothing", catalog.EnableCache, measured{catalog.DuplicateInputRatio: 0.55, catalog.RepeatedSeconds: 0.24}, 0.01, "55 % of executions with a declared result repeat an input, which takes 1.0 % of the time of requests; 4096 entries would hold 100 % of those"},
		{"no repeats", catalog.EnableCache, measured{catalog.DuplicateInputRatio: 0}, 0, "no execution with a declared result repeats an input"},
		{"at the same time", catalog.EnableStep, repeats, 0.1, "20 % of executions begin while an identical one is in flight"},
		{"collection", catalog.EnableObjectPool, measured{controller.GCCPURatio: 0.24, catalog.PoolTypes: 2}, 0.24, "garbage collection takes 24 % of CPU time, at 125.0 KB allocated an execution"},
		{"nothing is pooled", catalog.EnableObjectPool, measured{controller.GCCPURatio: 0.24, catalog.PoolTypes: 0}, 0, "no step asks for pooled objects"},
		{"state", catalog.EnableContext, measured{catalog.StateCopiedBytes: 6e8}, 0.12, "25.0 KB of run state are copied an execution, about 12 % of CPU time"},
		{"no state", catalog.EnableContext, measured{catalog.StateCopiedBytes: 0}, 0, "no run state is copied"},
		{"pressed", catalog.EnableMemory, measured{controller.MemoryRatio: 0.9, controller.GCCPURatio: 0.4}, 0.4, "memory is at 90 % of its limit, and collection takes 40 % of CPU time"},
		{"not pressed", catalog.EnableMemory, measured{controller.MemoryRatio: 0.5}, 0, "memory is at 50 % of its limit, and cleanup begins at 60 % or more"},
		{"spans", catalog.EnableTelemetry, measured{catalog.TelemetrySeconds: 1.8}, 0.15, "exporting spans takes as long as 15 % of CPU time"},
		{"ordinary waits", catalog.EnableConcurrency, measured{catalog.SchedulerWaitSeconds: 8}, 0, "waiting for a processor takes 33 % of the time of requests, and up to 50 % is ordinary"},
		{"saturated", catalog.EnableConcurrency, measured{catalog.SchedulerWaitSeconds: 21.6}, 0.8, "waiting for a processor takes 90 % of the time of requests, and up to 50 % is ordinary"},
		{"failures", catalog.EnableCircuitBreaker, measured{catalog.Retries: 480, catalog.Fallbacks: 240, catalog.ErrorBursts: 3}, 0.3, "3.00 % of executions have an attempt that fails, in bursts: 3"},
		{"no failures", catalog.EnableErrorHandling, measured{catalog.Retries: 0}, 0, "0.00 % of executions have an attempt that fails"},
		{"identities", catalog.EnableAlgorithm, nil, 0.0009, "identities of inputs take 0.1 % of CPU time at most"},
		{"monitoring", catalog.EnableMonitoring, nil, 0, "it makes nothing faster: it tells when something got slower"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, ok := catalog.OpportunityOf(c.of)
			require.True(t, ok)
			share, figures, ok := o.Share(minute(c.m).value)
			require.True(t, ok)
			require.InDelta(t, c.share, share, 1e-3)
			require.Equal(t, c.figures, figures)
		})
	}
	_, ok := catalog.OpportunityOf("warp_drive")
	require.False(t, ok)
}

// Whatever is measured, a share is within 0..1; and where nothing is, nothing is said.
func TestOpportunities_areShares(t *testing.T) {
	names := []controller.Metric{
		catalog.DuplicateInputRatio, catalog.CacheMissRatio(4096), catalog.RepeatedSeconds, catalog.IdenticalInFlightRatio, catalog.PoolTypes,
		catalog.StateCopiedBytes, catalog.StateBytes, catalog.TelemetrySeconds, catalog.SchedulerWaitSeconds, catalog.QueueWaitSeconds, catalog.Retries, catalog.FailedExecutions,
		catalog.Executions, controller.CPUSeconds, controller.AllocBytes, controller.GCCPURatio, controller.MemoryRatio, controller.LatencyMean, controller.Completions,
	}
	rapid.Check(t, func(t *rapid.T) {
		m := measured{}
		for _, name := range names {
			if rapid.Bool().Draw(t, string(name)) {
				m[name] = rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0, 2), rapid.Float64Range(0, 1e9)).Draw(t, "value")
			}
		}
		for _, o := range catalog.Opportunities() {
			share, figures, ok := o.Share(m.value)
			if ok && (!(share >= 0 && share <= 1) || figures == "") {
				t.Fatalf("%s: %v, %q of %v", o.Of, share, figures, m)
			}
		}
		catalog.Recognize(m.value, "", false)
	})
	nearlyNone := measured{catalog.SchedulerWaitSeconds: 0, controller.LatencyMean: 1e-200, controller.Completions: 1e-200}
	waiting, _ := catalog.OpportunityOf(catalog.EnableConcurrency)
	_, _, ok := waiting.Share(nearlyNone.value)
	require.False(t, ok, "a time of requests that is too small for a number")
	for _, o := range catalog.Opportunities() {
		_, _, ok := o.Share(measured{}.value)
		require.Equal(t, o.Of == catalog.EnableMonitoring, ok, o.Of)
	}
}

func TestMoveShare(t *testing.T) {
	curve := minute(measured{
		catalog.CacheMissRatio(256): 0.5, catalog.CacheMissRatio(1024): 0.3, catalog.CacheMissRatio(4096): 0.28, catalog.CacheMissRatio(16384): 0.28,
		catalog.QueueWaitSeconds: 2.4, catalog.SchedulerWaitSeconds: 2.4, catalog.TelemetrySeconds: 1.2,
	})
	for name, c := range map[string]struct {
		knob     string
		from, to float64
		want     float64
	}{
		"a larger cache":           {catalog.CacheSize, 256, 1024, 0.2},
		"between sizes":            {catalog.CacheSize, 256, 512, 0.1},
		"large enough":             {catalog.CacheSize, 4096, 8192, 0},
		"a smaller one gains none": {catalog.CacheSize, 1024, 256, 0},
		"more permits":             {catalog.MaxConcurrentExecutions, 8, 16, 0.1},
		"fewer":                    {catalog.MaxConcurrentExecutions, 8, 4, 0},
		"fewer spans":              {catalog.TelemetrySamplingRate, 0.1, 0.05, 0.1},
		"more spans":               {catalog.TelemetrySamplingRate, 0.1, 0.2, 0},
		"larger batches":           {catalog.TelemetryBatchSize, 100, 200, 0.1},
		"smaller ones cost":        {catalog.TelemetryBatchSize, 100, 50, 0},
	} {
		t.Run(name, func(t *testing.T) {
			share, figures, ok := catalog.MoveShare(c.knob, c.from, c.to, curve.value)
			require.True(t, ok)
			require.InDelta(t, c.want, share, 1e-9)
			require.NotEmpty(t, figures)
			require.False(t, math.Signbit(share))
		})
	}
	_, _, ok := catalog.MoveShare(catalog.ObjectPoolMaxSize, 1, 2, curve.value)
	require.False(t, ok, "no signal tells")
	_, _, ok = catalog.MoveShare(catalog.CacheSize, 1, 2, minute(nil).value)
	require.False(t, ok)
}
