package controller_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// Under Budget.FDR each trial states its e-LOND level, δ t^-1.3/ζ(1.3) times one
// more than the keeps so far, and never more than a trial alone may spend. The
// count goes on after a restart, and a trial that ended without a pair is none.
func TestBudget_fdr(t *testing.T) {
	space, offered, initial := switches("a", "gain", "c", "d", "e", "f", "g")
	p := newPlant(7, space, initial)
	p.effect = on("gain", -0.36)
	var trace Trace
	run := func(state *State, most int, stop func(Trial) bool) {
		cfg := Config{
			Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: &eachOnce{}, Timing: fast, Seed: 5,
			Budget: Budget{FDR: 0.2, MaxPairs: most, Until: p.now.Add(time.Hour)}, State: state,
		}
		c, err := New(cfg)
		require.NoError(t, err)
		ask := Ask(0)
		require.NoError(t, Run(context.Background(), p, c, Loop{
			Record: &trace, Ask: func() Ask { return ask },
			Stepped: func(Input, Command) {
				if st := c.Status(); st.Trial != nil && stop(*st.Trial) {
					ask = Stop
				}
			},
		}))
	}
	run(nil, 20, func(tr Trial) bool { return tr.Optimization == "e" }) // the fifth, stopped before its first pair
	verdicts := trace.Verdicts()
	require.Zero(t, verdicts[4].Pairs)
	require.Equal(t, Stopped, verdicts[4].Reason)

	var last *State
	for _, r := range trace.Records {
		if r.Kind == RecordState {
			last = r.State
		}
	}
	text, err := json.Marshal(last)
	require.NoError(t, err)
	var state State
	require.NoError(t, json.Unmarshal(text, &state))
	require.Equal(t, Stream{Trials: 4, Keeps: 1}, state.Stream)
	require.InDelta(t, 0.25, state.Wealth, 1e-12, "wealth is not touched")
	run(&state, 20, func(Trial) bool { return false })

	var alphas []float64
	for _, v := range trace.Verdicts() {
		alphas = append(alphas, v.Alpha)
		require.Equal(t, v.Optimization == "gain", v.Outcome == Kept, v.Detail)
	}
	// 0.2/3.93195 is 0.05087, which a trial alone may not spend; trial 5 is judged as the fifth twice.
	want := []float64{0.025, 0.02066, 0.02439, 0.01678, 0.01255, 0.01255, 0.00990, 0.00811}
	require.InDeltaSlice(t, want[:len(alphas)], alphas, 1e-5)
	require.Greater(t, len(alphas), 6)
}
