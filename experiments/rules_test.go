package experiments

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/controller"
	"autotune/simulate"
)

// rate is how often something is said in n trials of a world.
func rate(t *testing.T, w world, c contender, n int) (keeps, harms float64) {
	t.Helper()
	into := &Tally{}
	play := trialIn(w, c)
	for i := range n {
		require.NoError(t, play(t.Context(), seedOf(1, "home", c.name, i), into))
	}
	return float64(into.Counts[kept]) / float64(n), float64(into.Counts[worse]) / float64(n)
}

// Every rival wins where it is at home: steady load, little noise, a plain
// effect. A rival that cannot is a straw man, and beating it shows nothing.
func TestRules_winAtHome(t *testing.T) {
	home := world{Drift: "none", Tail: "lognormal", Rate: 500, Block: 5 * time.Second, Goals: 1}
	better, harmful := home, home
	better.Effect, harmful.Effect = -0.3, 0.5
	for _, c := range contenders() {
		t.Run(c.name, func(t *testing.T) {
			keeps, harms := rate(t, better, c, 100)
			require.GreaterOrEqual(t, keeps, 0.98, "a gain of 30 %% is kept")
			require.Zero(t, harms)
			keeps, harms = rate(t, harmful, c, 100)
			require.GreaterOrEqual(t, harms, 0.98, "a loss of 50 %% is rolled back")
			require.Zero(t, keeps)
		})
	}
}

// The tests among them keep their nominal level where their assumptions hold.
func TestRules_keepTheirLevelOnIndependentBlocks(t *testing.T) {
	home := world{Drift: "none", Tail: "lognormal", Rate: 50, Block: 5 * time.Second, Goals: 1}
	for _, r := range []Rule{Welch(), FixedAlternation()} {
		keeps, harms := rate(t, home, byRule(r), 1000)
		require.InDelta(t, 0.025, keeps, 0.015, r.Name)
		require.InDelta(t, 0.025, harms, 0.015, r.Name)
	}
}

// Hand-worked: Welch's statistic on a small textbook pair of samples, and the
// interval of the Mann-Whitney test on samples where every difference is known.
func TestRules_statistics(t *testing.T) {
	tt, nu := welch([]float64{1, 2, 3}, []float64{3, 5, 7, 9})
	require.InDelta(t, 4/math.Sqrt(1.0/3+20.0/12), tt, 1e-12)
	require.InDelta(t, 4.0/(1.0/18+25.0/27), nu, 1e-9)

	old, fresh := make([]float64, 50), make([]float64, 50)
	for i := range old {
		old[i], fresh[i] = float64(i), float64(i)+100
	}
	shift, low := hodgesLehmann(old, fresh, 0.98)
	require.InDelta(t, 100, shift, 1e-9)
	// Of the 2,500 differences 42·43/2 = 903 are at most 92 and 946 at most 93; the
	// end is the one of rank 1250 - 2.326·√(2500·101/12) = 912.6.
	require.InDelta(t, 93, low, 1e-9)
	require.Equal(t, RollBack, Kayenta().Decide(old, fresh))
	require.Equal(t, Promote, Kayenta().Decide(fresh, old))
	require.Equal(t, Promote, Kayenta().Decide(old, old))
}

// A rival restores the safe setting, waits, and tries the way back later.
func TestRival_session(t *testing.T) {
	w := world{Drift: "none", Tail: "lognormal", Rate: 500, Block: time.Second, Goals: 1, Effect: -0.3}
	target, err := w.service(1)
	require.NoError(t, err)
	p := w.play(1)
	p.until = simulate.Epoch().Add(10 * time.Minute)
	var trace controller.Trace
	require.NoError(t, controller.Run(t.Context(), target, newRival(Peeked(), p), controller.Loop{Record: &trace}))
	trials := trace.Verdicts()
	require.Greater(t, len(trials), 2)
	require.Equal(t, controller.Kept, trials[0].Outcome)
	require.Equal(t, controller.MoveOff, trials[1].Move)
	require.Equal(t, controller.Reverted, trials[1].Outcome)
	require.GreaterOrEqual(t, trials[1].Started.Sub(trials[0].Ended), 16*trials[0].Ended.Sub(trials[0].Started))
	require.True(t, target.Setting().On(theSwitch))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p.until = simulate.Epoch().Add(100 * time.Hour)
	require.ErrorIs(t, controller.Run(ctx, target, newRival(Welch(), p), controller.Loop{}), context.Canceled)
}
