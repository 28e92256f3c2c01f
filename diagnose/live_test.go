package diagnose

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune"
	"autotune/catalog"
	"autotune/controller"
	"autotune/executor"
	"autotune/knobs"
)

// A panic in a knob's Set ends the autopilot: the diagnosis says so before all else,
// from the journal and live, and the journal replays.
func TestDiagnosis_aPanicIsFirst(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "j")
	pilot, err := autotune.Start(t.Context(), autotune.Config{
		Executor: executor.Config{EnableAutomaticOptimization: true}, Journal: dir, Offer: []string{"batch"}, OpenLoop: true,
		Timing: controller.Timing{Washout: -1, Measure: 20 * time.Millisecond, MinRequests: -1, BaselineBlocks: 3},
		Knobs: []knobs.Actuator{{
			Knob: controller.Knob{Name: "batch", Kind: controller.Int, Min: 1, Max: 100},
			Get:  func() (float64, error) { return 5, nil }, Set: func(float64) error { panic("boom\nand more") },
		}},
	})
	require.NoError(t, err)
	defer pilot.Executor().Close()
	for done := false; !done; {
		request := pilot.Recorder().StartNow()
		select {
		case <-pilot.Done():
			done = true
		case <-time.After(time.Millisecond):
		}
		request.End(false)
	}
	live := Live(pilot)
	require.ErrorContains(t, pilot.Close(), "panic: boom")
	read, err := Read(dir)
	require.NoError(t, err)
	for _, d := range []*Diagnosis{live, read} {
		require.NotEmpty(t, d.Findings, d.Source)
		require.Contains(t, d.Findings[0].What, "the autopilot panicked")
		require.Equal(t, "panic: boom and more", d.Findings[0].Evidence[0].Text)
		require.Empty(t, d.Signals, "nothing ran in the executor")
	}
	_, err = autotune.Replay(dir)
	require.NoError(t, err)
}

// Where a knob cannot be read, no trial is possible, and that is told first.
func TestDiagnosis_unreadKnobIsFirst(t *testing.T) {
	f := newFacts("x")
	f.ticks, f.safeSeen.Totals = 100, map[controller.Metric]float64{controller.CPUSeconds: 1}
	f.safeSeen.Gauges, f.safeSeen.Over = map[controller.Metric]float64{hostCPU: 1}, 100*time.Second
	for range 90 {
		f.failed("read back", "read batch: cannot read", dawn)
	}
	d := f.diagnosis()
	require.Contains(t, d.Findings[0].What, "no trial is possible")
	require.Equal(t, "the processors are full", d.Findings[1].What)
	f.fails["read back"].times = 3
	require.NotContains(t, f.diagnosis().Findings[0].What, "no trial is possible")
}

// What the policy rules out, and what is zero, is no gain that is likely.
func TestSignals_agreeWithTheOutlook(t *testing.T) {
	f := newFacts("x")
	f.safeSeen.Totals = map[controller.Metric]float64{
		controller.Requests: 10, controller.AllocBytes: 1e6, catalog.Executions: 10, catalog.StateCopiedBytes: 1e6, catalog.FailedExecutions: 0,
	}
	names := func() (out []string) {
		for _, s := range f.signals() {
			out = append(out, s.Optimizations...)
		}
		return out
	}
	require.Equal(t, []string{catalog.EnableObjectPool, catalog.EnableMemory, catalog.EnableContext}, names())
	f.outlook = &controller.Outlook{Prospects: []controller.Prospect{{Optimization: catalog.EnableContext, Skip: "nothing to act on"}}}
	require.Equal(t, []string{catalog.EnableObjectPool, catalog.EnableMemory}, names())
	f.safeSeen.Totals[catalog.Executions] = 0
	require.NotEmpty(t, names(), "the service has no knobs of its own")
	f.safe = controller.SettingOf(map[string]float64{"batch": 1})
	require.Empty(t, names())
}

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
