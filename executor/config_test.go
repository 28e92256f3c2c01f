package executor

import (
	"context"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/controller"
)

func TestConfig_everyKnobOfTheCatalogHasAField(t *testing.T) {
	var have []string
	for _, f := range configFields() {
		have = append(have, f.knob.Name)
	}
	var want []string
	for _, k := range catalog.Knobs() {
		want = append(want, k.Name)
	}
	require.Equal(t, want, have, "what the catalog offers and the executor cannot set would be a switch without an effect")
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

	watched, err := NewWithAutopilot(Config{EnableAutomaticOptimization: true})
	require.NoError(t, err)
	require.True(t, watched.Config().EnableAutomaticOptimization)
	require.NoError(t, watched.Close())
}

func TestConfig_defaults(t *testing.T) {
	ex := start(t, Config{})
	require.Equal(t, Config{
		CacheSize: 1024, CacheTTL: time.Hour,
		MaxConcurrentExecutions: 2 * runtime.GOMAXPROCS(0), ConcurrencyTimeout: 30 * time.Second,
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
		catalog.EnableCache: 1, catalog.CacheSize: 77, catalog.CacheTTL: 90.5,
		catalog.EnableStep: 1, catalog.EnableConcurrency: 1,
		catalog.MaxConcurrentExecutions: 3, catalog.ConcurrencyTimeout: 0.25,
	}
	for round := range 2 { // with the cache not made yet, and made
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
	st := ex.state.Load()
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
	ex := start(t, Config{})
	kinds := func() map[string]controller.Equivalence {
		m := map[string]controller.Equivalence{}
		for _, o := range ex.Optimizations() {
			m[o.Switch] = o.Equivalence
		}
		return m
	}
	bind(t, ex, StepConfig[int, int]{Run: bare, Results: Pure()})
	require.Equal(t, map[string]controller.Equivalence{
		catalog.EnableCache: controller.Exact, catalog.EnableStep: controller.Exact, catalog.EnableConcurrency: controller.Bounded,
	}, kinds())
	bind(t, ex, StepConfig[int, int]{Run: bare, Results: FreshFor(time.Second)})
	require.Equal(t, map[string]controller.Equivalence{
		catalog.EnableCache: controller.Bounded, catalog.EnableStep: controller.Bounded, catalog.EnableConcurrency: controller.Bounded,
	}, kinds())
	for _, o := range ex.Optimizations() {
		require.NoError(t, o.Check(controller.Space{Knobs: ex.Knobs()}))
		require.Equal(t, o.Switch != catalog.EnableConcurrency, o.Granted)
	}
}
