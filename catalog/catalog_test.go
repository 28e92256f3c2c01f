package catalog_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/controller"
)

func TestCatalog_isConsistent(t *testing.T) {
	space := controller.Space{Knobs: catalog.Knobs()}
	require.NoError(t, space.Check())
	owned := map[string]bool{}
	for _, o := range catalog.Optimizations() {
		require.NoError(t, o.Check(space))
		require.Equal(t, o.Name, o.Switch)
		require.NotEmpty(t, o.Why)
		require.NotEmpty(t, o.WhileOff)
		require.NotEmpty(t, o.Needs)
		owned[o.Switch] = true
		for _, k := range o.Knobs {
			knob, _ := space.Knob(k)
			require.Equal(t, o.Switch, knob.Needs, "%s matters while its switch is on", k)
			owned[k] = true
		}
		for name, v := range o.Start {
			knob, _ := space.Knob(name)
			from, _ := catalog.Default(name)
			require.NoError(t, knob.CheckMove(from, v), "a first trial may go from the default to the start")
		}
	}
	for _, k := range space.Knobs {
		require.True(t, owned[k.Name], "%s belongs to no optimization", k.Name)
		v, ok := catalog.Default(k.Name)
		require.True(t, ok, k.Name)
		require.NoError(t, k.CheckValue(v))
		if k.Kind == controller.Switch {
			require.Zero(t, v, "everything is off by default")
		}
		if k.Kind == controller.Duration {
			require.Positive(t, k.Period, "%s acts too rarely for blocks to judge it", k.Name)
		}
	}
	_, ok := catalog.Default("warp_drive")
	require.False(t, ok)
}

func TestCatalog_copiesAreTheCallers(t *testing.T) {
	o := catalog.Optimizations()
	o[0].Start[catalog.CacheSize] = 1
	o[0].Knobs[0] = "x"
	o[0].Needs[0] = "x"
	require.NotEqual(t, o[0], catalog.Optimizations()[0])
	order, err := catalog.Order("")
	require.NoError(t, err)
	order[0] = "x"
	again, err := catalog.Order("")
	require.NoError(t, err)
	require.NotEqual(t, order, again)
}

func TestOrder_startsWithWhatTheGuideTurnsOn(t *testing.T) {
	for workload, first := range map[string][]string{
		"high-allocation": {"enable_object_pool", "enable_memory_optimization"},
		"large-context":   {"enable_context_optimization", "enable_memory_optimization"},
		"cpu-intensive":   {catalog.EnableConcurrency, "enable_optimized_telemetry"},
		"high-frequency":  {catalog.EnableCache, "enable_optimized_telemetry"},
		"":                {catalog.EnableCache, catalog.EnableStep},
	} {
		order, err := catalog.Order(workload)
		require.NoError(t, err)
		require.Equal(t, first, order[:len(first)], workload)
		for _, o := range catalog.Optimizations() {
			require.Contains(t, order, o.Name, workload)
		}
		slices.Sort(order)
		require.Len(t, slices.Compact(slices.Clone(order)), len(order), "%s: no name twice", workload)
	}
	order, err := catalog.Order("low-latency")
	require.NoError(t, err)
	require.Empty(t, order, "the guide advises the baseline")
	_, err = catalog.Order("high-frequenzy")
	require.EqualError(t, err, `workload "high-frequenzy": must be one of high-allocation, large-context, cpu-intensive, high-frequency, low-latency, or empty`)
}
