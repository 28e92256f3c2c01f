package autotune

import (
	"bytes"
	"strconv"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"autotune/controller"
)

// What audits find is logged apart from trials, and a person is told of what
// they roll back, not of an old value that broke a limit.
func TestRecorder_auditsAndAlerts(t *testing.T) {
	audit := func(o controller.Outcome) *controller.Trial {
		return &controller.Trial{ID: 7, Audit: 3, Optimization: "cache", Move: controller.MoveOff, Outcome: o, Detail: "detail"}
	}
	for name, c := range map[string]struct {
		rec   controller.Record
		alert AlertKind
		log   string
	}{
		"starts":      {controller.Record{Kind: controller.RecordTrial, Trial: audit(0)}, "", `"level":"debug".*"audited":3.*audit starts`},
		"holds":       {controller.Record{Kind: controller.RecordVerdict, Trial: audit(controller.Inconclusive)}, "", `"level":"info".*"audited":3.*"message":"audit"`},
		"broke":       {controller.Record{Kind: controller.RecordVerdict, Trial: audit(controller.Aborted)}, "", `"level":"info".*"message":"audit"`},
		"rolled back": {controller.Record{Kind: controller.RecordVerdict, Trial: audit(controller.Kept)}, AlertRollback, `"level":"warn".*"message":"rolled back"`},
		"worse": {
			controller.Record{Kind: controller.RecordAlert, Degraded: &controller.Degraded{Metric: "cost", Value: 3, Expected: 2, Then: "audits"}},
			AlertDegraded, `"level":"warn".*worse than expected: cost 3 over 0s, 2 expected \(\+50%\): audits`,
		},
		"a trial's guard": {
			controller.Record{Kind: controller.RecordVerdict, Trial: &controller.Trial{ID: 8, Outcome: controller.Aborted}}, AlertGuard, `"message":"verdict"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			log := zerolog.New(&out)
			var alerts []AlertKind
			var decisions []controller.Trial
			n := &news{
				queue: make(chan func(), 2), alert: func(a Alert) { alerts = append(alerts, a.Kind) },
				decide: func(t controller.Trial) { decisions = append(decisions, t) },
			}
			a := &Autopilot{cfg: Config{Logger: &log}, news: n, verdicts: map[controller.Outcome]uint64{}}
			require.NoError(t, recorder{a}.Append(c.rec))
			require.Regexp(t, c.log, out.String())
			n.stop()
			n.run(nil, &log)
			if c.alert == "" {
				require.Empty(t, alerts)
			} else {
				require.Equal(t, []AlertKind{c.alert}, alerts)
			}
			if c.rec.Kind == controller.RecordVerdict {
				require.Equal(t, []controller.Trial{*c.rec.Trial}, decisions)
				require.EqualValues(t, 1, a.verdicts[c.rec.Trial.Outcome])
			} else {
				require.Empty(t, decisions)
			}
		})
	}
}

// Status has the latest alerts, also those that no callback had the time for, and
// what was handed out once stays as it was.
func TestNews_keepsTheLatestAlerts(t *testing.T) {
	n := &news{queue: make(chan func(), 1), alert: func(Alert) {}}
	require.Empty(t, n.alerts())
	n.send(Alert{Kind: AlertLease, Message: "first"})
	before := n.alerts()
	require.Len(t, before, 1)
	for i := range 2 * alertsShown {
		n.send(Alert{Kind: AlertStep, Message: strconv.Itoa(i)})
	}
	require.Equal(t, "first", before[0].Message)
	after := n.alerts()
	require.Len(t, after, alertsShown)
	for i, a := range after {
		require.Equal(t, strconv.Itoa(alertsShown+i), a.Message)
		require.False(t, a.At.IsZero())
	}
	require.EqualValues(t, 2*alertsShown, n.dropped.Load())
}
