package knobs_test

import (
	"fmt"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/controller"
	"autotune/knobs"
)

func TestGCPercent_movesAndReadsBack(t *testing.T) {
	a := knobs.GCPercent()
	require.NoError(t, a.Check())
	was, err := a.Get()
	require.NoError(t, err)
	defer debug.SetGCPercent(int(was))
	for _, v := range []float64{25, 150, 800} {
		require.NoError(t, a.Set(v))
		now, err := a.Get()
		require.NoError(t, err)
		require.InDelta(t, v, now, 0)
		require.Equal(t, int(v), debug.SetGCPercent(int(v)), "the runtime has it too")
	}
	debug.SetGCPercent(-1) // GOGC=off
	now, err := a.Get()
	require.NoError(t, err)
	require.InDelta(t, -1, now, 0)
	require.Error(t, a.Knob.CheckValue(now), "off is outside the bounds, so no trial moves it")
}

func TestActuator_checkReportsAllFaultsAtOnce(t *testing.T) {
	err := knobs.Actuator{Knob: controller.Knob{Name: "pool", Kind: controller.Int, Min: 9, Max: 3}}.Check()
	require.ErrorContains(t, err, "knob pool: min 9 > max 3: min must not exceed max")
	require.ErrorContains(t, err, "knob pool: get is nil")
	require.ErrorContains(t, err, "knob pool: set is nil")
}

// A service's own worker limit as a knob.
func ExampleActuator() {
	workers := 8
	a := knobs.Actuator{
		Knob: controller.Knob{Name: "workers", Kind: controller.Int, Unit: "goroutines", Min: 1, Max: 64, Scale: controller.Log, MaxMove: 2},
		Get:  func() (float64, error) { return float64(workers), nil },
		Set:  func(v float64) error { workers = int(v); return nil },
	}
	fmt.Println(a.Check(), a.Set(16), workers)
	// Output: <nil> <nil> 16
}
