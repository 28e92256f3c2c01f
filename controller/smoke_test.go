package controller_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

func TestController_keepsAGainRefusesHarmAndNothing(t *testing.T) {
	space, offered, initial := switches("gain", "harm", "placebo")
	p := newPlant(1, space, initial)
	p.drift, p.phi = 0.05, 0.99
	p.effect = func(s Setting, _ time.Duration) float64 {
		e := 0.0
		if s.On("gain") {
			e -= 0.3
		}
		if s.On("harm") {
			e += 0.7
		}
		return e
	}
	c, err := New(Config{
		Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: &eachOnce{}, Seed: 3,
		Budget: Budget{Until: epochZero.Add(2 * time.Hour)},
	})
	require.NoError(t, err)
	var trace Trace
	require.NoError(t, Run(context.Background(), p, c, Loop{Record: &trace}))
	for _, v := range trace.Verdicts() {
		t.Logf("%d %s %s: %v/%v after %d pairs: %s", v.ID, v.Optimization, v.Move, v.Outcome, v.Reason, v.Pairs, v.Detail)
	}
	v := trace.Verdicts()
	require.Len(t, v, 3)
	require.Equal(t, Kept, v[0].Outcome)
	require.Equal(t, Reverted, v[1].Outcome)
	require.Equal(t, Inconclusive, v[2].Outcome)
	require.Equal(t, "gain=1 harm=0 placebo=0", p.set.String())
}
