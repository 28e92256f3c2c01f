package history

import (
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/controller"
)

// What a trial was kept for is what its line tells, whichever goal that is.
func TestDeciding(t *testing.T) {
	p95 := controller.Effect{Metric: controller.LatencyP95, Change: -0.007, Better: 2, BetterAt: 60}
	mean := controller.Effect{Metric: controller.LatencyMean, Change: -0.2, Better: 170, BetterAt: 170}
	shownToo := controller.Effect{Metric: controller.LatencyP95, Change: -0.3, Better: 61, BetterAt: 60}
	for name, c := range map[string]struct {
		trial controller.Trial
		want  controller.Metric
	}{
		"kept for a lower goal":       {controller.Trial{Outcome: controller.Kept, Effects: []controller.Effect{p95, mean}}, controller.LatencyMean},
		"kept for both":               {controller.Trial{Outcome: controller.Kept, Effects: []controller.Effect{shownToo, mean}}, controller.LatencyP95},
		"put back":                    {controller.Trial{Outcome: controller.Reverted, Effects: []controller.Effect{p95, mean}}, controller.LatencyP95},
		"an audit that kept old ways": {controller.Trial{Outcome: controller.Kept, Audit: 3, Effects: []controller.Effect{p95, mean}}, controller.LatencyP95},
	} {
		t.Run(name, func(t *testing.T) {
			e, ok := deciding(&c.trial, controller.LatencyP95)
			require.True(t, ok)
			require.Equal(t, c.want, e.Metric)
		})
	}
	_, ok := deciding(&controller.Trial{Outcome: controller.Kept}, controller.LatencyP95)
	require.False(t, ok)
}
