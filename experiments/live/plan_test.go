package live

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/executor"
	"autotune/internal/demo"
)

func planned(t *testing.T, only ...string) []Plan {
	t.Helper()
	o := Options{Out: "unused", Only: only}
	require.NoError(t, o.setDefaults())
	plans, err := o.plans()
	require.NoError(t, err)
	return plans
}

// Twelve switches on five workloads, and each cell compares its switch: a
// comparison of a configuration with itself would look like a switch without effect.
func TestPlans_compareTheSwitchAlone(t *testing.T) {
	plans := planned(t)
	assert.Len(t, plans, 65)
	seeds := map[uint64]bool{}
	for _, p := range plans {
		_, err := demo.WorkloadNamed(p.Workload)
		require.NoError(t, err)
		seeds[p.Seed] = true
		if p.Switch == catalog.EnableAutomatic {
			continue
		}
		without, with, err := p.configurations(t.Context())
		require.NoError(t, err, p.name())
		differences := executor.Diff(without, with)
		if p.Switch == Control {
			assert.Empty(t, differences, p.name())
			continue
		}
		require.Len(t, differences, 1, p.name())
		assert.Equal(t, p.Switch+": false -> true", differences[0].String())
	}
	assert.Len(t, seeds, 65)
}

// The numbers are the guide's for the workload, else those that a trial starts with.
func TestPlans_haveTheGuidesValues(t *testing.T) {
	for cell, want := range map[string]map[string]float64{
		"high-allocation/" + catalog.EnableObjectPool: {catalog.ObjectPoolMaxSize: 1000, catalog.ObjectPoolCleanupThreshold: 0.8},
		"low-latency/" + catalog.EnableObjectPool:     {catalog.ObjectPoolMaxSize: 1000},
		"high-frequency/" + catalog.EnableTelemetry:   {catalog.TelemetrySamplingRate: 0.01, catalog.TelemetryBatchSize: 2000},
		"cpu-intensive/" + catalog.EnableTelemetry:    {catalog.TelemetrySamplingRate: 0.1, catalog.TelemetryBatchSize: 1000},
		"high-frequency/" + catalog.EnableCache:       {catalog.CacheSize: 4096, catalog.CacheTTL: 7200},
		"cpu-intensive/" + catalog.EnableConcurrency:  {catalog.MaxConcurrentExecutions: 4 * float64(catalog.Cores()), catalog.ConcurrencyTimeout: 60},
		"large-context/" + catalog.EnableContext:      {catalog.ContextCacheSize: 2048, catalog.ContextCacheTTL: 3600},
		"large-context/" + catalog.EnableAlgorithm:    {catalog.EnableCache: 1, catalog.CacheSize: 4096},
		"large-context/" + catalog.EnableMemory:       {catalog.MemoryCleanupInterval: 1, catalog.MemoryThreshold: 0},
		"large-context/" + catalog.EnableMonitoring:   {},
	} {
		plans := planned(t, cell)
		require.Len(t, plans, 1)
		assert.Equal(t, want, plans[0].Given, cell)
	}
}

func TestPlans_filters(t *testing.T) {
	assert.Len(t, planned(t, "low-latency"), 13)
	assert.Len(t, planned(t, catalog.EnableCache, "low-latency"), 17)
	o := Options{Only: []string{"low-latency", "low-latency/cache_optimization", "slow"}}
	_, err := o.plans()
	assert.ErrorContains(t, err, `only "low-latency/cache_optimization": must be a workload (high-allocation, `)
	assert.ErrorContains(t, err, `nearest is enable_cache_optimization`)
	assert.ErrorContains(t, err, `only "slow": must be`)
	assert.NotContains(t, err.Error(), `only "low-latency":`)
}

// Another way to measure a cell is another plan.
func TestPlan_equal(t *testing.T) {
	p := planned(t, "high-frequency/"+catalog.EnableCache)[0]
	assert.True(t, p.equal(planned(t, "high-frequency/"+catalog.EnableCache)[0]))
	for name, change := range map[string]func(*Plan){
		"pairs": func(p *Plan) { p.Pairs++ },
		"block": func(p *Plan) { p.Block *= 2 },
		"seed":  func(p *Plan) { p.Seed++ },
		"given": func(p *Plan) { p.Given = map[string]float64{catalog.CacheSize: 1} },
	} {
		other := p
		change(&other)
		assert.False(t, p.equal(other), name)
	}
}

func TestOptions_sayEverythingThatIsWrong(t *testing.T) {
	o := Options{Pairs: 2, Block: time.Millisecond, Autopilot: time.Second}
	err := o.setDefaults()
	for _, want := range []string{"out is empty: must name", "pairs 2: must be at least 8", "block 1ms: must be at least 250ms", "autopilot 1s: must be at least 1m0s"} {
		assert.ErrorContains(t, err, want)
	}
}
