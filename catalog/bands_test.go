package catalog_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/controller"
)

func TestBands_areWhole(t *testing.T) {
	end := map[string]float64{}
	for _, b := range catalog.Bands() {
		for name, v := range b.Values {
			f, ok := catalog.FieldOf(name)
			require.True(t, ok, name)
			require.NoError(t, f.CheckValue(v), "%s, %s", b.Table, b.Name)
		}
		if b.Metric == "" {
			require.Zero(t, b.High)
			continue
		}
		require.Equal(t, end[b.Table], b.Low, "%s, %s: no gap and no overlap", b.Table, b.Name)
		require.Greater(t, b.High, b.Low)
		end[b.Table] = b.High
	}
	for table, high := range end {
		require.True(t, math.IsInf(high, 1), "%s ends", table)
	}
}

func TestPresets_areOfTheCatalog(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range catalog.Presets() {
		require.False(t, seen[p.Name])
		seen[p.Name] = true
		require.NotEmpty(t, p.For)
		for name, v := range p.Values {
			f, ok := catalog.FieldOf(name)
			require.True(t, ok, name)
			require.NoError(t, f.CheckValue(v), p.Name)
			if f.Needs != "" && !p.Overlay {
				require.NotZero(t, p.Values[f.Needs], "%s: %s would move nothing", p.Name, name)
			}
		}
	}
	for _, workload := range []string{"high-allocation", "large-context", "cpu-intensive", "high-frequency", "low-latency"} {
		require.True(t, seen[workload], "the guide's workloads have presets")
		order, err := catalog.Order(workload)
		require.NoError(t, err)
		for _, p := range catalog.Presets() {
			on := 0
			for name := range p.Values {
				if f, _ := catalog.FieldOf(name); f.Kind == controller.Switch {
					on++
				}
			}
			if p.Name == workload && on > 0 {
				for _, name := range order[:on] {
					require.NotZero(t, p.Values[name], "%s turns on what is tried first for it", workload)
				}
			}
		}
	}
}

func TestStart_followsTheMeasuredBand(t *testing.T) {
	optimization := func(name string) controller.Optimization {
		for _, o := range catalog.Optimizations() {
			if o.Name == name {
				return o
			}
		}
		t.Fatal(name)
		return controller.Optimization{}
	}
	for _, c := range []struct {
		name     string
		of       string
		measured map[controller.Metric]float64
		knob     string
		want     float64
	}{
		{"few operations", catalog.EnableObjectPool, map[controller.Metric]float64{catalog.Load: 99.9}, catalog.ObjectPoolMaxSize, 50},
		{"on the edge", catalog.EnableObjectPool, map[controller.Metric]float64{catalog.Load: 100}, catalog.ObjectPoolMaxSize, 500},
		{"many", catalog.EnableObjectPool, map[controller.Metric]float64{catalog.Load: 1e6}, catalog.ObjectPoolMaxSize, 2000},
		{"not measured", catalog.EnableObjectPool, nil, catalog.ObjectPoolMaxSize, 1000},
		{"small state", catalog.EnableContext, map[controller.Metric]float64{catalog.StateBytes: 100, catalog.Load: 1e6}, catalog.ContextCacheSize, 512},
		{"large state", catalog.EnableContext, map[controller.Metric]float64{catalog.StateBytes: 10 * 1024}, catalog.ContextCacheSize, 2048},
		{"no band", catalog.EnableCache, map[controller.Metric]float64{catalog.Load: 1e6}, catalog.CacheSize, 4096},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := optimization(c.of)
			start := catalog.Start(o, func(m controller.Metric) (float64, bool) { v, ok := c.measured[m]; return v, ok })
			require.Equal(t, c.want, start[c.knob])
			for name := range start {
				require.Contains(t, o.Knobs, name, "one optimization a trial")
			}
		})
	}
}
