package autotune

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/controller"
)

func TestPoints_endWithTheirSecondAndTheirSetting(t *testing.T) {
	var p points
	now := time.Now()
	tick := func(candidate bool, requests float64) {
		now = now.Add(250 * time.Millisecond)
		h := &controller.Histogram{}
		h.Record(10 * time.Millisecond)
		p.observe(&controller.Sample{
			At: now, Over: 250 * time.Millisecond, Latency: h,
			Totals: map[controller.Metric]float64{controller.Requests: requests}, Gauges: map[controller.Metric]float64{controller.RSSBytes: 5e6},
		}, candidate)
	}
	for range 4 {
		tick(false, 10)
	}
	tick(false, 10)
	tick(true, 30)
	tick(false, 10)
	got, n := p.since(0)
	require.Equal(t, 3, n)
	require.Equal(t, []float64{1, 0.25, 0.25}, []float64{got[0].Seconds, got[1].Seconds, got[2].Seconds})
	require.Equal(t, []bool{false, false, true}, []bool{got[0].Candidate, got[1].Candidate, got[2].Candidate})
	require.InDelta(t, 40, *got[0].Requests, 1e-9)
	require.InDelta(t, 120, *got[2].Requests, 1e-9)
	require.InDelta(t, 0.01, *got[0].P95, 0.001)
	require.Nil(t, got[0].CPU, "not measured")

	for range 4 * pointsKept {
		tick(false, 1)
	}
	got, n = p.since(2)
	require.Len(t, got, pointsKept)
	require.WithinDuration(t, now, got[len(got)-1].At, time.Second)
	got, _ = p.since(n)
	require.Empty(t, got)
	got, _ = p.since(n + 7)
	require.Empty(t, got)
}
