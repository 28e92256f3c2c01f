package autotune_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune"
	"autotune/catalog"
	"autotune/executor"
	"autotune/sensors"
)

// A policy finds the executor's signals in the samples of a target, of the epoch alone.
func TestTarget_samplesHaveTheExecutorsSignals(t *testing.T) {
	ex, err := executor.New(executor.Config{})
	require.NoError(t, err)
	defer ex.Close()
	step, err := executor.NewStep(ex, executor.StepConfig[int, int]{
		Name: "step", Results: executor.Pure(),
		Run: func(_ context.Context, in int) (int, error) { return in, nil },
	})
	require.NoError(t, err)
	s, err := sensors.New(sensors.Options{Recorder: sensors.NewRecorder()})
	require.NoError(t, err)
	defer s.Close()
	target, err := autotune.NewTarget(ex, nil, s)
	require.NoError(t, err)
	run := func() {
		for range 10 {
			_, err := step.Run(t.Context(), 1)
			require.NoError(t, err)
		}
	}
	run() // before the epoch
	_, err = target.Observe(t.Context(), 1, time.Millisecond)
	require.NoError(t, err)
	run()
	sample, err := target.Observe(t.Context(), 1, time.Millisecond)
	require.NoError(t, err)
	executions, ok := sample.Value(catalog.Executions)
	require.True(t, ok)
	require.InDelta(t, 10, executions, 0)
	again, ok := sample.Value(catalog.DuplicateInputRatio)
	require.True(t, ok)
	require.InDelta(t, 19.0/20, again, 1e-9)
}
