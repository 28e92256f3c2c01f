package simulate

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A score is the expectation, without the noise: exact to the last digits.
func TestScore_isWhatItCostWithoutNoise(t *testing.T) {
	both(t, func(t *testing.T, blocks bool) {
		s := newService(t, ServiceConfig{
			Rate: 50, Tail: Lognormal(0.6), Blocks: blocks, CPUNoise: 0.6, Horizon: 90 * time.Second,
			Effect: whenOn(Effect{Latency: -0.2, CPU: 0.1, Errors: 0.02}),
		})
		observe(t, s, 1, 30*time.Second)
		turn(t, s, 1)
		observe(t, s, 1, 60*time.Second)
		observe(t, s, 1, 10*time.Second) // beyond the horizon
		mean := 0.010 * math.Exp(0.18)
		off, on := 30*50.0, 70*50.0
		got := s.Score()
		w := got.Whole
		require.Equal(t, 100*time.Second, w.Over)
		require.InEpsilon(t, off+on, w.Requests, 1e-9)
		require.InEpsilon(t, mean*(off+on*math.Exp(-0.2)), w.LatencySeconds, 1e-9)
		require.InEpsilon(t, mean*on*(math.Exp(-0.2)-1), w.LatencyExcess, 1e-9)
		require.InEpsilon(t, 0.001*(off+on*math.Exp(0.1)), w.CPUSeconds, 1e-9)
		require.InEpsilon(t, 0.001*on*(math.Exp(0.1)-1), w.CPUExcess, 1e-9)
		require.InEpsilon(t, 0.02*on, w.Errors, 1e-9)
		require.Zero(t, got.Thirds[0].LatencyExcess)
		if !blocks { // a block counts where its middle is
			require.Equal(t, 30*time.Second, got.Thirds[1].Over)
			require.Equal(t, 40*time.Second, got.Thirds[2].Over)
		}
		require.Equal(t, 30*time.Second, got.Settings[0].Time)
		require.Equal(t, 70*time.Second, got.Settings[1].Time)
		require.True(t, got.Settings[1].Setting.On("x"))
		turn(t, s, 0)
		observe(t, s, 1, time.Second)
		require.Len(t, s.Score().Settings, 2)
		require.Equal(t, 31*time.Second, s.Score().Settings[0].Time)
		require.Equal(t, 30*time.Second, got.Settings[0].Time, "a score is a copy")
	})
}

// A stall costs what waits in it; one that would have come anyway is no excess.
func TestScore_stall(t *testing.T) {
	stall := func(x float64, effect func(Moment) Effect) Score {
		s := newService(t, ServiceConfig{Rate: 100, Effect: effect})
		turn(t, s, x)
		observe(t, s, 1, 10*time.Second)
		return s.Score().Whole
	}
	w := stall(1, whenOn(Effect{Stalled: true}))
	require.Equal(t, 10*time.Second, w.Stalled)
	require.InEpsilon(t, 100*10*10/2.0, w.LatencyExcess, 1e-6, "1,000 requests wait for 5 s on average")
	require.Zero(t, stall(1, func(Moment) Effect { return Effect{Stalled: true} }).LatencyExcess)
	require.Zero(t, stall(0, whenOn(Effect{Stalled: true})).Stalled)
}
