package executor

import (
	"context"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/controller"
)

// A field of the catalog that Config lacks would be a switch without an effect,
// and a field of Config that the catalog lacks could be set by nobody.
func TestConfig_hasTheFieldsOfTheCatalog(t *testing.T) {
	of := reflect.TypeFor[Config]()
	exported := 0
	for i := range of.NumField() {
		if of.Field(i).IsExported() {
			exported++
		}
	}
	require.Len(t, catalog.Fields(), exported)
	require.Len(t, accesses(), exported)
	for i, f := range configFields() {
		require.NotNil(t, f.get, f.Name)
		var c Config
		f.set(&c, f.Max)
		require.NotZero(t, reflect.ValueOf(c).Field(i).Interface(), "%s is field %d of Config", f.Name, i)
		require.Equal(t, f.Max, f.get(&c), f.Name)
	}
}

func TestConfig_aZeroIsTheDefaultInALiteralOnly(t *testing.T) {
	require.Equal(t, 0.5, Config{}.withDefaults().TelemetrySamplingRate)
	cfg := Defaults()
	cfg.TelemetrySamplingRate = 0
	ex := start(t, cfg)
	require.Equal(t, cfg, ex.Config())
	require.NoError(t, ex.Update(func(c *Config) { c.MemoryThreshold = 0 }))
	cfg.MemoryThreshold = 0
	require.NoError(t, ex.Apply(ex.Config()))
	require.Equal(t, cfg, ex.Config())
	require.EqualError(t, ex.Update(func(c *Config) { c.CacheSize = 0 }), "cache_size 0: must be within 1..1e+08")
}

func TestConfig_validateReportsAllFaults(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  Config
		want []string
	}{
		{"zero is the baseline", Config{}, nil},
		{"least", Config{CacheSize: 1, CacheTTL: time.Second, MaxConcurrentExecutions: 1, ConcurrencyTimeout: time.Millisecond}, nil},
		{"most", Config{CacheSize: 1e8, CacheTTL: 30 * 24 * time.Hour, MaxConcurrentExecutions: 1e5, ConcurrencyTimeout: time.Hour}, nil},
		{"negative size", Config{CacheSize: -1}, []string{"cache_size -1: must be within 1..1e+08"}},
		{"size", Config{CacheSize: 1e8 + 1}, []string{"cache_size 1.00000001e+08: must be"}},
		{"short ttl", Config{CacheTTL: time.Second - 1}, []string{"cache_ttl 999.999999ms: must be within 1s..720h0m0s"}},
		{"long ttl", Config{CacheTTL: 30*24*time.Hour + 1}, []string{"cache_ttl 720h0m0.000000001s: must be"}},
		{"limit", Config{MaxConcurrentExecutions: 1e5 + 1}, []string{"max_concurrent_executions 100001: must be within 1..100000"}},
		{"negative timeout", Config{ConcurrencyTimeout: -time.Second}, []string{"concurrency_timeout -1s: must be within 1ms..1h0m0s"}},
		{
			"all at once",
			Config{CacheSize: -2, CacheTTL: 1, MaxConcurrentExecutions: -3, ConcurrencyTimeout: 2 * time.Hour},
			[]string{"cache_size -2:", "cache_ttl 1ns:", "max_concurrent_executions -3:", "concurrency_timeout 2h0m0s:"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.cfg.Validate()
			_, newErr := New(c.cfg)
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			require.Equal(t, err, newErr, "New rejects, and repairs nothing")
			require.Len(t, strings.Split(err.Error(), "\n"), len(c.want))
			for _, w := range c.want {
				require.ErrorContains(t, err, w)
			}
		})
	}
}

func TestNew_automaticNeedsAnAutopilot(t *testing.T) {
	_, err := New(Config{EnableAutomaticOptimization: true})
	require.EqualError(t, err, "enable_automatic_optimization true: must be off without an autopilot to do it: start one with autotune.Start")

	ex := start(t, Config{})
	require.Error(t, ex.Apply(Config{EnableAutomaticOptimization: true, EnableCacheOptimization: true}))
	require.False(t, ex.Config().EnableCacheOptimization, "nothing of a rejected configuration is applied")

	watched, err := New(Config{EnableAutomaticOptimization: true}, WithAutopilot())
	require.NoError(t, err)
	require.True(t, watched.Config().EnableAutomaticOptimization)
	require.NoError(t, watched.Close())
}

func TestConfig_defaults(t *testing.T) {
	ex := start(t, Config{})
	require.Equal(t, Defaults(), ex.Config())
	require.Equal(t, Config{
		ObjectPoolMaxSize: 500, ObjectPoolCleanupThreshold: 0.75,
		ContextCacheSize: 1024, ContextCacheTTL: 30 * time.Minute,
		MemoryCleanupInterval: 5 * time.Minute, MemoryThreshold: 0.8,
		MaxConcurrentExecutions: 2 * runtime.GOMAXPROCS(0), ConcurrencyTimeout: 30 * time.Second,
		TelemetrySamplingRate: 0.5, TelemetryBatchSize: 400,
		PerformanceMonitoringInterval: 5 * time.Minute, PerformanceAlertThreshold: 0.2,
		ErrorCacheSize:                 1024,
		CircuitBreakerFailureThreshold: 10, CircuitBreakerRecoveryTimeout: time.Minute,
		CacheSize: 1024, CacheTTL: time.Hour,
		complete: true,
	}, ex.Config())
}

func TestSetting_readsBackEveryKnob(t *testing.T) {
	ex := start(t, Config{})
	space := controller.Space{Knobs: ex.Knobs()}
	require.NoError(t, space.Check())
	for _, o := range ex.Optimizations() {
		require.NoError(t, o.Check(space))
	}
	want := map[string]float64{
		catalog.CacheSize: 77, catalog.CacheTTL: 90.5, catalog.MaxConcurrentExecutions: 3, catalog.ConcurrencyTimeout: 0.25,
	}
	for _, k := range space.Knobs { // to another value than it has
		switch v, _ := catalog.Default(k.Name); {
		case k.Kind == controller.Switch:
			want[k.Name] = 1
		case want[k.Name] == 0:
			want[k.Name] = k.Clamp(v / 2)
			if want[k.Name] == v {
				want[k.Name] = v * 2
			}
		}
	}
	for round := range 2 { // with the parts not made yet, and made
		before := ex.Setting()
		require.NoError(t, space.CheckSetting(before))
		for name, v := range want {
			require.NoError(t, ex.ApplySetting(context.Background(), controller.SettingOf(map[string]float64{name: v, "gc_percent": 100})))
			got, ok := ex.Setting().Get(name)
			require.True(t, ok)
			require.Equal(t, v, got, "%s, round %d", name, round)
		}
		require.Equal(t, controller.SettingOf(want), ex.Setting())
		require.Equal(t, 90500*time.Millisecond, ex.Config().CacheTTL)
		require.NoError(t, ex.ApplySetting(context.Background(), before))
		require.Equal(t, before, ex.Setting(), "back to where it was")
	}
	st := ex.current.Load()
	require.EqualValues(t, st.config.CacheSize, st.store.cache.GetMaximum())
	require.Equal(t, st.config.CacheTTL, st.store.timeToLive())
}

func TestApplySetting_namesEveryFault(t *testing.T) {
	ex := start(t, Config{})
	before := ex.Setting()
	err := ex.ApplySetting(context.Background(), controller.SettingOf(map[string]float64{
		catalog.CacheSize: 0, catalog.CacheTTL: 0.5, catalog.EnableStep: 0.5,
		catalog.MaxConcurrentExecutions: 2.5, catalog.ConcurrencyTimeout: math.NaN(), catalog.EnableCache: 1,
	}))
	for _, want := range []string{
		"cache_size 0: must be within", "cache_ttl 500ms: must be within", "enable_step_optimization 0.5: must be 0 (off) or 1 (on)",
		"max_concurrent_executions 2.5: must be a whole number", "concurrency_timeout NaN: must be a finite number",
	} {
		require.ErrorContains(t, err, want)
	}
	require.Equal(t, before, ex.Setting())

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, ex.ApplySetting(ctx, before), context.Canceled)
	require.NoError(t, ex.Close())
	require.ErrorIs(t, ex.ApplySetting(context.Background(), before), ErrClosed)
}

func TestOptimizations_sayWhatTheStepsMakeOfThem(t *testing.T) {
	ex := start(t, Config{}, WithExporter(ignored{}))
	kinds := func() map[string]controller.Equivalence {
		m := map[string]controller.Equivalence{}
		for _, o := range ex.Optimizations() {
			m[o.Switch] = o.Equivalence
		}
		return m
	}
	exact := []string{catalog.EnableObjectPool, catalog.EnableContext, catalog.EnableMemory, catalog.EnableMonitoring, catalog.EnableAlgorithm}
	bounded := []string{catalog.EnableConcurrency, catalog.EnableTelemetry, catalog.EnableErrorHandling, catalog.EnableCircuitBreaker}
	want := map[string]controller.Equivalence{catalog.EnableCache: controller.Exact, catalog.EnableStep: controller.Exact}
	for _, name := range exact {
		want[name] = controller.Exact
	}
	for _, name := range bounded {
		want[name] = controller.Bounded
	}
	bind(t, ex, StepConfig[int, int]{Run: bare, Results: Pure()})
	require.Equal(t, want, kinds())
	bind(t, ex, StepConfig[int, int]{Run: bare, Results: FreshFor(time.Second)})
	want[catalog.EnableCache], want[catalog.EnableStep] = controller.Bounded, controller.Bounded
	require.Equal(t, want, kinds())
	for _, o := range ex.Optimizations() {
		require.NoError(t, o.Check(controller.Space{Knobs: ex.Knobs()}))
		require.Equal(t, o.Switch == catalog.EnableCache || o.Switch == catalog.EnableStep, o.Granted, o.Name)
	}
}

// Without an exporter there is no span to save: a trial would be one of nothing.
func TestOptimizations_telemetryNeedsAnExporter(t *testing.T) {
	has := func(ex *Executor) bool {
		return slices.ContainsFunc(ex.Optimizations(), func(o controller.Optimization) bool { return o.Switch == catalog.EnableTelemetry })
	}
	require.False(t, has(start(t, Config{EnableOptimizedTelemetry: true})))
	require.False(t, has(start(t, Config{}, WithExporter(nil))))
	require.True(t, has(start(t, Config{}, WithExporter(ignored{}))))
}

// ignored is an exporter of spans that nobody looks at.
type ignored struct{}

func (ignored) Export(context.Context, []*Span) error { return nil }

// What the owner turned on himself is granted, and the values that he gave are
// the limits of what may be traded away; what an autopilot moves changes neither.
func TestOptimizations_keepToWhatTheOwnerAskedFor(t *testing.T) {
	ex := start(t, Config{EnableOptimizedTelemetry: true, TelemetrySamplingRate: 0.25}, WithExporter(ignored{}))
	look := func() (granted map[string]bool, floor float64) {
		granted = map[string]bool{}
		for _, o := range ex.Optimizations() {
			granted[o.Name] = o.Granted
		}
		for _, k := range ex.Knobs() {
			if k.Name == catalog.TelemetrySamplingRate {
				floor = *k.Floor
			}
		}
		return granted, floor
	}
	for range 2 {
		granted, floor := look()
		require.True(t, granted[catalog.EnableTelemetry])
		require.False(t, granted[catalog.EnableConcurrency])
		require.Equal(t, 0.25, floor)
		require.NoError(t, ex.ApplySetting(t.Context(), controller.SettingOf(map[string]float64{
			catalog.EnableTelemetry: 0, catalog.TelemetrySamplingRate: 0.75, catalog.EnableConcurrency: 1,
		})))
	}
	require.NoError(t, ex.Update(func(c *Config) { c.TelemetrySamplingRate = 0 }))
	granted, floor := look()
	require.True(t, granted[catalog.EnableConcurrency], "on in a configuration that the owner put in force")
	require.Zero(t, floor)
}
