package catalog_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/controller"
)

func TestCatalog_isConsistent(t *testing.T) {
	fields := catalog.Fields()
	space := controller.Space{}
	for _, f := range fields {
		space.Knobs = append(space.Knobs, f.Knob)
	}
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
			require.Zero(t, knob.Period, "%s: a start that no trial can judge", name)
			from, _ := catalog.Default(name)
			require.NoError(t, knob.CheckMove(from, v), "a first trial may go from the default to the start")
		}
	}
	require.Len(t, catalog.Optimizations(), 12)
	require.Len(t, catalog.Knobs(), len(fields)-1, "all but the autopilot's own switch")
	for _, f := range fields {
		require.True(t, owned[f.Name], "%s belongs to no optimization", f.Name)
		require.NotEmpty(t, f.Does, f.Name)
		v, ok := catalog.Default(f.Name)
		require.True(t, ok, f.Name)
		require.NoError(t, f.CheckValue(v))
		switch f.Kind {
		case controller.Switch:
			require.Zero(t, v, "everything is off by default")
		case controller.Duration:
			require.Positive(t, f.Period, "%s acts too rarely for blocks to judge it", f.Name)
		default:
			require.Positive(t, f.MaxMove, f.Name)
		}
		if f.Kind != controller.Switch {
			require.NotEmpty(t, f.Unit, f.Name)
			require.NotZero(t, v, "%s: in a literal of executor.Config, zero stands for the default", f.Name)
		}
	}
	_, ok := catalog.Default("warp_drive")
	require.False(t, ok)
}

func TestCatalog_copiesAreTheCallers(t *testing.T) {
	o := catalog.Optimizations()
	o[0].Start[catalog.ObjectPoolMaxSize] = 1
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
			if o.Name != catalog.EnableMonitoring && o.Name != catalog.EnableAutomatic { // neither makes anything faster
				require.Contains(t, order, o.Name, workload)
			}
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
