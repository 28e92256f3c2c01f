package autotune_test

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"autotune"
	"autotune/controller"
	"autotune/journal"
	"autotune/knobs"
)

var (
	bob = controller.Operator{Who: "bob", Why: "on call"}
	ctx = context.Background()
)

func refused(t *testing.T, err error, want string) {
	t.Helper()
	var no *autotune.RefusedError
	require.ErrorAs(t, err, &no)
	require.EqualError(t, err, want)
}

// Who pins what is being tried sees it withdrawn when Pin returns; the pin is in
// Status and the journal with who and why, outlives the process, and is let go.
func TestAutopilot_pin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		cfg := s.config("fast")
		cfg.Journal = filepath.Join(t.TempDir(), "j")
		pilot := start(t, cfg)
		until(t, pilot, "candidate in force", func(autotune.Status) bool { return s.fast.Load() })
		refused(t, pilot.Pin(ctx, "fats", bob), `pin "fats": must name a knob or an optimization that is offered; did you mean fast?`)
		refused(t, pilot.Pin(ctx, "fast", controller.Operator{}), "pin: who is empty: every wish needs a name for the journal")
		require.True(t, pilot.Status().Trial != nil, "a refused wish changes nothing")
		require.NoError(t, pilot.Pin(ctx, "fast", bob))
		require.False(t, s.fast.Load())
		st := pilot.Status()
		require.Equal(t, controller.Pinned, st.Ended[0].Reason)
		require.Equal(t, bob, st.Pins["fast"].By)
		require.Equal(t, "pinned by bob (on call)", st.Blocked["fast"])
		finish(t, pilot)

		pilot = start(t, cfg)
		time.Sleep(5 * time.Minute)
		require.Empty(t, pilot.Status().Ended, "pinned over a restart")
		require.Equal(t, bob, pilot.Status().Pins["fast"].By)
		require.NoError(t, pilot.Unpin(ctx, "fast", bob))
		refused(t, pilot.Unpin(ctx, "fast", bob), `unpin "fast": must be pinned: nothing is`)
		until(t, pilot, "kept", func(st autotune.Status) bool { return st.Safe.On("fast") })
		finish(t, pilot)

		var wishes []controller.Wished
		for e, err := range journal.Read(cfg.Journal) {
			require.NoError(t, err)
			if e.Record.Kind == controller.RecordWish && !e.Repeat {
				wishes = append(wishes, *e.Record.Wish)
			}
		}
		require.Len(t, wishes, 4)
		require.Equal(t, bob, wishes[1].By)
		require.Equal(t, "held at fast=0", wishes[1].Then)
		sum, err := autotune.Replay(cfg.Journal)
		require.NoError(t, err)
		require.Equal(t, 2, sum.Sessions)
	})
}

// A value is in force when PinAt returns, also while the autopilot pauses, and
// again after a restart; what the actuator refuses is refused.
func TestAutopilot_pinAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		cfg := s.config("fast")
		cfg.Journal = filepath.Join(t.TempDir(), "j")
		var rows atomic.Int64 // the loop sets it
		rows.Store(20)
		cfg.Knobs = append(cfg.Knobs, knobs.Actuator{
			Knob: controller.Knob{Name: "rows", Kind: controller.Int, Min: 1, Max: 1000},
			Get:  func() (float64, error) { return float64(rows.Load()), nil },
			Set: func(v float64) error {
				if v > 500 {
					return errors.New("too many for this machine")
				}
				rows.Store(int64(v))
				return nil
			},
		})
		pilot := start(t, cfg)
		require.NoError(t, pilot.Pause(ctx, bob))
		require.NoError(t, pilot.PinAt(ctx, "rows", 100, bob))
		require.EqualValues(t, 100, rows.Load())
		require.Equal(t, controller.Paused, pilot.Status().Phase)
		refused(t, pilot.PinAt(ctx, "rows", 1001, bob), "pin-at rows 1001: must be within 1..1000")
		refused(t, pilot.PinAt(ctx, "rows", 600, bob), "pin-at rows 600: set rows to 600: too many for this machine")
		require.EqualValues(t, 100, rows.Load())
		require.Equal(t, map[string]float64{"rows": 100}, pilot.Status().Pins["rows"].Values, "the pin before holds again")
		finish(t, pilot)

		rows.Store(20) // another process
		pilot = start(t, cfg)
		until(t, pilot, "in force again", func(autotune.Status) bool { return rows.Load() == 100 })
		require.NoError(t, pilot.RevertAll(ctx, bob))
		require.EqualValues(t, 100, rows.Load(), "pinned")
		finish(t, pilot)
	})
}

func TestAutopilot_revert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		pilot := start(t, s.config("fast"))
		refused(t, pilot.Revert(ctx, 1, bob), "revert trial 1: must be a kept change that is in force: there is none")
		st := until(t, pilot, "kept", func(st autotune.Status) bool { return st.Safe.On("fast") })
		require.NoError(t, pilot.Revert(ctx, st.Ended[0].ID, bob))
		require.False(t, s.fast.Load())
		n := len(pilot.Status().Ended)
		time.Sleep(10 * time.Minute)
		require.False(t, s.fast.Load(), "not back at once")
		require.Len(t, pilot.Status().Ended, n)
		finish(t, pilot)
	})
}

// What is approved in advise mode is tried and kept on evidence; what is declined
// is not; nothing else moves; a restart puts back what was approved.
func TestAutopilot_approve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		cfg := s.config("slow", "fast")
		cfg.Advise, cfg.Journal = true, filepath.Join(t.TempDir(), "j")
		set := cfg.Knobs[1].Set
		cfg.Knobs[1].Set = func(v float64) error { t.Errorf("slow is set to %v without approval", v); return set(v) }
		pilot := start(t, cfg)
		st := until(t, pilot, "advice", func(st autotune.Status) bool { return len(st.Advice) == 2 })
		slow, fast := st.Advice[0], st.Advice[1]
		require.Equal(t, "fast", fast.Optimization)
		require.Contains(t, fast.Seen, controller.LatencyP95)
		refused(t, pilot.Approve(ctx, "abc", bob), `approve "abc": must be the id of a proposal: `+slow.ID+" (slow on), "+fast.ID+" (fast on)")
		require.NoError(t, pilot.Decline(ctx, slow.ID, bob))
		require.NoError(t, pilot.Approve(ctx, fast.ID, bob))
		st = until(t, pilot, "kept", func(st autotune.Status) bool { return st.Safe.On("fast") })
		require.Equal(t, fast.ID, st.Ended[0].Proposal)
		require.Equal(t, "declined by bob (on call)", st.Blocked["slow"])
		time.Sleep(5 * time.Minute)
		finish(t, pilot)
		review, err := autotune.ReadReview(cfg.Journal)
		require.NoError(t, err)
		require.True(t, review.Advise)
		require.Equal(t, slow.ID, review.Proposals[0].ID)
		require.True(t, review.Proposals[0].Setting.On("slow"))
		require.True(t, review.Proposals[0].Setting.On("fast"), "the exact setting has what was kept since")
		var page strings.Builder
		require.NoError(t, review.WriteMarkdown(&page))
		for _, part := range []string{"## slow on\n", "- id: `" + slow.ID + "`", "- state: declined by bob (on call), ", "- measured: latency_p95_seconds 0.0", "| slow | 0 | 1 |", `pilot.Approve(ctx, "` + slow.ID} {
			require.Contains(t, page.String(), part)
		}

		s.fast.Store(false) // another process
		pilot = start(t, cfg)
		until(t, pilot, "put back", func(autotune.Status) bool { return s.fast.Load() })
		st = pilot.Status()
		require.Equal(t, slow.ID, st.Advice[0].ID, "the same proposal, the same id")
		require.Equal(t, controller.WishDecline, st.Advice[0].Said)
		require.NoError(t, pilot.Reopen(ctx, slow.ID, bob))
		require.NoError(t, pilot.CloseToInitial())
		require.False(t, s.fast.Load())
		require.NoError(t, pilot.Executor().Close())
		_, err = autotune.Replay(cfg.Journal)
		require.NoError(t, err)
	})
}

// An actuator that fails for a while after a restart does not make the operator's
// word forgotten.
func TestAutopilot_pinOutlivesAnActuatorThatFailsAtTheStart(t *testing.T) {
	for _, silent := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := startService()
			defer s.close()
			cfg := s.config("fast")
			cfg.Journal = filepath.Join(t.TempDir(), "j")
			var rows atomic.Int64
			var broken atomic.Bool
			rows.Store(20)
			cfg.Knobs = append(cfg.Knobs, knobs.Actuator{
				Knob: controller.Knob{Name: "rows", Kind: controller.Int, Min: 1, Max: 1000},
				Get:  func() (float64, error) { return float64(rows.Load()), nil },
				Set: func(v float64) error {
					switch {
					case !broken.Load():
						rows.Store(int64(v))
					case !silent:
						return errors.New("broken")
					}
					return nil
				},
			})
			pilot := start(t, cfg)
			until(t, pilot, "measuring", func(st autotune.Status) bool { return st.Phase == controller.Measuring })
			require.NoError(t, pilot.PinAt(ctx, "rows", 100, bob))
			finish(t, pilot)

			rows.Store(20) // another process
			broken.Store(true)
			pilot = start(t, cfg)
			time.Sleep(20 * time.Second)
			require.EqualValues(t, 20, rows.Load())
			require.Equal(t, 100.0, pilot.Status().Pins["rows"].Values["rows"])
			broken.Store(false)
			until(t, pilot, "in force again", func(autotune.Status) bool { return rows.Load() == 100 })
			finish(t, pilot)
			_, err := autotune.Replay(cfg.Journal)
			require.NoError(t, err)
		})
	}
}

// What is acknowledged, or shown, is recorded already: a process that dies in that
// moment forgets nothing of it.
func TestAutopilot_wishesAreRecordedBeforeTheyAreAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		cfg := s.config("fast")
		cfg.Journal = filepath.Join(t.TempDir(), "j")
		slow := &slowLog{slow: []string{`"wish":`, `"verdict"`}} // the log is told right after the journal
		logger := zerolog.New(slow)
		cfg.Logger = &logger
		pilot := start(t, cfg)
		until(t, pilot, "measuring", func(st autotune.Status) bool { return st.Phase == controller.Measuring })
		for n := range 5 {
			require.NoError(t, pilot.Pin(ctx, "slow", controller.Operator{Who: "bob", Why: strconv.Itoa(n)}))
			require.EqualValues(t, n+1, slow.written.Load())
		}
		slow.written.Store(0)
		until(t, pilot, "kept", func(st autotune.Status) bool { return len(st.Ended) > 0 })
		require.EqualValues(t, 1, slow.written.Load())
		finish(t, pilot)
	})
}

// slowLog takes a second for lines with certain texts, and counts them when they are written.
type slowLog struct {
	slow    []string
	written atomic.Int64
}

func (l *slowLog) Write(p []byte) (int, error) {
	for _, text := range l.slow {
		if strings.Contains(string(p), text) {
			time.Sleep(time.Second)
			l.written.Add(1)
		}
	}
	return len(p), nil
}

// A review is text: what a name or an operator wrote makes no markup. A journal
// from before proposals had ids gives them the ids that they have now.
func TestReview_isText(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "j")
	j, err := journal.Open(dir, journal.Options{})
	require.NoError(t, err)
	x := controller.SettingOf(map[string]float64{"x": 0})
	change := map[string]float64{"x": 1}
	for _, r := range []controller.Record{
		{Kind: controller.RecordSession, Session: &controller.Session{Advise: true}},
		{Kind: controller.RecordState, State: &controller.State{Version: controller.StateVersion, Initial: x, Safe: x}},
		{Kind: controller.RecordAdvice, Trial: &controller.Trial{Optimization: "x", Move: controller.MoveOn, Change: change, Why: "a|b\n# <script> [x](y)"}},
	} {
		require.NoError(t, j.Append(r))
	}
	require.NoError(t, j.Close())
	review, err := autotune.ReadReview(dir)
	require.NoError(t, err)
	require.Equal(t, controller.Proposal{Optimization: "x", Move: controller.MoveOn, Change: change}.ID(), review.Proposals[0].ID)
	var page, lines strings.Builder
	require.NoError(t, review.WriteMarkdown(&page))
	require.Contains(t, page.String(), "- why: a\\|b \\# &lt;script> \\[x](y)\n")
	require.Contains(t, page.String(), "Exact setting: `x=1`")
	require.NoError(t, review.WriteJSON(&lines))
	require.Contains(t, lines.String(), `{"type":"review","advise":true,"proposals":1,"kept":0,"safe":{"x":0}}`)
	_, err = autotune.ReadReview(filepath.Join(t.TempDir(), "none"))
	require.Error(t, err)
}

// A journal of an autopilot that acts has no proposals: the review says so, and
// not that nothing is worth trying. What a service's own knob acts on is not
// measured, and no share is told.
func TestReview_ofOneThatActs(t *testing.T) {
	x, change := controller.SettingOf(map[string]float64{"x": 0}), map[string]float64{"x": 1}
	write := func(s *controller.State, session *controller.Session) *autotune.Review {
		dir := filepath.Join(t.TempDir(), "j")
		j, err := journal.Open(dir, journal.Options{})
		require.NoError(t, err)
		for _, r := range []controller.Record{
			{Kind: controller.RecordSession, Session: session},
			{Kind: controller.RecordVerdict, Trial: &controller.Trial{ID: 1, Optimization: "x", Move: controller.MoveOn, Change: change, Outcome: controller.Kept, Reason: controller.Better}},
			{Kind: controller.RecordVerdict, Trial: &controller.Trial{ID: 2, Optimization: "y", Move: controller.MoveOn, Outcome: controller.Inconclusive, Reason: controller.NoEffect}},
			{Kind: controller.RecordState, State: s},
		} {
			require.NoError(t, j.Append(r))
		}
		require.NoError(t, j.Close())
		review, err := autotune.ReadReview(dir)
		require.NoError(t, err)
		require.Equal(t, 1, review.Kept)
		return review
	}
	var page strings.Builder
	require.NoError(t, write(&controller.State{Version: controller.StateVersion, Initial: x, Safe: x.With(change)}, &controller.Session{}).WriteMarkdown(&page))
	require.Contains(t, page.String(), "not of advice mode")
	require.Contains(t, page.String(), "Changes that were kept: 1.\nSee them with: autotune report ")
	require.NotContains(t, page.String(), "Nothing is proposed")

	advice := controller.Advice{ID: "0", Optimization: "y", Move: "y 1 -> 2", Change: map[string]float64{"y": 2}, Basis: &controller.Basis{}}
	state := &controller.State{Version: controller.StateVersion, Initial: x, Safe: x, Wishes: controller.Wishes{Proposals: []controller.Advice{advice}}}
	review := write(state, &controller.Session{Advise: true})
	page.Reset()
	require.NoError(t, review.WriteMarkdown(&page))
	require.NotContains(t, page.String(), "acts on")
	page.Reset()
	require.NoError(t, review.WriteJSON(&page))
	require.NotContains(t, page.String(), `"share"`)
	review.Proposals[0].Basis = &controller.Basis{Share: 0.25, Workload: "web"}
	page.Reset()
	require.NoError(t, review.WriteMarkdown(&page))
	require.Contains(t, page.String(), "- evidence: it acts on 25 % of what the service spends\n- workload: taken for web\n")
}

func TestAutopilot_wishesAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		pilot := start(t, s.config("fast"))
		done, cancel := context.WithCancel(ctx)
		cancel()
		require.ErrorIs(t, pilot.RevertAll(done, bob), context.Canceled)
		finish(t, pilot)
		require.ErrorIs(t, pilot.RevertAll(ctx, bob), autotune.ErrEnded)
	})
}

// Disabled, by configuration or by the environment, nothing moves: not what the
// policy would try, not what the journal kept; the executor works as configured.
func TestAutopilot_disabled(t *testing.T) {
	for name, c := range map[string]struct {
		env  string
		conf bool
		why  string
	}{
		"environment":   {"1", false, "disabled: AUTOTUNE_DISABLE=1 is set in the environment"},
		"any word":      {"yes", false, "disabled: AUTOTUNE_DISABLE=yes is set in the environment"},
		"configuration": {"", true, "disabled: Config.Disabled is set"},
		"not":           {"0", false, ""},
		"not either":    {"False", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := startService()
				defer s.close()
				cfg := s.config("fast")
				cfg.Journal = filepath.Join(t.TempDir(), "j")
				pilot := start(t, cfg)
				until(t, pilot, "kept", func(st autotune.Status) bool { return st.Safe.On("fast") })
				finish(t, pilot)

				s.fast.Store(false) // another process
				t.Setenv(autotune.DisableVariable, c.env)
				cfg.Disabled = c.conf
				pilot = start(t, cfg)
				if c.why == "" {
					until(t, pilot, "put back", func(autotune.Status) bool { return s.fast.Load() })
					finish(t, pilot)
					return
				}
				time.Sleep(10 * time.Minute)
				st := pilot.Status()
				require.False(t, s.fast.Load())
				require.True(t, st.Disabled)
				require.Equal(t, controller.Paused, st.Phase)
				require.Equal(t, c.why, st.Why)
				require.False(t, st.InForce.On("fast"))
				require.True(t, pilot.Executor().Config().EnableAutomaticOptimization, "as it was configured")
				require.NoError(t, pilot.Pause(ctx, bob), "nothing is tried")
				require.EqualError(t, pilot.Resume(ctx, bob), c.why)
				require.EqualError(t, pilot.PinAt(ctx, "fast", 1, bob), c.why)
				require.NoError(t, pilot.CloseToInitial())
				<-pilot.Done()
				require.NoError(t, pilot.Close(), "again")
				require.NoError(t, pilot.Executor().Close())
			})
		})
	}
}

// The kill switch works when the journal cannot be read, and ends in its time.
func TestAutopilot_disabledEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		cfg := s.config("fast")
		cfg.Disabled, cfg.Journal, cfg.Budget.Until = true, "/dev/null/journal", time.Now().Add(time.Minute)
		pilot := start(t, cfg)
		<-pilot.Done()
		finish(t, pilot)
	})
}
