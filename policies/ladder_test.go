package policies

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"autotune/controller"
)

// moved is a trial of a number that took a minute.
func moved(from, to float64, outcome controller.Outcome, reason controller.Reason, low, high float64) controller.Trial {
	return controller.Trial{
		Optimization: "o", Move: "n", Change: map[string]float64{"n": to}, From: controller.SettingOf(map[string]float64{"n": from}),
		Outcome: outcome, Reason: reason, Started: dawn, Ended: dawn.Add(time.Minute),
		Effects: []controller.Effect{{Metric: "cost", Low: math.Expm1(low), High: math.Expm1(high)}},
	}
}

func TestLadder(t *testing.T) {
	logKnob := controller.Knob{Name: "n", Kind: controller.Int, Min: 1, Max: 1000, Scale: controller.Log, MaxMove: 4}
	careful := controller.Knob{Name: "n", Kind: controller.Float, Min: 1, Max: 1000, Scale: controller.Log, MaxMove: 1.5}
	linear := controller.Knob{Name: "n", Kind: controller.Float, Min: 0, Max: 1, MaxMove: 0.1}
	levels := controller.Knob{Name: "n", Kind: controller.Int, Min: 1, Max: 10_000, Scale: controller.Log, Levels: []float64{1, 10, 100, 1000, 10_000}}
	enum := controller.Knob{Name: "n", Kind: controller.Enum, Min: 0, Max: 2, Levels: []float64{0, 1, 2}}
	kept := func(from, to float64) controller.Trial {
		return moved(from, to, controller.Kept, controller.Better, -0.9, -0.7)
	}
	worse := func(from, to, by float64) controller.Trial {
		return moved(from, to, controller.Reverted, controller.Worse, by-0.05, by+0.05)
	}
	flat := func(from, to float64) controller.Trial {
		return moved(from, to, controller.Inconclusive, controller.NoEffect, -0.01, 0.01)
	}
	unclear := func(from, to float64) controller.Trial {
		return moved(from, to, controller.Inconclusive, controller.Undecidable, -0.3, 0.2)
	}
	for name, c := range map[string]struct {
		knob   controller.Knob
		now    float64
		trials []controller.Trial
		want   []float64
	}{
		"from the start: up, down, and nearer if those may not be": {logKnob, 100, nil, []float64{200, 50, 141, 71}},
		"worse above: below first":                                 {logKnob, 100, []controller.Trial{worse(100, 200, 0.2)}, []float64{50, 71}},
		"no effect above: below":                                   {logKnob, 100, []controller.Trial{flat(100, 200)}, []float64{50, 71}},
		"flat on both sides: the end":                              {logKnob, 100, []controller.Trial{flat(100, 200), flat(100, 50)}, nil},
		"not shown on one side, worse on the other":                {logKnob, 100, []controller.Trial{unclear(100, 200), worse(100, 50, 0.3)}, nil},
		"kept up: not back":                                        {logKnob, 200, []controller.Trial{kept(100, 200)}, []float64{400, 283}},
		"kept down: not back":                                      {logKnob, 50, []controller.Trial{flat(100, 200), kept(100, 50)}, []float64{25, 35}},
		"kept twice: further":                                      {logKnob, 200, []controller.Trial{kept(50, 100), kept(100, 200)}, []float64{800, 283}},
		"as far as one trial may":                                  {careful, 225, []controller.Trial{kept(100, 150), kept(150, 225)}, []float64{337.5, 275.567}},
		"bracketed: the lowest point of the three":                 {logKnob, 200, []controller.Trial{kept(100, 200), worse(200, 400, 0.05)}, []float64{276}},
		"bracketed evenly: that is it":                             {logKnob, 100, []controller.Trial{worse(100, 200, 0.3), worse(100, 50, 0.3)}, nil},
		"bracketed by a wall":                                      {logKnob, 1000, []controller.Trial{worse(1000, 500, 0.3)}, nil},
		"at the bound":                                             {logKnob, 1000, nil, []float64{500, 707}},
		"levels":                                                   {levels, 100, nil, []float64{1000, 10, 10_000, 1}},
		"a value that is none of its levels is nobody's to leave":  {levels, 50, nil, nil},
		"levels, at the end":                                       {levels, 10_000, nil, []float64{1000, 100}},
		"linear, within MaxMove":                                   {linear, 0.5, nil, []float64{0.6, 0.4, 0.55, 0.45}},
		"a choice: any other":                                      {enum, 1, nil, []float64{0, 2}},
		"a choice: not what was tried":                             {enum, 1, []controller.Trial{flat(1, 0)}, []float64{2}},
		"a switch has none":                                        {controller.Knob{Name: "n", Kind: controller.Switch}, 0, nil, nil},
		"somebody moved it: what was known is of use":              {logKnob, 400, []controller.Trial{worse(100, 50, 0.2)}, []float64{800, 566}},
	} {
		t.Run(name, func(t *testing.T) {
			l := &ladder{}
			for _, tr := range c.trials {
				from, _ := tr.From.Get("n")
				l.learn(&tr, from, tr.Change["n"])
			}
			moves := l.moves(c.knob, c.now, dawn.Add(time.Hour))
			require.Len(t, moves, len(c.want), "%v", moves)
			require.InDeltaSlice(t, c.want, moves, 1e-3)
		})
	}
}

// What was shown is forgotten after a rest, and in another regime.
func TestLadder_forgets(t *testing.T) {
	k := controller.Knob{Name: "n", Kind: controller.Int, Min: 1, Max: 1000, Scale: controller.Log}
	l := &ladder{}
	tr := moved(100, 200, controller.Inconclusive, controller.NoEffect, -0.01, 0.01)
	l.learn(&tr, 100, 200)
	require.Equal(t, []float64{50, 71}, l.moves(k, 100, tr.Ended.Add(rest*time.Minute)))
	require.Equal(t, []float64{200, 50, 141, 71}, l.moves(k, 100, tr.Ended.Add(rest*time.Minute+1)))

	g := NewInOrder("order", nil)
	g.Learn(tr)
	require.Equal(t, []float64{50, 71}, g.ladder("n", 0).moves(k, 100, tr.Ended))
	require.Equal(t, []float64{200, 50, 141, 71}, g.ladder("n", 1).moves(k, 100, tr.Ended))
	tr.Regime = 1
	tr.Change = map[string]float64{"n": 50}
	g.Learn(tr)
	require.Equal(t, []float64{200, 141}, g.ladder("n", 1).moves(k, 100, tr.Ended))
}

// On a smooth response with one lowest point, and a judge that keeps what is better
// by what is worth having, it ends near that point, in few trials.
func TestLadder_findsTheLowestPoint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := controller.Knob{Name: "n", Kind: controller.Float, Min: 1, Max: 1e6, Scale: controller.Log, MaxMove: 4}
		lowest := rapid.Float64Range(1, 12).Draw(t, "lowest")
		curve := rapid.Float64Range(0.1, 0.5).Draw(t, "curve")
		now := math.Exp(rapid.Float64Range(1, 12).Draw(t, "start"))
		cost := func(v float64) float64 { d := math.Log(v) - lowest; return curve * d * d / (1 + math.Abs(d)) }
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		l, trials := &ladder{}, 0
		for ; ; trials++ {
			moves := l.moves(k, now, dawn)
			if len(moves) == 0 {
				break
			}
			if trials > 40 {
				t.Fatalf("%d trials and no end", trials)
			}
			to := moves[0]
			d := cost(to) - cost(now) + 0.002*rng.NormFloat64()
			tr := moved(now, to, controller.Inconclusive, controller.NoEffect, d-0.01, d+0.01)
			switch {
			case d < -worthHaving:
				tr.Outcome, tr.Reason = controller.Kept, controller.Better
			case d > worthHaving:
				tr.Outcome, tr.Reason = controller.Reverted, controller.Worse
			}
			l.learn(&tr, now, to)
			if tr.Outcome == controller.Kept {
				now = to
			}
		}
		if lost := cost(now); lost > 0.12 {
			t.Fatalf("it ends at %v, e^%.2f is lowest, %.3f above it, after %d trials", now, lowest, lost, trials)
		}
	})
}

// A restart that is taught by brief trials searches on where it was.
func TestLadder_isTaughtByBriefTrials(t *testing.T) {
	k := controller.Knob{Name: "n", Kind: controller.Int, Min: 1, Max: 1000, Scale: controller.Log, MaxMove: 4}
	whole, brief := &ladder{}, &ladder{}
	for _, tr := range []controller.Trial{
		moved(100, 200, controller.Kept, controller.Better, -0.9, -0.7),
		moved(200, 400, controller.Reverted, controller.Worse, 0.02, 0.08),
	} {
		from, _ := tr.From.Get("n")
		whole.learn(&tr, from, tr.Change["n"])
		tr.Shown, tr.Effects = tr.Intervals(), nil
		brief.learn(&tr, from, tr.Change["n"])
	}
	require.Equal(t, whole, brief)
	require.Len(t, brief.moves(k, 200, dawn), 1)
}
