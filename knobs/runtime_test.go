package knobs_test

import (
	"math"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/knobs"
)

func value(t *testing.T, a knobs.Actuator) float64 {
	t.Helper()
	require.NoError(t, a.Check())
	v, err := a.Get()
	require.NoError(t, err)
	return v
}

func TestMemoryLimit_movesAndRefusesADeathSpiral(t *testing.T) {
	was := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(was)
	a := knobs.MemoryLimit(1<<20, 64<<30)
	if was == math.MaxInt64 {
		require.Error(t, a.Knob.CheckValue(value(t, a)), "no limit is outside the bounds, so no trial moves it")
	}
	require.NoError(t, a.Set(8<<30))
	require.InDelta(t, 8<<30, value(t, a), 0)
	require.Equal(t, int64(8<<30), debug.SetMemoryLimit(-1))

	live := []byte(strings.Repeat("x", 50<<20))
	runtime.GC()
	err := a.Set(60 << 20)
	require.ErrorContains(t, err, "memory_limit 62914560: must be at least ")
	require.ErrorContains(t, err, "a third above what is in use")
	require.InDelta(t, 8<<30, value(t, a), 0, "what was refused is not in force")
	require.NoError(t, a.Set(200<<20))
	runtime.KeepAlive(live)
}

func TestGOMAXPROCS_undoFollowsTheContainerAgain(t *testing.T) {
	a := knobs.GOMAXPROCS()
	was := value(t, a)
	require.InDelta(t, was, a.Knob.Max, 0)
	require.NoError(t, a.Set(1))
	require.Equal(t, 1, runtime.GOMAXPROCS(0))
	require.NoError(t, a.Undo())
	require.InDelta(t, was, value(t, a), 0)
	require.Error(t, a.Knob.CheckValue(was+1), "more than the runtime takes by itself")
}

// What the operator sets in the environment no trial moves.
func TestRuntimeKnobs_theOperatorsWordWins(t *testing.T) {
	for variable, of := range map[string]func() knobs.Actuator{
		"GOGC":       knobs.GCPercent,
		"GOMEMLIMIT": func() knobs.Actuator { return knobs.MemoryLimit(1<<20, 1<<30) },
		"GOMAXPROCS": knobs.GOMAXPROCS,
	} {
		t.Setenv(variable, "")
		require.Empty(t, of().Pinned, variable)
		t.Setenv(variable, "2")
		require.Equal(t, variable+"=2 is set in the environment", of().Pinned)
	}
}
