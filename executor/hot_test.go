package executor

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The cache goes by a hash. Two identities that have the same one take each
// other's place, and neither gets the other's result: not of another type, and
// not of the same one.
func TestCache_identitiesWithTheSameHash(t *testing.T) {
	ex := start(t, Config{EnableCacheOptimization: true, EnableAlgorithmOptimization: true})
	runs := 0
	run := func(add uint64) func(context.Context, uint64) (uint64, error) {
		return func(_ context.Context, in uint64) (uint64, error) { runs++; return in + add, nil }
	}
	a := bind(t, ex, StepConfig[uint64, uint64]{Run: run(1), Results: Pure()})
	b := bind(t, ex, StepConfig[uint64, uint64]{Run: run(2), Results: Pure()})
	c := bind(t, ex, StepConfig[uint64, string]{
		Run:     func(_ context.Context, in uint64) (string, error) { runs++; return strconv.FormatUint(in, 10), nil },
		Results: Pure(),
	})
	const in = uint64(7)
	inB, inC := in^a.identify.salt^b.identify.salt, in^a.identify.salt^c.identify.salt
	require.Equal(t, a.identify.hash(in), b.identify.hash(inB))
	require.Equal(t, a.identify.hash(in), c.identify.hash(inC))
	for i := range 3 {
		require.Equal(t, in+1, must(a.Run(t.Context(), in))(t))
		require.Equal(t, inB+2, must(b.Run(t.Context(), inB))(t))
		require.Equal(t, strconv.FormatUint(inC, 10), must(c.Run(t.Context(), inC))(t))
		require.Equal(t, strconv.FormatUint(inC, 10), must(c.Run(t.Context(), inC))(t), "it has the place now")
		require.Equal(t, 3*(i+1), runs)
	}
	require.EqualValues(t, 3, ex.Stats().CacheHits)
	require.EqualValues(t, 1, ex.Stats().CacheEntries)
	b.Invalidate(inB) // takes its neighbor along, which is safe
	require.Equal(t, strconv.FormatUint(inC, 10), must(c.Run(t.Context(), inC))(t))
	require.Equal(t, 10, runs)
}

// What an execution allocates, that of the step's function apart: nothing, for
// each way that costs only nanoseconds.
func TestStep_doesNotAllocate(t *testing.T) {
	if raceOn {
		t.Skip("the race detector allocates")
	}
	ctx := t.Context()
	cached := Config{EnableCacheOptimization: true}
	typed := Config{EnableCacheOptimization: true, EnableAlgorithmOptimization: true}
	both := Config{EnableCacheOptimization: true, EnableAlgorithmOptimization: true, EnableStepOptimization: true}
	plain := StepConfig[int, int]{Run: bare}
	pure := StepConfig[int, int]{Run: bare, Results: Pure()}
	for name, c := range map[string]struct {
		cfg  Config
		step StepConfig[int, int]
	}{
		"baseline":                     {Config{}, plain},
		"baseline, attempts, fallback": {Config{}, StepConfig[int, int]{Run: bare, Attempts: 3, Fallback: func(context.Context, int, error) (int, error) { return 0, nil }}},
		"baseline, declared":           {Config{}, pure},
		"object pool":                  {Config{EnableObjectPool: true}, plain},
		"context":                      {Config{EnableContextOptimization: true}, plain},
		"memory":                       {Config{EnableMemoryOptimization: true}, plain},
		"telemetry, no exporter":       {Config{EnableOptimizedTelemetry: true}, plain},
		"monitoring":                   {Config{EnablePerformanceMonitoring: true, PerformanceMonitoringInterval: time.Hour}, plain},
		"error handling":               {classifying, StepConfig[int, int]{Run: bare, Attempts: 3}},
		"circuit breaker":              {Config{EnableCircuitBreaker: true}, plain},
		"cache hit, digest":            {cached, pure},
		"cache hit, typed":             {typed, pure},
		"cache hit, copied":            {typed, StepConfig[int, int]{Run: bare, Results: Pure(), Copy: ReadOnly[int]}},
		"cache hit before sharing":     {both, pure},
		"algorithm":                    {Config{EnableAlgorithmOptimization: true}, pure},
	} {
		s := bind(t, start(t, c.cfg), c.step)
		must(s.Run(ctx, 123456))(t)
		require.Zero(t, testing.AllocsPerRun(1000, func() { _, _ = s.Run(ctx, 123456) }), name)
	}
	hit := bind(t, start(t, typed), StepConfig[string, int]{Run: bareString, Results: Pure()})
	must(hit.Run(ctx, "a"))(t)
	require.Zero(t, testing.AllocsPerRun(1000, func() { _, _ = hit.Run(ctx, "a") }), "cache hit of a string")
}
