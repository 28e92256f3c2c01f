package controller_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// The coin is fair, also within a trial and right after itself: the test of
// signs rests on it. Four standard deviations of a fair coin are allowed.
func TestCoin_isFair(t *testing.T) {
	var coins []bool
	first := 0
	for seed := range uint64(150) {
		space, offered, initial := switches("a", "b")
		p := newPlant(seed, space, initial)
		c, err := New(Config{
			Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: &eachOnce{}, Seed: seed, Timing: fast,
			Budget: Budget{Until: epochZero.Add(3 * time.Minute)},
		})
		require.NoError(t, err)
		var trace Trace
		require.NoError(t, Run(context.Background(), p, c, Loop{Record: &trace}))
		for _, r := range trace.Records {
			if r.Kind == RecordCoin {
				coins = append(coins, r.Coin.CandidateFirst)
				if r.Coin.Pair == 1 && r.Coin.CandidateFirst {
					first++
				}
			}
		}
	}
	heads, repeats := 0, 0
	for i, c := range coins {
		if c {
			heads++
		}
		if i > 0 && c == coins[i-1] {
			repeats++
		}
	}
	n := float64(len(coins))
	require.Greater(t, n, 5000.0)
	t.Logf("%d coins: candidate first in %.3f, same as before in %.3f", len(coins), float64(heads)/n, float64(repeats)/n)
	require.InDelta(t, n/2, float64(heads), 2*math.Sqrt(n))
	require.InDelta(t, n/2, float64(repeats), 2*math.Sqrt(n))
	require.InDelta(t, 150, float64(first), 2*math.Sqrt(300), "first pairs")
}

// A target that outlives the process may still have the crashed candidate in
// force. It is withdrawn, and not taken for the operator's own.
func TestRestart_withdrawsACrashedCandidateThatIsStillInForce(t *testing.T) {
	space, offered, initial := switches("gain", "kept")
	running := Trial{ID: 4, Optimization: "gain", Move: MoveOn, Change: map[string]float64{"gain": 1}}
	p := newPlant(1, space, map[string]float64{"gain": 1, "kept": 0})
	c, err := New(Config{
		Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: &eachOnce{}, Timing: fast,
		Budget: Budget{Until: epochZero.Add(40 * time.Second)},
		State: &State{
			Version: StateVersion, Initial: SettingOf(initial), Safe: SettingOf(map[string]float64{"gain": 0, "kept": 1}),
			Running: &running, Wealth: 0.2, NextTrial: 5,
		},
	})
	require.NoError(t, err)
	var trace Trace
	require.NoError(t, Run(context.Background(), p, c, Loop{Record: &trace}))
	require.Equal(t, "gain=0 kept=1", p.set.String())
	v := trace.Verdicts()
	require.Len(t, v, 1)
	require.Equal(t, Crashed, v[0].Reason)
	require.Contains(t, c.Status().Blocked["gain"], "quarantined")
}
