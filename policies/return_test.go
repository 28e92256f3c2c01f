package policies

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/controller"
)

// shifts is a service of eight switches. By day the first four help and the others
// harm, by night it is the other way round, and dearer as a whole.
const shifts = 8

func shiftCost(night bool) func(controller.Setting) float64 {
	return func(s controller.Setting) float64 {
		y := 0.0
		if night {
			y = 0.5
		}
		for i := range shifts {
			if !s.On(fmt.Sprintf("s%d", i)) {
				continue
			}
			if (i < shifts/2) != night {
				y -= 0.2
			} else {
				y += 0.2
			}
		}
		return y
	}
}

// alternation is a session on it, in which each stretch has a cost of its own.
type alternation struct {
	trace controller.Trace
	end   controller.State
}

func alternate(t require.TestingT, seed uint64, stretch time.Duration, costs []func(controller.Setting) float64, alter func(*controller.Config)) *alternation {
	v := viewOf(switchNames(shifts))
	target := &plant{
		space: v.Space, now: dawn, start: dawn, set: v.Safe, rng: rand.New(rand.NewPCG(seed, 8)),
		cost: func(s controller.Setting, age time.Duration) float64 {
			return costs[min(int(age/stretch), len(costs)-1)](s)
		},
	}
	policy, err := Named("guide", "")
	require.NoError(t, err)
	cfg := controller.Config{
		Space: v.Space, Offered: v.Offered, Goals: []controller.Goal{{Metric: "cost"}}, Policy: policy, Seed: seed,
		Timing: controller.Timing{Washout: time.Second, Measure: 5 * time.Second, Tick: 5 * time.Second},
		Budget: controller.Budget{MaxPairs: 40, Until: dawn.Add(stretch * time.Duration(len(costs)))}, Alert: controller.Alert{Interval: time.Minute},
	}
	if alter != nil {
		alter(&cfg)
	}
	core, err := controller.New(cfg)
	require.NoError(t, err)
	var a alternation
	require.NoError(t, controller.Run(context.Background(), target, core, controller.Loop{Record: &a.trace}))
	a.end = core.State()
	return &a
}

// settled is, by stretch, how long it took until the best setting was kept for good,
// or the whole stretch if it never was.
func (a *alternation) settled(stretch time.Duration, best []controller.Setting) []time.Duration {
	out, at := make([]time.Duration, len(best)), 0
	for i := range out {
		out[i] = stretch
	}
	isBest := false
	for _, r := range a.trace.Records {
		for ; at < len(best)-1 && r.At.Sub(dawn) >= time.Duration(at+1)*stretch; at++ {
			isBest = false
		}
		if r.State == nil {
			continue
		}
		if was := isBest; r.State.Safe.Equal(best[at]) {
			if isBest = true; !was {
				out[at] = r.At.Sub(dawn) - time.Duration(at)*stretch
			}
		} else {
			isBest, out[at] = false, stretch
		}
	}
	return out
}

func switchNames(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("s%d", i)
	}
	return out
}

func returns(trials []controller.Trial) int {
	n := 0
	for _, t := range trials {
		if strings.HasPrefix(t.Move, "back to ") {
			n++
		}
	}
	return n
}

// Day and night: the first of each is searched. From then on what was kept is tried
// at once, and in force within a fifth of the time.
func TestReturn_toWhatWasKept(t *testing.T) {
	const stretch = time.Hour
	day, night := shiftCost(false), shiftCost(true)
	v := viewOf(switchNames(shifts))
	byDay := v.Safe.With(map[string]float64{"s0": 1, "s1": 1, "s2": 1, "s3": 1})
	byNight := v.Safe.With(map[string]float64{"s4": 1, "s5": 1, "s6": 1, "s7": 1})
	for seed := range uint64(3) {
		a := alternate(t, seed+1, stretch, []func(controller.Setting) float64{day, night, day, night, day}, nil)
		took := a.settled(stretch, []controller.Setting{byDay, byNight, byDay, byNight, byDay})
		t.Log(took)
		require.Less(t, took[1], stretch)
		for _, again := range took[2:] {
			require.Less(t, again, took[1]/5)
		}
		require.Equal(t, 3, returns(a.trace.Verdicts()), "one each is enough")
	}
}

// A release that is rolled back, or mended by the next, finds what was kept before it,
// and a setting that leads nowhere twice is not tried a third time.
func TestReturn_ofABuild(t *testing.T) {
	const stretch = 45 * time.Minute
	day, night := shiftCost(false), shiftCost(true)
	var state *controller.State
	tries := 0
	live := func(build string, cost func(controller.Setting) float64) *alternation {
		a := alternate(t, 5, stretch, []func(controller.Setting) float64{cost}, func(c *controller.Config) {
			c.Build, c.State = build, state
			if state != nil { // its history ended when this begins
				c.Budget.Until = dawn.Add(stretch)
			}
		})
		tries = returns(a.trace.Verdicts())
		state = &a.end
		return a
	}
	a := live("1", day)
	first := a.end.Safe
	require.True(t, first.On("s0") && first.On("s3"))
	a = live("2", night)
	require.Zero(t, tries, "nothing is known of it")
	require.True(t, a.end.Safe.On("s4") && !a.end.Safe.On("s0"))
	a = live("1", day)
	require.Equal(t, 1, tries)
	require.Equal(t, first, a.end.Safe)
	live("2", day) // the second release behaves as the first now
	require.Equal(t, 1, tries)
	live("1", day)
	require.Equal(t, 1, tries, "once more")
	live("2", day)
	require.Zero(t, tries)
	a = live("3", night)
	require.True(t, a.end.Safe.On("s4"))
	a = live("4", day) // mended
	require.Equal(t, 1, tries)
	require.Equal(t, first, a.end.Safe)
}

// Where nothing has an effect no regime ends, and no trial is made that would not be
// without all of this.
func TestReturn_neverChurns(t *testing.T) {
	flat := []func(controller.Setting) float64{func(controller.Setting) float64 { return 0 }}
	for seed := range uint64(8) {
		with := alternate(t, seed+100, time.Hour, flat, func(c *controller.Config) { c.Build = "1" })
		without := alternate(t, seed+100, time.Hour, flat, func(c *controller.Config) { c.Alert.Interval = -1 })
		require.Zero(t, with.end.Regime.Number)
		brief := func(a *alternation) (out []string) {
			for _, v := range slices.Concat(a.trace.Verdicts(), a.trace.Audits()) {
				out = append(out, fmt.Sprint(v.ID, v.Audit, v.Optimization, v.Move, v.Outcome))
			}
			return out
		}
		require.Equal(t, brief(without), brief(with))
	}
}
