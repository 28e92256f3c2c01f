package terminal

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune"
	"autotune/controller"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test ./internal/terminal -update writes it")
	require.Equal(t, string(want), got)
}

// story is a short run as a command would show it, in its own time: seeding,
// noise, a change kept, a harmful one reverted, a placebo without effect, a
// pause because of a hard limit, and the final check.
type story struct {
	view  *View
	now   time.Time
	frame func(caption string) // after each thing shown; caption "" for most

	status autotune.Status
}

var storyStart = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func (s *story) clock() time.Time { return s.now }

func (s *story) pass(d time.Duration, caption string) {
	s.frame(caption)
	s.now = s.now.Add(d)
}

func (s *story) show(d time.Duration, phase controller.Phase, why, caption string) {
	s.status.At, s.status.Phase, s.status.Why = s.now, phase, why
	s.view.Show(s.status)
	s.pass(d, caption)
}

// effects of a goal whose log ratio is mu, after n pairs. The numbers grow as
// those of the real test do, and are made up.
func effects(n int, mu ...float64) []controller.Effect {
	names := []controller.Metric{controller.LatencyP95, controller.CPUPerRequest, controller.LatencyMean}
	out := make([]controller.Effect, len(mu))
	for i, m := range mu {
		half := 20.0 // no bounds before the fifth pair
		if n >= 5 {
			half = 1.3 / float64(n-3)
		}
		e := controller.Effect{
			Metric: names[i], Change: math.Expm1(m), Low: math.Expm1(max(m-half, -10)), High: math.Expm1(min(m+half, 10)),
			Better: math.Exp(-m * 0.6 * float64(n)), BetterAt: 180,
			Worse: math.Exp(m * 1.1 * float64(n)), Futile: math.Exp((m + 0.1) * 3.8 * float64(n)), FutileAt: 20,
		}
		if i == 0 {
			e.WorseAt = 100
		}
		out[i] = e
	}
	return out
}

func (s *story) trial(t controller.Trial, mu []float64, caption string) {
	last := t.Pairs
	for n := 0; n < last; n++ {
		running := t
		running.Outcome, running.Reason, running.Detail = 0, 0, ""
		running.Pairs, running.Effects = n, effects(n, mu...)
		s.status.Trial = &running
		of := "trial 1, x on, pair 1, safe"
		if n > 0 {
			of = "trial " + string(rune('0'+t.ID)) + ", " + t.Optimization + " " + t.Move + ", pair " + string(rune('0'+n)) + ", candidate"
		}
		s.show(250*time.Millisecond, controller.Settling, of, "")
		shown := ""
		if n == last-1 {
			shown = caption
		}
		s.show(time.Second, controller.Trying, of, shown)
		s.show(1250*time.Millisecond, controller.Trying, of, "")
	}
	t.Pairs, t.Effects = last, effects(last, mu...)
	s.status.Ended = append(s.status.Ended[:len(s.status.Ended):len(s.status.Ended)], t)
	s.status.Trial = nil
}

func (s *story) tell() {
	initial := controller.SettingOf(map[string]float64{
		"cache_size": 1000, "enable_cache_optimization": 0, "enable_step_optimization": 0, "harmful": 0, "placebo": 0,
	})
	s.status.Initial, s.status.Safe, s.status.InForce = initial, initial, initial
	s.status.MeasuredOf = 20

	for i := range 5 {
		s.view.Stage("seeding", i*10000, 40000)
		s.pass(time.Second, map[int]string{1: "seeding"}[i])
	}
	s.view.Line("serving on http://127.0.0.1:8080")
	s.pass(0, "")
	s.show(time.Second, controller.Starting, "", "")
	for i := range 20 {
		s.status.Measured = i
		s.show(time.Second, controller.Measuring, "noise, from 21 blocks of the safe setting", map[int]string{12: "measuring"}[i])
	}
	s.status.CPURatio = 0.0008

	s.trial(controller.Trial{
		ID: 1, Optimization: "enable_cache_optimization", Move: controller.MoveOn, Cap: 24, Pairs: 9,
		Why:     "popular reads are answered from memory, at most two seconds stale, which saves the database",
		Outcome: controller.Kept, Reason: controller.Better, Detail: "latency_p95_seconds -62% (-71% to -50%)",
	}, []float64{-0.97, -0.37, -0.6}, "a change that helps")
	s.status.Safe = s.status.Safe.With(map[string]float64{"enable_cache_optimization": 1})
	s.show(time.Second, controller.Restoring, "the setting just kept", "kept")

	s.trial(controller.Trial{
		ID: 2, Optimization: "harmful", Move: controller.MoveOn, Cap: 24, Pairs: 6,
		Why:     "a control: every request takes twice as long",
		Outcome: controller.Reverted, Reason: controller.Worse, Detail: "latency_p95_seconds is worse: e-value 101 reached 100",
	}, []float64{0.7, 0.5, 0.6}, "a harmful change")
	s.show(time.Second, controller.Restoring, "the trial ended: worse", "")

	s.trial(controller.Trial{
		ID: 3, Optimization: "placebo", Move: controller.MoveOn, Cap: 12, Pairs: 9,
		Why:     "a control: nothing changes",
		Outcome: controller.Inconclusive, Reason: controller.NoEffect, Detail: "no goal changes by as much as is worth having",
	}, []float64{0.004, 0.001, -0.01}, "a placebo")
	s.show(time.Second, controller.Restoring, "the trial ended: no-effect", "")

	for i := range 20 {
		s.show(time.Second, controller.Paused, "the safe setting breaks a hard limit: error_ratio 0.12 is above 0.1",
			map[int]string{3: "paused"}[i])
	}
	for i := range 13 {
		s.view.Stage("final check", i, 12)
		s.pass(2500*time.Millisecond, map[int]string{7: "final check"}[i])
	}
	s.view.Close()
}

func newStory(until time.Duration) *story {
	s := &story{now: storyStart, frame: func(string) {}}
	s.status.Until = storyStart.Add(until)
	return s
}
