package policies

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/controller"
)

// An optimization is turned on with the guide's values for the measured load.
func TestGuide_startsFromTheMeasuredBand(t *testing.T) {
	g, err := NewGuide("high-allocation")
	require.NoError(t, err)
	v := controller.View{Space: controller.Space{Knobs: catalog.Knobs()}, Offered: catalog.Optimizations()}
	for _, c := range []struct{ requests, want float64 }{{50, 50}, {500, 500}, {5000, 2000}} {
		v.Baseline = &controller.Sample{Over: time.Second, Totals: map[controller.Metric]float64{controller.Requests: c.requests}}
		p, ok := g.Propose(v)
		require.True(t, ok)
		require.Equal(t, map[string]float64{catalog.EnableObjectPool: 1, catalog.ObjectPoolMaxSize: c.want}, p.Change)
	}
	v.Baseline = nil
	p, _ := g.Propose(v)
	require.Equal(t, 1000.0, p.Change[catalog.ObjectPoolMaxSize], "without a measurement, what the workload's preset has")
}
