package diagnose

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune"
	"autotune/controller"
	"autotune/executor"
)

// An autopilot that nobody let try anything says so, and what its status cannot
// tell is not known instead of fine.
func TestLive_heldByItsSwitch(t *testing.T) {
	pilot, err := autotune.Start(context.Background(), autotune.Config{})
	require.NoError(t, err)
	defer pilot.Executor().Close()
	defer pilot.Close()
	step, err := executor.NewStep(pilot.Executor(), executor.StepConfig[int, int]{
		Name: "square", Results: executor.Pure(), Run: func(_ context.Context, n int) (int, error) { return n * n, nil },
	})
	require.NoError(t, err)
	for range 1000 {
		_, err := step.Run(t.Context(), 7)
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return pilot.Status().Phase == controller.Paused }, time.Minute, 10*time.Millisecond)
	d := Live(pilot)
	whole(t, d)
	require.Len(t, d.Findings, 1)
	require.Equal(t, "nothing is tried", d.Findings[0].What)
	require.Contains(t, d.Findings[0].Next[0], "enable_automatic_optimization: true")
	known := map[string]bool{}
	for _, l := range d.Looked {
		known[l.Rule] = l.Known
	}
	require.Equal(t, map[string]bool{"regression": true, "memory": false, "cpu": false, "inconsistent": false, "metrics": false, "applied": true}, known)
	var texts string
	for _, s := range d.Signals {
		texts += s.Text + "\n"
	}
	require.Contains(t, texts, "of declared executions repeat an input")
}
