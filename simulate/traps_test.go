package simulate

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"

	"autotune/controller"
)

// The ways in which a service can fool a controller, each in a few lines, and
// each shown to be there. How controllers fare on them is for experiments.

// ticks observes n of them and returns a metric of each.
func ticks(t testing.TB, target controller.Target, n int, d time.Duration, m controller.Metric) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = value(t, observe(t, target, 1, d), m)
	}
	return out
}

// alternating returns the mean log ratio of a metric, x on over x off, when
// blocks alternate: off, on, off, on.
func alternating(t testing.TB, target controller.Target, pairs int, d time.Duration, m controller.Metric) float64 {
	sum := 0.0
	for range pairs {
		turn(t, target, 0)
		off := math.Log(value(t, observe(t, target, 1, d), m))
		turn(t, target, 1)
		sum += math.Log(value(t, observe(t, target, 1, d), m)) - off
	}
	return sum / float64(pairs)
}

func TestTrap_periodLockedToTheBlocks(t *testing.T) {
	const block = 5 * time.Second
	s := newService(t, ServiceConfig{Rate: 50, Blocks: true, Level: Oscillation(2*block, 0.1, 0)})
	require.InDelta(t, -0.2, alternating(t, s, 50, block, controller.LatencyP95), 0.01, "a fixed order sees an effect where there is none")
}

func TestTrap_deferredCostWithZeroNet(t *testing.T) {
	s := Deferred(steady(t), func(s controller.Setting) float64 {
		if s.On("x") {
			return 0.01
		}
		return 0
	}, 5*time.Second)
	require.InDelta(t, -0.02, alternating(t, s, 200, 5*time.Second, controller.CPUPerRequest), 0.003)
}

func TestTrap_effectOnlyAtHighLoad(t *testing.T) {
	s := newService(t, ServiceConfig{
		Rate: 200, Blocks: true, Load: Step(time.Minute, 0, math.Log(2)),
		Effect: func(m Moment) (e Effect) {
			if m.Setting.On("x") && m.Load > 1.5 {
				e.Latency = -0.3
			}
			return e
		},
	})
	require.InDelta(t, 0, alternating(t, s, 6, 5*time.Second, controller.LatencyP95), 1e-9)
	require.InDelta(t, -0.3, alternating(t, s, 6, 5*time.Second, controller.LatencyP95), 1e-9)
}

// Decays after ten minutes in force, and turns bad after twenty.
func TestTrap_effectThatTurns(t *testing.T) {
	s := newService(t, ServiceConfig{Rate: 50, Blocks: true, Effect: func(m Moment) (e Effect) {
		switch on := m.Setting.On("x"); {
		case on && m.Since < 10*time.Minute:
			e.Latency = -0.2
		case on && m.Since > 20*time.Minute:
			e.Latency = 0.4
		}
		return e
	}})
	turn(t, s, 1)
	v := ticks(t, s, 12, time.Minute, controller.LatencyP95)
	turn(t, s, 1) // is in force already, and does not begin again
	v = append(v, ticks(t, s, 18, time.Minute, controller.LatencyP95)...)
	for minute, want := range map[int]float64{4: -0.2, 14: 0, 24: 0.4} {
		require.InDelta(t, want, math.Log(v[minute]/0.010), 1e-9, "minute %d", minute)
	}
}

func TestTrap_betterMedianWorseTail(t *testing.T) {
	wide := Lognormal(0.9)
	both(t, func(t *testing.T, blocks bool) {
		s := newService(t, ServiceConfig{Rate: 5000, Blocks: blocks, Tail: Lognormal(0.6), Effect: whenOn(Effect{Latency: -0.2, Tail: wide})})
		require.InDelta(t, -0.2, alternating(t, s, 10, 5*time.Second, controller.LatencyP50), 0.02)
		require.InDelta(t, -0.2+0.3*2.326, alternating(t, s, 10, 5*time.Second, controller.LatencyP99), 0.06)
	})
}

// A little better in 95 % of the time, three times as slow in stretches that
// make up 5 %.
func TestTrap_rarelyMuchWorse(t *testing.T) {
	mood := Jumps(seeded(1), 10*time.Second, 1)
	s := newService(t, ServiceConfig{Rate: 50, Blocks: true, Effect: func(m Moment) (e Effect) {
		bad := mood.At(m.Age) > 1.645 // of a standard normal value, one in twenty
		switch on := m.Setting.On("x"); {
		case on && bad:
			e.Latency = math.Log(3)
		case on:
			e.Latency = -0.05
		}
		return e
	}})
	turn(t, s, 1)
	bad := 0.0
	for _, v := range ticks(t, s, 5000, 5*time.Second, controller.LatencyP95) {
		if v > 0.020 {
			bad++
		}
	}
	require.InDelta(t, 0.05, bad/5000, 0.015)
}

func TestTrap_slowLeakAfterAKeep(t *testing.T) {
	s := newService(t, ServiceConfig{Rate: 50, Blocks: true, MemoryLimit: 1e9, Effect: whenOn(Effect{Latency: -0.2, Leak: 1e5})})
	turn(t, s, 1)
	v := ticks(t, s, 3, time.Hour, controller.MemoryRatio)
	require.InDeltaSlice(t, []float64{0.46, 0.82, 1.18}, v, 1e-9)
}

func TestTrap_twoKnobsInteract(t *testing.T) {
	space, _, initial := Switches("a", "b")
	s, err := NewService(ServiceConfig{Space: space, Initial: initial, Rate: 50, Blocks: true, Effect: func(m Moment) (e Effect) {
		a, b := m.Setting.On("a"), m.Setting.On("b")
		if a != b { // each alone hurts
			e.Latency = 0.1
		} else if a {
			e.Latency = -0.3
		}
		return e
	}})
	require.NoError(t, err)
	for setting, want := range map[[2]float64]float64{{0, 0}: 0, {1, 0}: 0.1, {0, 1}: 0.1, {1, 1}: -0.3} {
		require.NoError(t, s.Apply(ctx, controller.SettingOf(map[string]float64{"a": setting[0], "b": setting[1]})))
		require.InDelta(t, want, math.Log(ticks(t, s, 1, time.Second, controller.LatencyP95)[0]/0.010), 1e-9)
	}
}

// Each change costs three seconds at twice the latency, whichever way it goes.
func TestTrap_switchCostAboveTheGain(t *testing.T) {
	s := newService(t, ServiceConfig{Rate: 50, Effect: func(m Moment) (e Effect) {
		if m.Setting.On("x") {
			e.Latency = -0.1
		}
		if m.Changes > 0 && m.Since < 3*time.Second {
			e.Latency += math.Ln2
		}
		return e
	}})
	for i := range 40 {
		turn(t, s, float64((i+1)%2))
		observe(t, s, 1, 6*time.Second)
	}
	require.Positive(t, s.Score().Whole.LatencyExcess, "trying costs more than it gains")
	turn(t, s, 1)
	before := s.Score().Whole.LatencyExcess
	observe(t, s, 1, time.Hour)
	require.Negative(t, s.Score().Whole.LatencyExcess-before, "what is kept pays in the end")
}

// The load doubles when the candidate is first in force, and stays.
func TestTrap_loadStepOnTheFirstCandidateBlock(t *testing.T) {
	var s *Service
	stepped := false
	load := func(time.Duration) float64 {
		if stepped = stepped || s.Setting().On("x"); stepped {
			return math.Ln2
		}
		return 0
	}
	s = newService(t, ServiceConfig{Rate: 100, Blocks: true, Load: load, Level: Scaled(load, 0.5)})
	require.InDelta(t, 100, stat.Mean(ticks(t, s, 50, time.Second, controller.Requests), nil), 6)
	turn(t, s, 1)
	require.InDelta(t, 200, stat.Mean(ticks(t, s, 50, time.Second, controller.Requests), nil), 8)
	turn(t, s, 0)
	require.InDelta(t, 0.010*math.Sqrt2, ticks(t, s, 1, time.Second, controller.LatencyP95)[0], 1e-9)
}

// One that stalls after a while only: guards have to see it within the block.
func TestTrap_totalStall(t *testing.T) {
	s := newService(t, ServiceConfig{Rate: 100, Tail: Lognormal(0.6), Effect: func(m Moment) Effect {
		return Effect{Stalled: m.Setting.On("x") && m.Since > 2*time.Second}
	}})
	turn(t, s, 1)
	v := ticks(t, s, 20, 250*time.Millisecond, controller.OldestInFlight)
	require.Less(t, v[7], 0.2)
	require.InDelta(t, 3, v[19], 0.2)
}

func TestTrap_flatPlantIsFlat(t *testing.T) {
	s := newService(t, ServiceConfig{Rate: 50, Blocks: true})
	require.InDelta(t, 0, alternating(t, s, 50, 5*time.Second, controller.LatencyP95), 1e-12)
}
