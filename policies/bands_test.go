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

// Numbers that act too rarely for a trial are proposed last, with the guide's
// values for the measured load, and only while they matter.
func TestGuide_advisesWhatNoTrialCanJudge(t *testing.T) {
	g, err := NewGuide("")
	require.NoError(t, err)
	pool := catalog.Optimizations()[:1]
	on := map[string]float64{catalog.EnableObjectPool: 1, catalog.ObjectPoolMaxSize: 2000, catalog.ObjectPoolCleanupThreshold: 0.75}
	v := controller.View{
		Space: controller.Space{Knobs: catalog.Knobs()}, Offered: pool, Safe: controller.SettingOf(on), Blocked: map[string]string{},
		Baseline: &controller.Sample{Over: time.Second, Totals: map[controller.Metric]float64{controller.Requests: 5000}},
	}
	var last controller.Proposal
	for {
		p, ok := g.Propose(v)
		if !ok {
			break
		}
		v.Blocked[p.BlockKey()], last = "tried", p
	}
	require.Equal(t, map[string]float64{catalog.ObjectPoolCleanupThreshold: 0.6}, last.Change)
	require.Equal(t, "the guide's value for what was measured here", last.Why)

	on[catalog.EnableObjectPool] = 0
	v.Safe = controller.SettingOf(on)
	v.Blocked = map[string]string{catalog.EnableObjectPool: "cooling down"}
	_, ok := g.Propose(v)
	require.False(t, ok)
}
