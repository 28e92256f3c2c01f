package rivals

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/controller"
	"autotune/simulate"
)

// A rival that cannot win where it is at home is a straw man, and beating it
// shows nothing. Each is held against doing nothing, against chance, and against
// the best static setting, on a plant of the kind that it was made for.

// near is the share of what the best static setting earns that a rival reaches.
var near = map[string]float64{DotNetName: 0.9, MongoDBName: 0.9, Gradient2Name: 0.8, EnvoyName: 0.8, CaffeineName: 0.9}

// earn lets a core play on a home's plant.
func earn(t *testing.T, h Home, seed uint64, core func(controller.Space, time.Time) controller.Stepper) float64 {
	t.Helper()
	target := h.New(seed)
	require.NoError(t, controller.Run(t.Context(), target, core(target.Space(), simulate.Epoch().Add(h.Last)), controller.Loop{}))
	require.Equal(t, h.Last, target.Age().Truncate(h.Last), "it played to the end")
	return target.Earned()
}

func TestRivals_winAtHome(t *testing.T) {
	atHome := map[string]bool{}
	for _, h := range Homes() {
		for _, o := range Origins() {
			if !slices.Contains(h.Rivals, o.Name) {
				continue
			}
			atHome[o.Name] = true
			t.Run(o.Name, func(t *testing.T) {
				for seed := range uint64(2) {
					winsAtHome(t, h, o, seed)
				}
			})
		}
	}
	require.Len(t, atHome, len(Origins()), "every rival has a home")
}

func winsAtHome(t *testing.T, h Home, o Origin, seed uint64) {
	static := func(s controller.Setting) float64 {
		return earn(t, h, seed, func(_ controller.Space, until time.Time) controller.Stepper { return NewStatic(s, until) })
	}
	nothing := static(controller.Setting{})
	random := earn(t, h, seed, func(s controller.Space, until time.Time) controller.Stepper {
		return NewRandom(s.Knobs, time.Second, until, seed)
	})
	rival := earn(t, h, seed, func(s controller.Space, until time.Time) controller.Stepper {
		m, err := NewMover(s, s.Knobs[0].Name, o.New(s.Knobs[0], seed), until)
		require.NoError(t, err)
		return m
	})
	var settings []controller.Setting
	k := h.New(seed).Space().Knobs[0]
	low, high := k.Bounds()
	for i := range 9 {
		settings = append(settings, controller.SettingOf(map[string]float64{k.Name: k.Clamp(low + (high-low)*float64(i)/8)}))
	}
	_, cost, err := Best(t.Context(), settings, func(_ context.Context, s controller.Setting) (float64, error) { return -static(s), nil })
	require.NoError(t, err)
	t.Logf("seed %d: rival %.4g, nothing %.4g, random %.4g, oracle %.4g", seed, rival, nothing, random, -cost)
	require.Greater(t, rival, nothing, "better than doing nothing")
	require.Greater(t, rival, random, "better than chance")
	require.Greater(t, rival, near[o.Name]*-cost, "near the best static setting")
}
