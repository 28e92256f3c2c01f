package autotune

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/controller"
	"autotune/executor"
)

// Of many instances about the share runs trials, whatever their names have in
// common, and their turns are spread over the whole of it.
func TestReplica_sharesAndTurns(t *testing.T) {
	for _, names := range []string{"shop-%d", "shop-7c9d8b6f5-%05d", "10.0.0.%d"} {
		chosen, early, late := 0, 0, 0
		const n = 1000
		for i := range n {
			c := Config{Instance: fmt.Sprintf(names, i), Share: 0.25, Stagger: time.Hour}
			r := c.replica()
			require.Equal(t, r, c.replica(), "a restart changes nothing")
			if r.never == "" {
				chosen++
			}
			require.Less(t, r.after, time.Hour)
			if r.after < 15*time.Minute {
				early++
			}
			if r.after > 45*time.Minute {
				late++
			}
		}
		for what, k := range map[string]int{"share": chosen, "early": early, "late": late} {
			require.InDelta(t, n/4, k, 55, "%s, %s", names, what) // four standard deviations
		}
	}
	all := Config{Instance: "x"}
	require.Equal(t, replica{}, all.replica(), "by default all, at once")
}

func TestAutopilot_standsByUntilItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pilot, err := Start(t.Context(), Config{Executor: executor.Config{EnableAutomaticOptimization: true}, Instance: "b", Stagger: time.Hour, Seed: 1})
		require.NoError(t, err)
		turn := pilot.replica.after
		require.Greater(t, turn, time.Minute)
		time.Sleep(turn - 10*time.Second)
		s := pilot.Status()
		require.Equal(t, controller.Paused, s.Phase)
		require.Equal(t, "stands by: its turn among the instances is "+turn.Round(time.Second).String()+" after the start", s.StandsBy)
		time.Sleep(20 * time.Second)
		s = pilot.Status()
		require.NotEqual(t, controller.Paused, s.Phase)
		require.Empty(t, s.StandsBy)
		require.NoError(t, pilot.Close())
		require.NoError(t, pilot.Executor().Close())

		_, err = Start(t.Context(), Config{Share: 1.5})
		require.ErrorContains(t, err, "share 1.5: must be within 0..1; 0 is all instances")
	})
}
