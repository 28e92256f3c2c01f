package controller_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// drifting runs a switch that takes 30 % off for so long, while the level of
// everything moves, and returns what was recorded and the share of the time
// after the first keep in which the switch was safe.
func drifting(t *testing.T, d time.Duration, alert Alert, level func(age time.Duration) float64) (*Trace, float64) {
	space, offered, initial := switches("gain")
	p := newPlant(5, space, initial)
	p.effect = func(s Setting, age time.Duration) float64 { return on("gain", -0.36)(s, age) + level(age) }
	c, err := New(Config{
		Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: again{}, Seed: 8, Alert: alert,
		Timing: Timing{Washout: time.Second, Measure: 5 * time.Second, Tick: 5 * time.Second, MinRequests: -1},
		Budget: Budget{Until: epochZero.Add(d)},
	})
	require.NoError(t, err)
	var trace Trace
	var kept bool
	var with, without time.Duration
	require.NoError(t, Run(context.Background(), p, c, Loop{Record: &trace, Stepped: func(in Input, _ Command) {
		switch on := c.Status().Safe.On("gain"); {
		case on:
			kept = true
			with += in.Sample.Over
		case kept:
			without += in.Sample.Over
		}
	}}))
	require.True(t, p.set.On("gain"), "what helps is on at the end")
	return &trace, float64(with) / float64(with+without)
}

// alerts, and how often they took something back, by how often the safe setting
// lost the switch without a verdict.
func alerts(trace *Trace) (alerts, back, rollbacks int) {
	for _, r := range trace.Records {
		if r.Kind == RecordAlert {
			alerts++
		}
	}
	was := false
	for _, r := range trace.Records {
		if r.Kind == RecordState {
			if is := r.State.Safe.On("gain"); was && !is {
				back++
				was = is
			} else {
				was = is
			}
		}
	}
	for _, a := range trace.Audits() {
		if a.Outcome == Kept {
			rollbacks++
		}
	}
	return alerts, back - rollbacks, rollbacks
}

// Five steps from outside, up by half, each soon after what was kept or tried
// again: what is kept is taken back once at most, and never again.
func TestAlert_stepsFromOutsideDoNotFlipFlop(t *testing.T) {
	trace, share := drifting(t, 5*time.Hour, Alert{}, func(age time.Duration) float64 {
		return 0.4 * float64(min(age/(45*time.Minute), 5))
	})
	n, back, rollbacks := alerts(trace)
	t.Logf("%d alerts, taken back %d times, %d rollbacks, kept for %.1f%% of the time", n, back, rollbacks, 100*share)
	require.Equal(t, 5, n, "one alert a step")
	require.LessOrEqual(t, back, 1)
	require.Zero(t, rollbacks)
	require.Greater(t, share, 0.97)

	// The first one within probation: 30 minutes by default.
	trace, share = drifting(t, 5*time.Hour, Alert{}, func(age time.Duration) float64 {
		return 0.4 * float64(min((age+25*time.Minute)/(45*time.Minute), 5))
	})
	n, back, rollbacks = alerts(trace)
	t.Logf("%d alerts, taken back %d times, %d rollbacks, kept for %.1f%% of the time", n, back, rollbacks, 100*share)
	require.Equal(t, 5, n)
	require.Equal(t, 1, back, "on probation once")
	require.Zero(t, rollbacks)
	require.Greater(t, share, 0.97)

	// Each one soon after what was kept again because of the one before.
	trace, share = drifting(t, 4*time.Hour, Alert{}, func(age time.Duration) float64 {
		return 0.4 * float64(age/(25*time.Minute))
	})
	n, back, rollbacks = alerts(trace)
	t.Logf("%d alerts, taken back %d times, %d rollbacks, kept for %.1f%% of the time", n, back, rollbacks, 100*share)
	require.Equal(t, 9, n)
	require.Equal(t, 1, back, "once ever")
	require.Zero(t, rollbacks)
	require.Greater(t, share, 0.97)
}

// A day whose level goes up and down by half every four hours: alerts while it
// rises for the first time; after that the crest is what is expected.
func TestAlert_slowWavesDoNotFlipFlop(t *testing.T) {
	trace, share := drifting(t, 24*time.Hour, Alert{}, func(age time.Duration) float64 {
		return 0.4 * math.Sin(2*math.Pi*age.Hours()/4)
	})
	n, back, rollbacks := alerts(trace)
	t.Logf("%d alerts, taken back %d times, %d rollbacks, kept for %.1f%% of the time", n, back, rollbacks, 100*share)
	require.Positive(t, n)
	require.LessOrEqual(t, n, 5)
	require.LessOrEqual(t, back, 1)
	require.Zero(t, rollbacks)
	require.Greater(t, share, 0.99)
}

// What turns bad on probation is taken back by the alert, tried again, and not
// kept again.
func TestAlert_whatTurnedBadStaysOff(t *testing.T) {
	space, offered, initial := switches("gain")
	p := newPlant(5, space, initial)
	p.effect = func(s Setting, age time.Duration) float64 {
		if age < 15*time.Minute {
			return on("gain", -0.36)(s, age)
		}
		return on("gain", 0.36)(s, age)
	}
	c, err := New(Config{
		Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: again{}, Alert: Alert{Interval: 2 * time.Minute, Probation: time.Hour},
		Timing: Timing{Washout: time.Second, Measure: 5 * time.Second, Tick: 5 * time.Second, MinRequests: -1},
		Budget: Budget{Until: epochZero.Add(time.Hour)},
	})
	require.NoError(t, err)
	var trace Trace
	require.NoError(t, Run(context.Background(), p, c, Loop{Record: &trace}))
	require.False(t, p.set.On("gain"))
	v := trace.Verdicts()
	require.GreaterOrEqual(t, len(v), 2)
	require.Equal(t, Kept, v[0].Outcome)
	for _, again := range v[1:] {
		require.NotEqual(t, Kept, again.Outcome)
	}
}

// A goal is compared over the whole interval, in both directions, and only where
// it was measured.
func TestAlert_ofAMaximizedGoal(t *testing.T) {
	for name, c := range map[string]struct {
		step  float64 // of the log
		alert bool
	}{"falls by a third": {-0.4, true}, "falls a little": {-0.1, false}, "rises": {0.4, false}} {
		t.Run(name, func(t *testing.T) {
			space, offered, initial := switches("x")
			p := newPlant(2, space, initial)
			p.effect = withStep(func(Setting, time.Duration) float64 { return 0 }, 60*time.Second, c.step)
			core, err := New(Config{
				Space: space, Offered: offered, Goals: []Goal{{Metric: "absent"}, {Metric: "cost", Maximize: true}}, Policy: &nothing{},
				Timing: fast, Alert: Alert{Interval: 10 * time.Second}, Budget: Budget{Until: epochZero.Add(2 * time.Minute)},
			})
			require.NoError(t, err)
			var trace Trace
			require.NoError(t, Run(context.Background(), p, core, Loop{Record: &trace}))
			var got []Degraded
			for _, r := range trace.Records {
				if r.Kind == RecordAlert {
					got = append(got, *r.Degraded)
				}
			}
			if !c.alert {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			require.Equal(t, Metric("cost"), got[0].Metric)
			require.Less(t, got[0].Value, got[0].Expected)
			require.Equal(t, "nothing is kept that could be at fault", got[0].Then)
		})
	}
}

func TestAlert_check(t *testing.T) {
	space, offered, _ := switches("x")
	for want, a := range map[string]Alert{
		"alert: interval 1ms: must be within 1s..24h, or negative for none": {Interval: time.Millisecond},
		"alert: interval 25h0m0s: must be within 1s..24h":                   {Interval: 25 * time.Hour},
		"alert: threshold -1: must be above 0 and at most 10":               {Threshold: -1},
		"alert: threshold 11: must be above 0 and at most 10":               {Threshold: 11},
		"alert: probation -1ns: must not be negative":                       {Probation: -1},
	} {
		_, err := New(Config{Space: space, Offered: offered, Policy: &nothing{}, Alert: a})
		require.ErrorContains(t, err, want)
	}
	for _, a := range []Alert{{}, {Interval: -5}, {Interval: time.Second, Threshold: 10}, {Interval: 24 * time.Hour}} {
		_, err := New(Config{Space: space, Offered: offered, Policy: &nothing{}, Alert: a})
		require.NoError(t, err)
	}
}
