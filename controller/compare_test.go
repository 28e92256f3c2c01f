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

// compareOn runs a comparison of x off against x on.
func compareOn(t testing.TB, target Target, pairs int, seed uint64, loop Loop, goals ...Goal) ([]Compared, error) {
	space, _, initial := switches("x")
	base := SettingOf(initial)
	c, err := NewComparison(ComparisonConfig{
		Space: space, Baseline: base, Candidate: base.With(map[string]float64{"x": 1}), Goals: goals, Pairs: pairs, Seed: seed, Timing: fast,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(context.Background(), target, c, loop); err != nil {
		t.Fatal(err)
	}
	return c.Result()
}

func comparison(seed uint64, n noise, effect float64, goals ...Goal) *gauges {
	space, _, initial := switches("x")
	return &gauges{
		now: epochZero, set: SettingOf(initial), space: space, goals: goals, effect: []float64{effect},
		next: []func() float64{n(rand.New(rand.NewPCG(seed, 5)))}, sample: Sample{Gauges: map[Metric]float64{}},
	}
}

func TestComparison_findsKnownEffects(t *testing.T) {
	for _, c := range []struct {
		effect   float64
		maximize bool
		verdict  string
	}{
		{-0.2, false, "better"}, {0.2, false, "worse"}, {-0.2, true, "worse"}, {0.2, true, "better"},
	} {
		goal := Goal{Metric: "cost", Maximize: c.maximize}
		g := comparison(1, pairSD(0.1), c.effect, goal)
		got, err := compareOn(t, g, 40, 2, Loop{}, goal)
		require.NoError(t, err)
		require.Equal(t, c.verdict, got[0].Verdict, "%+v", got[0])
		require.Equal(t, 40, got[0].Pairs)
		truth := math.Expm1(c.effect)
		require.Less(t, got[0].Low, truth)
		require.Greater(t, got[0].High, truth)
		require.InDelta(t, truth, got[0].Effect, 0.06)
		require.False(t, g.set.On("x"), "the baseline is left in force")
	}
}

func TestComparison_isUnclearWithoutAnEffect(t *testing.T) {
	n := 300
	if testing.Short() || raceEnabled {
		n = 40
	}
	goal := Goal{Metric: "cost"}
	for name, noise := range map[string]noise{"drift": autoregressive(0.95, 0.05, 0), "pareto": pareto, "jumps": jumps} {
		better, worse := 0, 0
		for i := range n {
			got, err := compareOn(t, comparison(uint64(i), noise, 0, goal), 24, uint64(100+i), Loop{}, goal)
			require.NoError(t, err)
			switch got[0].Verdict {
			case "better":
				better++
			case "worse":
				worse++
			}
		}
		t.Logf("%s: better %d, worse %d of %d", name, better, worse, n)
		require.LessOrEqual(t, float64(better)/float64(n), 0.025, name)
		require.LessOrEqual(t, float64(worse)/float64(n), 0.025, name)
	}
}

// Whatever goes wrong ends it with an error that says what, and with the final
// setting in force: half a comparison is none.
func TestComparison_endsWithAnErrorAndTheFinalSetting(t *testing.T) {
	space, _, initial := switches("x")
	broken := false
	cases := map[string]struct {
		plant func(*plant)
		loop  func(*Loop)
		says  string
	}{
		"apply": {plant: func(p *plant) {
			fails := 3
			p.fail = func(s Setting) error {
				if s.On("x") || broken && fails > 0 {
					broken = true
					fails--
					return errBroken
				}
				return nil
			}
		}, says: "apply: broken"},
		"observe": {plant: func(p *plant) {
			p.observed = func(s Setting) error {
				if s.On("x") {
					return errBroken
				}
				return nil
			}
		}, says: "observe: broken"},
		"outside": {plant: func(p *plant) {
			at := 0
			p.before = func(p *plant) {
				if at++; at == 12 {
					p.set = p.set.With(map[string]float64{"x": 1 - p.set.Map()["x"]})
				}
			}
		}, says: "changed from outside"},
		"deaf": {plant: func(p *plant) { p.deaf = true }, says: "both read back as x=0"},
		"stop": {loop: func(l *Loop) {
			at := 0
			l.Ask = func() Ask {
				if at++; at == 9 {
					return Stop
				}
				return 0
			}
		}, says: "stopped after"},
		"record": {loop: func(l *Loop) { l.Record = brokenJournal{} }, says: "record: broken"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := newPlant(1, space, initial)
			var loop Loop
			steps := 0
			loop.Stepped = func(Input, Command) {
				steps++
				require.Less(t, steps, 500)
			}
			if c.plant != nil {
				c.plant(p)
			}
			if c.loop != nil {
				c.loop(&loop)
			}
			_, err := compareOn(t, p, 30, 3, loop, Goal{Metric: "cost"})
			require.ErrorContains(t, err, c.says)
			require.Equal(t, "x=0", p.set.String())
		})
	}
}

type brokenJournal struct{}

func (brokenJournal) Append(Record) error { return errBroken }
func (brokenJournal) Sync() error         { return errBroken }

// A runtime that rounds is compared, and left, as it reads back.
func TestComparison_takesWhatReadsBack(t *testing.T) {
	space := Space{Knobs: []Knob{{Name: "size", Kind: Int, Min: 1, Max: 1000, Settle: 3 * time.Second}}}
	at := func(v float64) Setting { return SettingOf(map[string]float64{"size": v}) }
	p := newPlant(1, space, at(64).Map())
	p.round = func(s Setting) Setting { v, _ := s.Get("size"); return at(16 * math.Floor(v/16)) }
	var longest time.Duration
	c, err := NewComparison(ComparisonConfig{
		Space: space, Baseline: at(70), Candidate: at(100), Final: at(100), Goals: []Goal{{Metric: "cost"}}, Pairs: 5, Timing: fast,
	})
	require.NoError(t, err)
	var since time.Time
	require.NoError(t, Run(context.Background(), p, c, Loop{Stepped: func(in Input, cmd Command) {
		if cmd.Apply {
			since = in.At
		}
		longest = max(longest, in.At.Sub(since))
	}}))
	_, err = c.Result()
	require.NoError(t, err)
	require.Equal(t, "size=96", p.set.String())
	require.GreaterOrEqual(t, longest, 3*time.Second, "the knob's settling time is waited out")
}

func TestNewComparison_refuses(t *testing.T) {
	space, _, initial := switches("x")
	good := ComparisonConfig{Space: space, Baseline: SettingOf(initial), Candidate: SettingOf(initial), Pairs: 3}
	for says, change := range map[string]func(*ComparisonConfig){
		"pairs 0: must be at least 1": func(c *ComparisonConfig) { c.Pairs = 0 },
		"baseline is empty":           func(c *ComparisonConfig) { c.Baseline = Setting{} },
		"candidate is empty":          func(c *ComparisonConfig) { c.Candidate = Setting{} },
		"measure -1s":                 func(c *ComparisonConfig) { c.Timing.Measure = -time.Second },
	} {
		cfg := good
		change(&cfg)
		_, err := NewComparison(cfg)
		require.ErrorContains(t, err, says)
	}
	c, err := NewComparison(good)
	require.NoError(t, err)
	done, of := c.Pairs()
	require.Equal(t, []int{0, 3}, []int{done, of})
}
