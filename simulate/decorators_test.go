package simulate

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"

	"autotune/controller"
)

// steady has no noise at all: each request costs 1 ms of CPU and takes 10 ms, or
// 5 ms when x is on, at 100 requests/s on average.
func steady(t testing.TB) *Service {
	return newService(t, ServiceConfig{Rate: 100, Blocks: true, Effect: whenOn(Effect{Latency: -math.Ln2})})
}

func isOn(t testing.TB, target controller.Target) bool {
	s, err := target.Current(ctx)
	require.NoError(t, err)
	return s.On("x")
}

func TestNoisy_isLognormalAndLeavesCounts(t *testing.T) {
	target := Noisy(steady(t), seeded(1), 0.1)
	var p95, cpu []float64
	for range 5000 {
		s := observe(t, target, 1, time.Second)
		p95 = append(p95, math.Log(value(t, s, controller.LatencyP95)/0.010))
		cpu = append(cpu, math.Log(value(t, s, controller.CPUPerRequest)/0.001))
		require.Equal(t, math.Trunc(s.Totals[controller.Requests]), s.Totals[controller.Requests])
	}
	for _, v := range [][]float64{p95, cpu} {
		mean, sd := stat.MeanStdDev(v, nil)
		require.InDelta(t, 0, mean, 4*0.1/math.Sqrt(5000))
		require.InEpsilon(t, 0.1, sd, 4/math.Sqrt(2*5000))
	}
	require.InDelta(t, 0, stat.Correlation(p95, cpu, nil), 4/math.Sqrt(5000), "each has its own")

	s := observe(t, Noisy(steady(t), seeded(1), 0.1, controller.RSSBytes), 1, time.Second)
	require.InEpsilon(t, 0.010, value(t, s, controller.LatencyP95), 1e-9, "only what is named")
	require.NotEqual(t, 1e8, value(t, s, controller.RSSBytes))
}

func TestDrifting_followsTheSignal(t *testing.T) {
	target := Drifting(steady(t), Step(3*time.Second, 0, 1))
	for i := range 5 {
		s := observe(t, target, 1, time.Second)
		want := 1.0
		if i >= 2 { // as the signal is at the end of the tick
			want = math.E
		}
		require.InEpsilon(t, 0.010*want, value(t, s, controller.LatencyMean), 1e-9)
		require.InEpsilon(t, 0.001*want, value(t, s, controller.CPUPerRequest), 1e-9)
	}
}

// What is applied reads back at once, and takes effect within a tick.
func TestLagged_takesEffectLater(t *testing.T) {
	service := steady(t)
	target := Lagged(service, 2500*time.Millisecond)
	observe(t, target, 1, time.Second)
	turn(t, target, 1)
	require.True(t, isOn(t, target))
	require.False(t, isOn(t, service))
	var means []float64
	for range 4 {
		s := observe(t, target, 1, time.Second)
		require.Equal(t, time.Second, s.Over)
		means = append(means, value(t, s, controller.LatencyMean))
	}
	require.InDeltaSlice(t, []float64{0.010, 0.010, 0.0075, 0.005}, means, 1e-9, "half of the third second has the effect")
	require.Equal(t, 5*time.Second, service.Age())
	for range 3 { // a later setting overtakes none
		turn(t, target, 0)
		turn(t, target, 1)
	}
	observe(t, target, 1, time.Minute)
	require.True(t, isOn(t, service))
}

func TestOutside_changesAtItsTime(t *testing.T) {
	service := steady(t)
	target := Outside(service,
		Change{At: 5 * time.Second, Values: map[string]float64{"x": 0}},
		Change{At: 1500 * time.Millisecond, Values: map[string]float64{"x": 1}})
	observe(t, target, 1, time.Second)
	require.False(t, isOn(t, target))
	s := observe(t, target, 1, time.Second)
	require.True(t, isOn(t, target))
	require.InDelta(t, 0.0075, value(t, s, controller.LatencyMean), 1e-9)
	require.Equal(t, time.Second, s.Over)
	observe(t, target, 1, 3*time.Second)
	require.False(t, isOn(t, target), "an event at the end of a tick is in it")
	require.Equal(t, 5*time.Second, service.Age())
}

// What fails in part of a tick fails the tick; its time has passed all the same.
func TestOutside_failsWithItsTarget(t *testing.T) {
	broken := errors.New("broken")
	service := steady(t)
	target := Outside(Faulty(service, func(c Call, nth int, _ time.Duration) error {
		if c == ObserveCall && nth == 1 {
			return broken
		}
		return nil
	}), Change{At: 500 * time.Millisecond, Values: map[string]float64{"x": 1}})
	s, err := target.Observe(ctx, 1, time.Second)
	require.ErrorIs(t, err, broken)
	require.Equal(t, time.Second, service.Age())
	require.True(t, s.At.Equal(Epoch().Add(time.Second)))
	require.True(t, isOn(t, target))
}

func TestFaulty_failsAsTheScriptSays(t *testing.T) {
	broken := errors.New("broken")
	service := steady(t)
	target := Faulty(service, func(c Call, nth int, age time.Duration) error {
		if c == ApplyCall && nth == 2 || c == CurrentCall && nth == 1 || c == ObserveCall && age >= time.Second && age < 3*time.Second {
			return broken
		}
		return nil
	})
	turn(t, target, 1)
	require.ErrorIs(t, target.Apply(ctx, controller.SettingOf(map[string]float64{"x": 0})), broken)
	require.True(t, isOn(t, service), "an apply that fails changes nothing")
	_, err := target.Current(ctx)
	require.ErrorIs(t, err, broken)
	require.True(t, isOn(t, target))
	for i := range 4 {
		s, err := target.Observe(ctx, 1, time.Second)
		require.Equal(t, i == 1 || i == 2, errors.Is(err, broken))
		require.True(t, s.At.Equal(Epoch().Add(time.Duration(i+1)*time.Second)), "time passes, unseen")
		require.Equal(t, err == nil, len(s.Totals) > 0)
	}
}

func TestDelayed_takesLonger(t *testing.T) {
	service := steady(t)
	target := Delayed(service, func(age time.Duration) time.Duration {
		if age == time.Second {
			return 10 * time.Second
		}
		return -time.Minute // no tick is shorter than was asked
	})
	for _, want := range []time.Duration{time.Second, 11 * time.Second, time.Second} {
		require.Equal(t, want, observe(t, target, 1, time.Second).Over)
	}
	require.Equal(t, 13*time.Second, service.Age())
	require.Zero(t, observe(t, target, 1, 0).Over)
}

func TestRounding_isInForceAndReadsBack(t *testing.T) {
	space := controller.Space{Knobs: []controller.Knob{{Name: "n", Kind: controller.Int, Min: 1, Max: 100}}}
	service, err := NewService(ServiceConfig{Space: space, Initial: map[string]float64{"n": 8}})
	require.NoError(t, err)
	target := Rounding(service, func(s controller.Setting) controller.Setting {
		n, _ := s.Get("n")
		return s.With(map[string]float64{"n": math.Exp2(math.Round(math.Log2(n)))})
	})
	require.NoError(t, target.Apply(ctx, controller.SettingOf(map[string]float64{"n": 20})))
	now, err := target.Current(ctx)
	require.NoError(t, err)
	require.Equal(t, "n=16", now.String())
}

func TestDeaf_saysYesAndDoesNothing(t *testing.T) {
	target := Deaf(steady(t))
	turn(t, target, 1)
	require.False(t, isOn(t, target))

	space, _, initial := Switches("a", "b")
	service, err := NewService(ServiceConfig{Space: space, Initial: initial})
	require.NoError(t, err)
	target = Deaf(service, "a")
	require.NoError(t, target.Apply(ctx, controller.SettingOf(map[string]float64{"a": 1, "b": 1})))
	now, err := target.Current(ctx)
	require.NoError(t, err)
	require.Equal(t, "a=0 b=1", now.String())
}

// In sum nothing is gained or lost; in between it lands on whoever is in force.
func TestDeferred_paysLater(t *testing.T) {
	target := Deferred(steady(t), func(s controller.Setting) float64 {
		if s.On("x") {
			return 0.2
		}
		return 0
	}, 2*time.Second)
	var spent, requests []float64
	for i := range 8 {
		turn(t, target, map[bool]float64{true: 1}[i >= 2 && i < 4])
		s := observe(t, target, 1, time.Second)
		spent = append(spent, s.Totals[controller.CPUSeconds])
		requests = append(requests, 0.001*s.Totals[controller.Requests])
	}
	for i, want := range []float64{
		requests[0], requests[1], 0.8 * requests[2], 0.8 * requests[3],
		requests[4] + 0.2*requests[2], requests[5] + 0.2*requests[3], requests[6], requests[7],
	} {
		require.InDelta(t, want, spent[i], 1e-12, "second %d", i+1)
	}
}

func TestSkewed_clockJumpsAndTimeDoesNot(t *testing.T) {
	service := steady(t)
	target := Skewed(service, func(age time.Duration) time.Duration {
		if age >= 2*time.Second {
			return -time.Hour
		}
		return 0
	})
	require.True(t, observe(t, target, 1, time.Second).At.Equal(Epoch().Add(time.Second)))
	s := observe(t, target, 1, time.Second)
	require.True(t, s.At.Equal(Epoch().Add(2*time.Second-time.Hour)))
	require.Equal(t, time.Second, s.Over)
	require.Equal(t, 2*time.Second, service.Age())
}

func TestCall_eachHasAName(t *testing.T) {
	seen := map[string]bool{}
	for c := ApplyCall; c <= ObserveCall; c++ {
		require.NotEqual(t, Call(0).String(), c.String())
		seen[c.String()] = true
	}
	require.Len(t, seen, 3)
}
