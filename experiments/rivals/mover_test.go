package rivals

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/controller"
	"autotune/simulate"
)

// up goes one up with each window, and notes what it was told.
type up struct{ told []float64 }

func (u *up) Begin(now float64) Move { return Move{Value: now + 1, Watch: time.Second} }

func (u *up) Next(w *Window) Move {
	u.told = append(u.told, w.Value)
	return Move{Value: w.Value + 1.2, Watch: time.Second, Fresh: true}
}

func pool(seed uint64) *Pool {
	p, _ := busy(seed).(*Pool)
	return p
}

func TestMover_carriesOut(t *testing.T) {
	p, law := pool(1), &up{}
	m, err := NewMover(p.Space(), "n", law, simulate.Epoch().Add(3500*time.Millisecond))
	require.NoError(t, err)
	var epochs []uint64
	loop := controller.Loop{Stepped: func(_ controller.Input, c controller.Command) { epochs = append(epochs, c.Epoch) }}
	require.NoError(t, controller.Run(t.Context(), p, m, loop))
	require.Equal(t, []float64{5, 6, 7}, law.told, "rounded, as it reads back")
	require.Equal(t, []uint64{1, 2, 3, 4, 4}, epochs)
	n, _ := p.now.Get("n")
	require.InDelta(t, 8, n, 0, "what it set last stays in force")

	_, err = NewMover(p.Space(), "m", law, time.Time{})
	require.EqualError(t, err, `knob "m": must name a knob of the space`)
}

func TestMover_livesWithAnOperatorAndWithFaults(t *testing.T) {
	p, law := pool(1), &up{}
	until := simulate.Epoch().Add(10 * time.Second)
	m, err := NewMover(p.Space(), "n", law, until)
	require.NoError(t, err)
	target := simulate.Outside(p, simulate.Change{At: 2500 * time.Millisecond, Values: map[string]float64{"n": 40}})
	require.NoError(t, controller.Run(t.Context(), target, m, controller.Loop{}))
	require.Contains(t, law.told, 40.0)

	m, err = NewMover(p.Space(), "n", &up{}, until.Add(time.Hour))
	require.NoError(t, err)
	m.Start()
	require.False(t, m.Step(controller.Input{ReadErr: "gone"}).Apply, "nothing is known yet")
	known := controller.SettingOf(map[string]float64{"n": 64})
	require.False(t, m.Step(controller.Input{Current: known}).Apply, "65 is beyond the knob")
	require.False(t, m.Step(controller.Input{Current: known, ObserveErr: "gone"}).Apply)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, controller.Run(ctx, p, m, controller.Loop{}), context.Canceled)
}

func TestRandom_isWithinBoundsAndEverywhere(t *testing.T) {
	low := 0.2
	space, _, _ := simulate.Switches("s")
	space.Knobs = append(space.Knobs,
		controller.Knob{Name: "f", Kind: controller.Float, Min: 0, Max: 1, Floor: &low},
		controller.Knob{Name: "g", Kind: controller.Int, Min: 1, Max: 1024, Scale: controller.Log},
		controller.Knob{Name: "l", Kind: controller.Int, Min: 1, Max: 9, Levels: []float64{1, 4, 9}},
	)
	r := NewRandom(space.Knobs, time.Second, simulate.Epoch().Add(time.Hour), 1)
	r.Start()
	now := controller.SettingOf(map[string]float64{"s": 0, "f": 1, "g": 1, "l": 1, "other": 7})
	seen, below := map[float64]bool{}, 0
	for range 1000 {
		cmd := r.Step(controller.Input{At: simulate.Epoch(), Current: now})
		require.True(t, cmd.Apply)
		other, _ := cmd.Setting.Get("other")
		require.InDelta(t, 7, other, 0, "not its business")
		for _, k := range space.Knobs {
			v, _ := cmd.Setting.Get(k.Name)
			require.NoError(t, k.CheckValue(v))
		}
		f, _ := cmd.Setting.Get("f")
		require.GreaterOrEqual(t, f, low)
		l, _ := cmd.Setting.Get("l")
		seen[l] = true
		if g, _ := cmd.Setting.Get("g"); g < 32 {
			below++
		}
	}
	require.Len(t, seen, 3)
	require.InDelta(t, 500, below, 60, "evenly by factors")
	require.True(t, r.Step(controller.Input{At: simulate.Epoch().Add(time.Hour)}).Done)
}

func TestBest_needsSomethingToChooseFrom(t *testing.T) {
	_, _, err := Best(t.Context(), nil, nil)
	require.ErrorContains(t, err, "best of no settings")
}
