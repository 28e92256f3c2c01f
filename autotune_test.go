package autotune_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"autotune"
	"autotune/controller"
	"autotune/executor"
	"autotune/journal"
	"autotune/knobs"
)

func tried(n int) func(autotune.Status) bool {
	return func(s autotune.Status) bool { return len(s.Ended) >= n }
}

func TestAutopilot_keepsAGainRefusesHarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		pilot := start(t, s.config("slow", "fast"))
		st := until(t, pilot, "both tried", tried(2))
		finish(t, pilot)
		require.Equal(t, "slow", st.Ended[0].Optimization)
		// Twice as slow is often found out within a block, and by the pairs if not.
		require.Contains(t, []controller.Outcome{controller.Reverted, controller.Aborted}, st.Ended[0].Outcome, st.Ended[0].Detail)
		require.Equal(t, controller.Kept, st.Ended[1].Outcome, st.Ended[1].Detail)
		require.True(t, s.fast.Load(), "Close leaves what was kept")
		require.False(t, s.slow.Load())
		e, ok := st.Ended[1].Effect(controller.LatencyP95)
		require.True(t, ok)
		require.InDelta(t, -0.4, e.Change, 0.1)
	})
}

// Whatever has not been measured for any time yet is told as nothing, not as a
// number that no JSON can hold.
func TestStatus_isJSONFromTheFirstMoment(t *testing.T) {
	for range 10 {
		synctest.Test(t, func(t *testing.T) {
			s := startService()
			defer s.close()
			pilot := start(t, s.config("fast"))
			synctest.Wait()
			_, err := json.Marshal(pilot.Status())
			require.NoError(t, err)
			finish(t, pilot)
		})
	}
}

func TestAutopilot_zeroConfigChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		cfg := s.config("fast")
		cfg.Executor = executor.Config{}
		pilot := start(t, cfg)
		time.Sleep(5 * time.Minute)
		st := pilot.Status()
		require.Equal(t, controller.Paused, st.Phase)
		require.Empty(t, st.Ended)
		require.False(t, s.fast.Load())

		ex := pilot.Executor().Config()
		ex.EnableAutomaticOptimization = true
		require.NoError(t, pilot.Executor().Apply(ex))
		until(t, pilot, "kept once switched on", func(s autotune.Status) bool { return s.Safe.On("fast") })

		ex = pilot.Executor().Config()
		ex.EnableAutomaticOptimization = false
		require.NoError(t, pilot.Executor().Apply(ex))
		until(t, pilot, "held again", func(s autotune.Status) bool { return s.Phase == controller.Paused })
		finish(t, pilot)
	})
}

// Performance monitoring of the executor and the autopilot's own look at what it
// kept go by the same interval and threshold, unless they are told apart.
func TestAutopilot_alertsAsTheExecutorMonitors(t *testing.T) {
	own := controller.Alert{Interval: time.Minute, Threshold: 0.3, Probation: time.Hour}
	watch := executor.Config{EnablePerformanceMonitoring: true, PerformanceMonitoringInterval: 2 * time.Minute, PerformanceAlertThreshold: 0.5}
	quiet := watch
	quiet.EnablePerformanceMonitoring = false
	for name, c := range map[string]struct {
		executor    executor.Config
		alert, want controller.Alert
	}{
		"on":           {watch, controller.Alert{}, controller.Alert{Interval: 2 * time.Minute, Threshold: 0.5, Probation: 12 * time.Minute}},
		"off":          {quiet, controller.Alert{}, controller.Alert{Interval: 5 * time.Minute, Threshold: 0.2, Probation: 30 * time.Minute}},
		"told apart":   {watch, own, own},
		"never":        {watch, controller.Alert{Interval: -1}, controller.Alert{Interval: -1}},
		"its defaults": {executor.Config{EnablePerformanceMonitoring: true}, controller.Alert{}, controller.Alert{Interval: 5 * time.Minute, Threshold: 0.2, Probation: 30 * time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := startService()
				defer s.close()
				cfg := s.config("fast")
				cfg.Executor, cfg.Alert, cfg.Journal = c.executor, c.alert, filepath.Join(t.TempDir(), "j")
				finish(t, start(t, cfg))
				for e, err := range journal.Read(cfg.Journal) {
					require.NoError(t, err)
					if e.Record.Session != nil {
						require.Equal(t, c.want, e.Record.Session.Alert)
						return
					}
				}
				require.Fail(t, "no session in the journal")
			})
		})
	}
}

// spanCount counts the spans that it is given.
type spanCount struct{ atomic.Int64 }

func (n *spanCount) Export(_ context.Context, spans []*executor.Span) error {
	n.Add(int64(len(spans)))
	return nil
}

func TestAutopilot_exportsSpans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		cfg := s.config("fast")
		var spans spanCount
		cfg.Exporter = &spans
		pilot := start(t, cfg)
		step, err := executor.NewStep(pilot.Executor(), executor.StepConfig[int, int]{
			Name: "step", Run: func(_ context.Context, in int) (int, error) { return in, nil },
		})
		require.NoError(t, err)
		_, err = step.Run(t.Context(), 1)
		require.NoError(t, err)
		finish(t, pilot)
		require.EqualValues(t, 1, spans.Load())
	})
}

func TestAutopilot_pauseWithdrawsAndResumeGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		pilot := start(t, s.config("slow"))
		until(t, pilot, "candidate in force", func(autotune.Status) bool { return s.slow.Load() })
		require.NoError(t, pilot.Pause(context.Background(), bob))
		require.False(t, s.slow.Load())
		time.Sleep(time.Minute)
		require.False(t, s.slow.Load())
		st := pilot.Status()
		require.Equal(t, controller.Stopped, st.Ended[0].Reason)
		require.NoError(t, pilot.Resume(context.Background(), bob))
		until(t, pilot, "tried again", tried(2))
		finish(t, pilot)
	})
}

func TestAutopilot_closeToInitialUndoesWhatWasKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		pilot := start(t, s.config("fast"))
		until(t, pilot, "kept", func(st autotune.Status) bool { return st.Safe.On("fast") })
		require.NoError(t, pilot.CloseToInitial())
		require.False(t, s.fast.Load())
		require.NoError(t, pilot.Close(), "again")
		require.ErrorIs(t, pilot.Pause(context.Background(), bob), autotune.ErrEnded)
		require.NoError(t, pilot.Executor().Close())
	})
}

func TestAutopilot_closeToInitialAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		cfg := s.config("fast")
		cfg.Budget.Until = time.Now().Add(3 * time.Minute)
		pilot := start(t, cfg)
		<-pilot.Done()
		require.True(t, s.fast.Load())
		require.NoError(t, pilot.CloseToInitial())
		require.False(t, s.fast.Load())
		require.NoError(t, pilot.Executor().Close())
	})
}

func TestAutopilot_resumeDoesNotOverrideTheSwitch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		cfg := s.config("fast")
		cfg.Executor.EnableAutomaticOptimization = false
		pilot := start(t, cfg)
		require.NoError(t, pilot.Resume(context.Background(), bob))
		time.Sleep(5 * time.Minute)
		require.Empty(t, pilot.Status().Ended)
		require.NoError(t, pilot.Pause(context.Background(), bob))
		require.NoError(t, pilot.Executor().Update(func(c *executor.Config) { c.EnableAutomaticOptimization = true }))
		time.Sleep(5 * time.Minute)
		require.Empty(t, pilot.Status().Ended, "paused by Pause still")
		require.NoError(t, pilot.Resume(context.Background(), bob))
		until(t, pilot, "kept", func(s autotune.Status) bool { return s.Safe.On("fast") })
		finish(t, pilot)
	})
}

func TestAutopilot_doesNotUndoTheOperatorAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		pilot := start(t, s.config("fast"))
		until(t, pilot, "kept", func(st autotune.Status) bool { return st.Safe.On("fast") })
		s.fast.Store(false) // somebody turns it off by hand
		st := until(t, pilot, "adopted", func(st autotune.Status) bool { return !st.Safe.On("fast") })
		n := len(st.Ended)
		time.Sleep(10 * time.Minute)
		require.False(t, s.fast.Load())
		require.Len(t, pilot.Status().Ended, n)
		finish(t, pilot)
	})
}

func TestAutopilot_guardSeesFewRequestsOverABlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService() // some 60 requests in a tick are too few for this guard
		defer s.close()
		cfg := s.config("slow")
		cfg.Guards = []controller.Guard{{Metric: controller.ErrorRatio, Limit: 0.25, MinRequests: 150}}
		inner := cfg.Knobs[1].Set
		cfg.Knobs[1].Set = func(v float64) error { s.broken.Store(v == 1); return inner(v) }
		pilot := start(t, cfg)
		st := until(t, pilot, "aborted", tried(1))
		require.Equal(t, controller.GuardTripped, st.Ended[0].Reason)
		require.Zero(t, st.Ended[0].Pairs)
		finish(t, pilot)
	})
}

func TestAutopilot_closeInACandidateBlockWithdrawsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		pilot := start(t, s.config("slow"))
		until(t, pilot, "candidate in force", func(autotune.Status) bool { return s.slow.Load() })
		finish(t, pilot)
		require.False(t, s.slow.Load())
	})
}

func TestAutopilot_adviseChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		cfg := s.config()
		cfg.Advise = true
		set := cfg.Knobs[0].Set
		cfg.Knobs[0].Set = func(v float64) error { t.Errorf("set to %v in advice mode", v); return set(v) }
		pilot := start(t, cfg)
		st := until(t, pilot, "advice", func(st autotune.Status) bool { return len(st.Advice) > 0 })
		time.Sleep(time.Minute)
		finish(t, pilot)
		names := map[string]string{}
		for _, a := range st.Advice {
			names[a.Optimization] = a.Why
		}
		require.Contains(t, names, "fast")
		require.NotEmpty(t, names["fast"])
		require.NotContains(t, names, "enable_cache_optimization", "no step runs: there is nothing to cache")
	})
}

func TestAutopilot_guardAbortsWithinTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		cfg := s.config("slow")
		cfg.Guards = []controller.Guard{{Metric: controller.ErrorRatio, Limit: 0.25, MinRequests: 10}}
		var set time.Time
		inner := cfg.Knobs[1].Set
		cfg.Knobs[1].Set = func(v float64) error {
			s.broken.Store(v == 1) // every request fails while it is on
			if v == 1 {
				set = time.Now()
			}
			return inner(v)
		}
		var alerts []autotune.Alert
		cfg.OnAlert = func(a autotune.Alert) { alerts = append(alerts, a) }
		pilot := start(t, cfg)
		st := until(t, pilot, "aborted", tried(1))
		require.Equal(t, controller.Aborted, st.Ended[0].Outcome)
		require.Equal(t, controller.GuardTripped, st.Ended[0].Reason)
		require.False(t, s.slow.Load())
		require.Less(t, time.Since(set), time.Second)
		finish(t, pilot)
		synctest.Wait()
		require.Equal(t, autotune.AlertGuard, alerts[0].Kind)
		require.Equal(t, alerts, pilot.Status().Alerts, "who looks sees what was told")
	})
}

func TestAutopilot_restartPutsTheKeptSettingBack(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		cfg := s.config("fast")
		cfg.Journal = dir
		pilot := start(t, cfg)
		until(t, pilot, "kept", func(st autotune.Status) bool { return st.Safe.On("fast") })
		finish(t, pilot)
		s.fast.Store(false) // a new process starts with the operator's values

		pilot = start(t, cfg)
		until(t, pilot, "put back", func(autotune.Status) bool { return s.fast.Load() })
		finish(t, pilot)
		s.fast.Store(false)
		s.slow.Store(true) // the operator's configuration is another one now

		pilot = start(t, cfg)
		time.Sleep(time.Second)
		require.False(t, s.fast.Load(), "the operator's newer configuration wins")
		require.True(t, s.slow.Load())
		finish(t, pilot)
	})
}

func TestAutopilot_crashInATrialQuarantinesTheCandidate(t *testing.T) {
	dir, copied := t.TempDir(), t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		cfg := s.config("slow")
		cfg.Journal = dir
		pilot := start(t, cfg)
		until(t, pilot, "candidate in force", func(autotune.Status) bool { return s.slow.Load() })
		require.NoError(t, os.CopyFS(filepath.Join(copied, "j"), os.DirFS(dir))) // what kill -9 would leave
		finish(t, pilot)
		require.False(t, s.slow.Load())

		cfg.Journal = filepath.Join(copied, "j")
		pilot = start(t, cfg)
		st := until(t, pilot, "idle", func(st autotune.Status) bool { return st.Phase == controller.Idle })
		require.Contains(t, st.Blocked["slow"], "quarantined")
		require.False(t, s.slow.Load())
		finish(t, pilot)
		var verdict *controller.Trial
		for e, err := range journal.Read(cfg.Journal) {
			require.NoError(t, err)
			if e.Record.Kind == controller.RecordVerdict {
				verdict = e.Record.Trial
			}
		}
		require.NotNil(t, verdict)
		require.Equal(t, controller.Crashed, verdict.Reason)
	})
}

// panicky proposes once and then panics in Learn or Propose.
type panicky struct {
	proposed bool
	stall    time.Duration
}

func (p *panicky) Propose(v controller.View) (controller.Proposal, bool) {
	p.proposed = true
	return controller.Proposal{Optimization: "slow", Move: controller.MoveOn, Change: map[string]float64{"slow": 1}}, true
}

func (p *panicky) Learn(controller.Trial) {
	if p.stall > 0 {
		time.Sleep(p.stall)
	}
	panic("a bug in a policy")
}

func TestAutopilot_panicPutsTheSafeSettingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		cfg := s.config("slow")
		cfg.Policy = &panicky{}
		kinds := make(chan autotune.AlertKind, 8)
		cfg.OnAlert = func(a autotune.Alert) { kinds <- a.Kind }
		pilot := start(t, cfg)
		<-pilot.Done()
		require.ErrorContains(t, pilot.Err(), "a bug in a policy")
		require.False(t, s.slow.Load())
		require.Equal(t, autotune.AlertPanic, <-kinds)
		require.ErrorContains(t, pilot.Close(), "a bug in a policy")
		require.NoError(t, pilot.Executor().Close())
	})
}

func TestAutopilot_leasePutsTheSafeSettingBackWhenTheLoopStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		cfg := s.config("slow")
		cfg.Lease = 10 * time.Second
		read := cfg.Knobs[1].Get
		var stalled atomic.Bool
		cfg.Knobs[1].Get = func() (float64, error) {
			if s.slow.Load() && stalled.CompareAndSwap(false, true) {
				time.Sleep(time.Hour) // hangs with the candidate in force
			}
			return read()
		}
		alerts := make(chan autotune.Alert, 8)
		cfg.OnAlert = func(a autotune.Alert) { alerts <- a }
		pilot := start(t, cfg)
		a := <-alerts
		require.Equal(t, autotune.AlertLease, a.Kind)
		require.Contains(t, a.Message, "was put back")
		require.False(t, s.slow.Load())
		<-pilot.Done() // an hour later it comes back, and stops
		require.False(t, s.slow.Load())
		require.ErrorContains(t, pilot.Err(), "did not move for 10s")
		require.ErrorContains(t, pilot.Close(), "did not move for 10s")
		require.NoError(t, pilot.Executor().Close())
	})
}

// The executor's performance monitoring tells OnAlert and the log, with figures,
// by the thresholds that are in force, until the autopilot ends.
func TestAutopilot_alertsOnSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		cfg := s.config("slow")
		cfg.Executor = executor.Config{
			EnablePerformanceMonitoring: true, PerformanceMonitoringInterval: 10 * time.Second, PerformanceAlertThreshold: 0.2,
		}
		cfg.Alert.Interval = -1 // of goals
		var logged bytes.Buffer
		log := zerolog.New(&logged)
		cfg.Logger = &log
		var alerts []autotune.Alert
		cfg.OnAlert = func(a autotune.Alert) { alerts = append(alerts, a) }
		pilot := start(t, cfg)
		ex := pilot.Executor()
		step, err := executor.NewStep(ex, executor.StepConfig[time.Duration, int]{
			Name: "pay", Run: func(_ context.Context, d time.Duration) (int, error) { time.Sleep(d); return 0, nil },
		})
		require.NoError(t, err)
		run := func(d, over time.Duration) []autotune.Alert {
			alerts = nil
			for began := time.Now(); time.Since(began) < over; {
				_, err := step.Run(t.Context(), d)
				require.NoError(t, err)
			}
			synctest.Wait()
			return alerts
		}
		require.Empty(t, run(100*time.Millisecond, 25*time.Second), "nothing got worse")
		got := run(150*time.Millisecond, 20*time.Second)
		require.Len(t, got, 1)
		require.Equal(t, autotune.AlertStep, got[0].Kind)
		require.Equal(t, "pay", got[0].Step.Step)
		require.Contains(t, []controller.Metric{controller.LatencyP50, controller.LatencyP95}, got[0].Step.Metric)
		require.InDelta(t, 0.2, got[0].Step.Threshold, 0)
		require.InDelta(t, 0.1, got[0].Step.Reference, 0.01)
		require.InDelta(t, 0.15, got[0].Step.Value, 0.01)
		require.Equal(t, got[0].Step.At, got[0].At)
		require.Regexp(t, `step pay: latency_p\d\d_seconds 0.1\d+ over \d+s, 0.\d+ before \(threshold \+20%\)`, got[0].Message)
		require.Contains(t, logged.String(), `"level":"warn","step":"pay"`)

		require.Empty(t, run(150*time.Millisecond, 20*time.Second), "a reference at the new level")
		require.NoError(t, ex.Update(func(c *executor.Config) { c.PerformanceAlertThreshold = 1.5 }))
		require.Empty(t, run(300*time.Millisecond, 20*time.Second), "twice as slow is below the new threshold")
		require.NoError(t, ex.Update(func(c *executor.Config) { c.PerformanceAlertThreshold = 0.5 }))
		require.Len(t, run(300*time.Millisecond, 25*time.Second), 1, "and above this one")

		require.NoError(t, pilot.Close())
		run(300*time.Millisecond, 25*time.Second)
		require.Empty(t, run(900*time.Millisecond, 60*time.Second), "the autopilot has ended")
		require.Len(t, ex.Alerts(), 1, "they are the owner's again")
		require.NoError(t, ex.Close())
	})
}

// The executor may be closed before the autopilot.
func TestAutopilot_alertsOutliveTheExecutor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		pilot := start(t, s.config("slow"))
		require.NoError(t, pilot.Executor().Close())
		time.Sleep(time.Minute)
		require.NoError(t, pilot.Close())
	})
}

func TestAutopilot_closeFromAnAlertDoesNotDeadlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		cfg := s.config("slow")
		cfg.Guards = []controller.Guard{{Metric: controller.LatencyP95, Limit: 0.0055, MinRequests: 20}}
		started, closed := make(chan *autotune.Autopilot, 1), make(chan error, 1)
		cfg.OnAlert = func(autotune.Alert) {
			select {
			case pilot := <-started:
				closed <- pilot.Close()
			default:
			}
		}
		pilot := start(t, cfg)
		started <- pilot
		require.NoError(t, <-closed)
		require.NoError(t, pilot.Executor().Close())
	})
}

func TestStart_refusesWithOneClearLineAndLeavesNothing(t *testing.T) {
	s := &service{}
	for name, c := range map[string]struct {
		change func(*autotune.Config)
		want   string
	}{
		"offer":    {func(c *autotune.Config) { c.Offer = []string{"cash"} }, `offer "cash": must be one of`},
		"grant":    {func(c *autotune.Config) { c.Grant = []string{"cash"} }, `grant "cash": must be one of`},
		"pinned":   {func(c *autotune.Config) { c.Pinned = []string{"cash"} }, `pinned "cash": must name`},
		"workload": {func(c *autotune.Config) { c.Workload = "fast" }, `workload "fast": must be one of`},
		"lease":    {func(c *autotune.Config) { c.Lease = time.Second }, "lease 1s: must be at least 10s"},
		"executor": {func(c *autotune.Config) { c.Executor.CacheSize = -1 }, "cache_size -1"},
		"min > max": {func(c *autotune.Config) {
			c.Knobs[0].Knob = controller.Knob{Name: "fast", Kind: controller.Int, Min: 2, Max: 1}
		}, "min 2 > max 1"},
		"no get": {func(c *autotune.Config) { c.Knobs[0].Get = nil }, "knob fast: get is nil"},
		"twice":  {func(c *autotune.Config) { c.Knobs = append(c.Knobs, c.Knobs[0]) }, "knob fast: defined twice"},
		"no set": {func(c *autotune.Config) { c.Knobs[0] = knobs.Bool("fast", s.fast.Load, nil) }, "knob fast: set is nil"},
		"taken": {
			func(c *autotune.Config) { c.Knobs[0].Knob.Name = "cache_size" },
			"knob cache_size: is the executor's own: choose another name",
		},
		"log from 0": {func(c *autotune.Config) {
			c.Knobs = append(c.Knobs, knobs.Int("batch", "", 0, 9, func() int { return 1 }, func(int) {}).Log(2))
		}, "knob batch: min 0: must be above 0 on a log scale"},
		"log by 1": {func(c *autotune.Config) {
			c.Knobs = append(c.Knobs, knobs.Int("batch", "", 1, 9, func() int { return 1 }, func(int) {}).Log(1))
		}, "knob batch: max_move 1: must be above 0 on a linear scale, above 1 on a log scale"},
		"no name": {func(c *autotune.Config) { c.Knobs[0].Knob.Name = "" }, "knob: name is empty: every knob needs one"},
		"goal":    {func(c *autotune.Config) { c.Goals[0].MinEffect = 2 }, "min_effect 2: must be within 0..1"},
		"journal": {func(c *autotune.Config) { c.Journal = "/dev/null/journal" }, "/dev/null/journal"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := s.config()
			cfg.Recorder = nil
			c.change(&cfg)
			_, err := autotune.Start(context.Background(), cfg)
			require.ErrorContains(t, err, c.want)
			require.Equal(t, 1, strings.Count(err.Error(), c.want), "said once: %v", err)
		})
	}
}

// A knob of the service that belongs to no optimization is offered by itself; one
// that the operator's environment sets is not moved; and what followed something
// else before it was moved does so again after CloseToInitial.
func TestAutopilot_ownKnobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		cfg := s.config("fast", "slow")
		cfg.Optimizations = nil
		undone := 0
		cfg.Knobs[0].Undo = func() error { undone++; return nil }
		cfg.Knobs[1].Pinned = "SLOW=1 is set in the environment"
		cfg.Knobs[1].Undo = func() error { t.Error("undone, and never moved"); return nil }
		pilot := start(t, cfg)
		status := until(t, pilot, "fast is kept", func(s autotune.Status) bool { return s.Safe.On("fast") })
		require.Contains(t, status.Blocked["slow"], "pinned")
		require.NoError(t, pilot.CloseToInitial())
		require.Equal(t, 1, undone)
		require.False(t, s.fast.Load())
		require.NoError(t, pilot.Executor().Close())
	})
}
