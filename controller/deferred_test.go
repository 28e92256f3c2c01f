package controller_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// batcher is a service whose switch puts a share of its CPU cost off, so that some
// of it comes due while the other setting is in force.
type batcher struct {
	now    time.Time
	set    Setting
	rng    *rand.Rand
	defers bool
	share  float64
	after  time.Duration
	due    []due
	noise  float64
	level  float64
	saves  float64 // share of the cost that the switch really saves
}

type due struct {
	at   time.Time
	cost float64
}

func (b *batcher) Space() Space {
	return Space{Knobs: []Knob{{Name: "x", Kind: Switch, Period: 3 * time.Second, Defers: b.defers}}}
}
func (b *batcher) Current(context.Context) (Setting, error) { return b.set, nil }
func (b *batcher) Apply(_ context.Context, s Setting) error { b.set = s; return nil }

func (b *batcher) Observe(_ context.Context, _ uint64, d time.Duration) (Sample, error) {
	b.now = b.now.Add(d)
	// Noise that is steady over a few seconds, so that a longer block has it too.
	b.level = 0.8*b.level + 0.6*b.noise*b.rng.NormFloat64()
	cost := d.Seconds() * math.Exp(b.level)
	paid := cost
	if b.set.On("x") {
		cost *= 1 - b.saves
		paid = cost - b.share*cost
		b.due = append(b.due, due{b.now.Add(b.after), b.share * cost})
	}
	for len(b.due) > 0 && !b.due[0].at.After(b.now) {
		paid += b.due[0].cost
		b.due = b.due[1:]
	}
	return Sample{At: b.now, Over: d, Totals: map[Metric]float64{Requests: 400 * d.Seconds(), CPUSeconds: paid}}, nil
}

func (b *batcher) first(t testing.TB, seed uint64) Trial {
	b.now, b.set, b.rng = epochZero, SettingOf(map[string]float64{"x": 0}), rand.New(rand.NewPCG(seed, 5))
	core, err := New(Config{
		Space: b.Space(), Policy: &eachOnce{}, Goals: []Goal{{Metric: CPUPerRequest}}, Seed: seed,
		Offered: []Optimization{{Name: "x", Why: "test", Switch: "x", Equivalence: Exact}},
		Timing:  Timing{Washout: time.Second, Measure: 5 * time.Second, Tick: time.Second},
	})
	require.NoError(t, err)
	ended := &untilVerdict{Controller: core}
	require.NoError(t, Run(context.Background(), b, ended, Loop{}))
	return *ended.verdict
}

// Cost that is put off and paid in the other setting's block looks like a gain
// and like a harm of the other at once. A knob that declares it gets the bill
// for what it caused.
func TestDefers_putOffCostIsNoGain(t *testing.T) {
	n := 400
	if testing.Short() || raceEnabled {
		n = 60
	}
	keeps := func(defers bool) int {
		all := make([]Trial, n)
		for i := range all {
			b := batcher{defers: defers, share: 0.1, after: 3 * time.Second, noise: 0.02}
			all[i] = b.first(t, uint64(i+1))
		}
		return count(all, kept)
	}
	require.Greater(t, keeps(false), n/2, "undeclared, nothing is taken for a gain")
	require.LessOrEqual(t, lowerBound(keeps(true), n), 0.025, "declared, it is not")
}

// A knob that puts work off and saves some of it is kept for what it saves.
func TestDefers_aRealGainIsKept(t *testing.T) {
	n := 40
	all := make([]Trial, n)
	for i := range all {
		b := batcher{defers: true, share: 0.1, after: 3 * time.Second, noise: 0.02, saves: 0.15}
		all[i] = b.first(t, uint64(i+1))
	}
	require.Greater(t, count(all, kept), n*9/10)
}

// The independent check counts what was put off, too.
func TestComparison_billsWhatWasPutOff(t *testing.T) {
	effect := func(defers bool) float64 {
		b := batcher{defers: defers, share: 0.1, after: 3 * time.Second, noise: 0.001}
		b.now, b.set, b.rng = epochZero, SettingOf(map[string]float64{"x": 0}), rand.New(rand.NewPCG(3, 5))
		c, err := NewComparison(ComparisonConfig{
			Space: b.Space(), Baseline: b.set, Candidate: SettingOf(map[string]float64{"x": 1}), Pairs: 30, Seed: 4,
			Goals:  []Goal{{Metric: CPUPerRequest}},
			Timing: Timing{Washout: time.Second, Measure: 5 * time.Second, Tick: time.Second},
		})
		require.NoError(t, err)
		require.NoError(t, Run(context.Background(), &b, c, Loop{}))
		lines, err := c.Result()
		require.NoError(t, err)
		require.Equal(t, 30, lines[0].Pairs)
		return lines[0].Effect
	}
	require.Less(t, effect(false), -0.03)
	require.InDelta(t, 0, effect(true), 0.005)
}
