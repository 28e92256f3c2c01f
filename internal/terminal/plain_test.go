package terminal

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune"
	"autotune/controller"
)

func plainStory(t *testing.T) string {
	t.Helper()
	var out bytes.Buffer
	s := newStory(4 * time.Minute)
	s.view = New(&out, Options{Until: storyStart.Add(4 * time.Minute), Now: s.clock}) // Auto: a buffer is no terminal
	s.tell()
	return out.String()
}

func TestPlain_tellsAStory(t *testing.T) {
	golden(t, "plain", plainStory(t))
}

func TestPlain_isPlain(t *testing.T) {
	line := regexp.MustCompile(`^2026-03-01T12:0\d:\d\dZ [[:print:]]+$`)
	last := storyStart
	for l := range strings.Lines(plainStory(t)) {
		l = strings.TrimSuffix(l, "\n")
		require.Regexp(t, line, l)
		at, err := time.Parse(time.RFC3339, strings.Fields(l)[0])
		require.NoError(t, err)
		assert.LessOrEqual(t, at.Sub(last), signOfLife+3*time.Second, "silent before %q", l)
		last = at
	}
}

func TestPlain_textFromOutsideStaysOnItsLine(t *testing.T) {
	var out bytes.Buffer
	v := New(&out, Options{Mode: Plain, Now: func() time.Time { return storyStart }})
	defer v.Close()
	v.Line("one\ntwo\x1b[2J")
	v.Show(autotune.Status{Status: controller.Status{Ended: []controller.Trial{{
		ID: 1, Optimization: "x\r", Move: "on", Outcome: controller.Errored, Reason: controller.ApplyFailed, Detail: "set x:\n\x1b[31mno",
	}}}})
	assert.Equal(t, `2026-03-01T12:00:00Z one
2026-03-01T12:00:00Z two [2J
2026-03-01T12:00:00Z errored x  on: could not be set (set x:  [31mno)
2026-03-01T12:00:00Z starting
`, out.String())
}

func TestPlain_toldOnce(t *testing.T) {
	var out bytes.Buffer
	now := storyStart
	v := New(&out, Options{Mode: Plain, Now: func() time.Time { return now }})
	defer v.Close()
	s := autotune.Status{Status: controller.Status{
		Phase: controller.Idle, Why: "advice only: nothing is changed",
		Advice: []controller.Advice{{ID: "0a", Optimization: "a", Move: "on", Why: "it may help"}},
	}}
	for range 10 {
		v.Show(s)
		now = now.Add(time.Second)
	}
	s.Advice = append(s.Advice, controller.Advice{ID: "0b", Optimization: "b", Move: "b_size 1 -> 2"})
	v.Show(s)
	assert.Equal(t, `2026-03-01T12:00:00Z would try a on (0a): it may help
2026-03-01T12:00:00Z idle: advice only: nothing is changed
2026-03-01T12:00:10Z would try b b_size 1 -> 2 (0b)
`, out.String())
}

// An alert is told when it comes, once, but not one that is a decision besides.
func TestPlain_alertsAreTold(t *testing.T) {
	var out bytes.Buffer
	now := storyStart.Add(time.Minute)
	v := New(&out, Options{Mode: Plain, Now: func() time.Time { return now }})
	defer v.Close()
	s := autotune.Status{Status: controller.Status{Phase: controller.Idle}, Alerts: []autotune.Alert{
		{At: storyStart, Kind: autotune.AlertDegraded, Message: "cost is\nworse"}, {At: storyStart.Add(time.Second), Kind: autotune.AlertGuard, Message: "a tripped"},
	}}
	v.Show(s)
	v.Show(s)
	s.Alerts = append(s.Alerts, autotune.Alert{At: storyStart.Add(2 * time.Second), Kind: autotune.AlertLease, Message: "it stalled"})
	v.Show(s)
	assert.Equal(t, `2026-03-01T12:00:00Z alert: degraded: cost is worse
2026-03-01T12:01:00Z idle
2026-03-01T12:00:02Z alert: lease: it stalled
`, out.String())
	assert.Contains(t, Snapshot("page", &s, nil, now, 80), "  alert  12:00:02 lease: it stalled\n")
}

func TestPlain_aLongRestoreIsTold(t *testing.T) {
	var out bytes.Buffer
	now := storyStart
	v := New(&out, Options{Mode: Plain, Now: func() time.Time { return now }})
	defer v.Close()
	for range 8 {
		v.Show(autotune.Status{Status: controller.Status{Phase: controller.Restoring, Why: "the trial ended: worse"}})
		now = now.Add(time.Second)
	}
	assert.Equal(t, "2026-03-01T12:00:05Z restoring: the trial ended: worse\n", out.String())
}

func TestDecision(t *testing.T) {
	two := effects(9, -0.02, -0.97)
	for _, c := range []struct {
		t    controller.Trial
		want string
	}{
		{
			controller.Trial{Optimization: "a", Move: "on", Outcome: controller.Kept, Reason: controller.Better, Pairs: 9, Effects: two},
			"kept a on: cpu_seconds_per_request -62 % (-69 % to -53 %) after 9 pairs", // the goal that was shown better
		},
		{
			controller.Trial{Optimization: "a", Move: "off", Outcome: controller.Inconclusive, Reason: controller.Undecidable, Pairs: 8, Effects: effects(8, 0.01)},
			"inconclusive a off: the pairs left could not decide it; latency_p95_seconds +1.0 % (-22 % to +31 %) after 8 pairs",
		},
		{
			controller.Trial{
				Optimization: "a", Move: "a_size 1 -> 2", Outcome: controller.Aborted, Reason: controller.GuardTripped,
				Detail: "error_ratio 0.3 is above 0.1", Pairs: 1, Effects: effects(1, 0.2),
			},
			"aborted a a_size 1 -> 2: a guard (error_ratio 0.3 is above 0.1); after 1 pair", // no bounds yet: no effect to quote
		},
		{
			controller.Trial{Optimization: "a", Move: "on", Outcome: controller.Inconclusive, Reason: controller.Stopped, Detail: "by the operator"},
			"inconclusive a on: stopped (by the operator)",
		},
		{
			controller.Trial{Audit: 3, Optimization: "a", Move: "off", Outcome: controller.Kept, Reason: controller.Better, Pairs: 9, Effects: two},
			"rolled back what trial 3 kept, a off: cpu_seconds_per_request -62 % (-69 % to -53 %) after 9 pairs",
		},
		{controller.Trial{Optimization: "a", Move: "on"}, "Outcome(0) a on: Reason(0)"},
	} {
		assert.Equal(t, c.want, Decision(c.t))
	}
}

func TestDecision_everyReasonHasWords(t *testing.T) {
	for r := controller.Worse; r <= controller.Degradation; r++ {
		words := because(&controller.Trial{Reason: r})
		assert.NotEmpty(t, words, r.String())
		assert.NotContains(t, words, "-", "a reason's name is for scripts")
	}
}

func TestAudits_areNoTrials(t *testing.T) {
	kept := controller.Trial{Optimization: "a", Move: "on", Outcome: controller.Kept}
	back := controller.Trial{Audit: 1, Optimization: "a", Move: "off", Outcome: controller.Kept, Cap: 30}
	assert.Equal(t, "1: 1 kept", tally([]controller.Trial{kept}))
	assert.Equal(t, "1: 1 kept, 1 rolled back", tally([]controller.Trial{kept, back}))
	assert.Equal(t, "audit of trial 1: a off, at most 30 pairs", begins(&back))
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := controller.Status{At: now, Phase: controller.Idle, Why: "nothing worth trying", Audits: []controller.AuditStatus{
		{Trial: 1, Due: now.Add(time.Hour)}, {Trial: 2, Due: now.Add(80 * time.Second)},
	}}
	assert.Equal(t, "idle: nothing worth trying; next of 2 audits in 1m20s", standing(&s))
}

func TestKept(t *testing.T) {
	s := controller.Status{
		Initial: controller.SettingOf(map[string]float64{"enable_a": 0, "b": 0, "c": 1, "size": 100, "enable_d": 1}),
		Safe:    controller.SettingOf(map[string]float64{"enable_a": 1, "b": 1, "c": 0, "size": 250, "enable_d": 0}),
		Ended:   []controller.Trial{{Optimization: "b", Move: controller.MoveOn}},
	}
	assert.Equal(t, []string{"b on", "enable_a on", "enable_d off", "c 0 (was 1)", "size 250 (was 100)"}, kept(&s), "c is not known to be a switch")
}

func TestMode_names(t *testing.T) {
	for m, want := range map[Mode]string{Auto: "auto", Live: "live", Plain: "plain", 0: "Mode(0)", 9: "Mode(9)"} {
		assert.Equal(t, want, m.String())
	}
}
