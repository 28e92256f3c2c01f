package controller_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// dozen is a target with twelve switches, each of which adds the effects.
type dozen struct{ gauges }

func (d *dozen) Observe(ctx context.Context, epoch uint64, wait time.Duration) (Sample, error) {
	s, err := d.gauges.Observe(ctx, epoch, wait)
	on := float64(d.on())
	for i, g := range d.goals {
		s.Gauges[g.Metric] *= math.Exp(on * d.effect[i])
	}
	return s, err
}

func (d *dozen) on() int {
	n := 0
	for _, v := range d.set.All() {
		n += int(v)
	}
	return n
}

func newDozen(seed uint64, noises []noise, effects []float64) (*dozen, []Optimization) {
	var names []string
	for i := range 12 {
		names = append(names, fmt.Sprintf("o%d", i))
	}
	space, offered, initial := switches(names...)
	d := &dozen{gauges{now: epochZero, set: SettingOf(initial), space: space, effect: effects, sample: Sample{Gauges: map[Metric]float64{}}}}
	for i, n := range noises {
		d.goals = append(d.goals, Goal{Metric: []Metric{"first", "second", "third"}[i]})
		d.next = append(d.next, n(rand.New(rand.NewPCG(seed, uint64(i)))))
	}
	return d, offered
}

// Twelve changes, each with 15 % less CPU and a p95 that is worse by a third or
// half of its tolerance, so that each alone may be kept: together they stay
// within the tolerance on average, and those that cost nothing are still kept.
func TestController_keepsDoNotAddUpToARegression(t *testing.T) {
	n := 20
	if testing.Short() || raceEnabled {
		n = 10
	}
	const tolerance = 0.06 // half of the pair noise
	for _, each := range []float64{0, 0.02, 0.03} {
		keeps, lost := 0, make([]float64, n)
		for seed := range uint64(n) {
			d, offered := newDozen(100+seed, ordered, []float64{each, math.Log(0.85)})
			c, err := New(Config{Space: d.space, Offered: offered, Goals: d.goals, Policy: &eachOnce{}, Seed: seed, Timing: fast, Alert: Alert{Interval: -1}})
			require.NoError(t, err)
			var trace Trace
			var ask Ask
			require.NoError(t, Run(context.Background(), d, c, Loop{
				Record: &trace, Ask: func() Ask { return ask },
				Stepped: func(_ Input, cmd Command) {
					if st := c.Status(); st.Phase == Idle {
						ask = Stop
					}
				},
			}))
			keeps += d.on()
			lost[seed] = each * float64(d.on())
		}
		mean, sd := stat.MeanStdDev(lost, nil)
		t.Logf("p95 %+.0f%% each: %.1f of 12 kept, together %+.1f%%", 100*each, float64(keeps)/float64(n), 100*mean)
		require.LessOrEqual(t, mean-3*stat.StdErr(sd, float64(n)), tolerance)
		require.GreaterOrEqual(t, keeps, n)
	}
}

// With three goals no trial can end in a keep before its ninth pair. Where time
// is short for all, as many as there is time for have that many, rather than
// each too few.
func TestBudget_aTrialHasPairsEnoughToKeep(t *testing.T) {
	for pairs, most := range map[int]int{8: 0, 9: 1, 29: 3} {
		d, offered := newDozen(1, []noise{pairSD(0.05), pairSD(0.05), pairSD(0.05)}, []float64{-0.5, -0.5, -0.5})
		measuring := 26 * time.Second
		c, err := New(Config{
			Space: d.space, Offered: offered[:4], Goals: d.goals, Policy: &eachOnce{}, Seed: 2, Timing: fast,
			Budget: Budget{Until: epochZero.Add(measuring + time.Duration(pairs)*2200*time.Millisecond)},
		})
		require.NoError(t, err)
		require.NoError(t, Run(context.Background(), d, c, Loop{}))
		t.Logf("time for %d pairs: %d of 4 kept", pairs, d.on())
		require.Equal(t, most, d.on(), "in %d pairs", pairs)
	}
}

// What was spent of the tolerances by keeps that are undone together is whole again.
func TestStop_toInitialGivesBackWhatWasSpent(t *testing.T) {
	for want, ask := range map[bool]Ask{true: Stop, false: StopToInitial} {
		d, offered := newDozen(1, ordered, []float64{0.02, math.Log(0.85)})
		c, err := New(Config{Space: d.space, Offered: offered, Goals: d.goals, Policy: &eachOnce{}, Seed: 1, Timing: fast})
		require.NoError(t, err)
		wish := Ask(0)
		require.NoError(t, Run(t.Context(), d, c, Loop{
			Ask: func() Ask { return wish },
			Stepped: func(Input, Command) {
				if c.State().Spent["first"] > 0 {
					wish = ask
				}
			},
		}))
		require.Equal(t, want, d.on() > 0)
		require.Equal(t, want, c.State().Spent["first"] > 0, "%v: %v", ask, c.State().Spent)
	}
}
