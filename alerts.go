package autotune

import (
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"autotune/controller"
	"autotune/executor"
)

// AlertKind says what kind of thing a person should look at. The set is closed.
type AlertKind string

// The kinds of alerts.
const (
	AlertGuard      AlertKind = "guard"      // a hard limit tripped in a candidate block: it was withdrawn
	AlertPaused     AlertKind = "paused"     // trials pause: the journal or the safe setting itself is in trouble
	AlertRestore    AlertKind = "restore"    // the safe setting does not read back
	AlertQuarantine AlertKind = "quarantine" // a candidate will not be tried any more
	AlertDegraded   AlertKind = "degraded"   // the goals are worse than expected under the kept setting
	AlertRollback   AlertKind = "rollback"   // an audit showed what was before to be better, and put it back
	AlertLease      AlertKind = "lease"      // the loop stalled: the last kept setting was put back without it
	AlertPanic      AlertKind = "panic"      // the loop panicked: likewise
	AlertStep       AlertKind = "step"       // a step got worse, as the executor's performance monitoring sees it
)

// Alert is something that a person should look at.
type Alert struct {
	At   time.Time
	Kind AlertKind
	// Message says it for people.
	Message string
	// Step has the figures of an AlertStep: which step and metric, the values, the
	// threshold. It is nil for every other kind.
	Step *executor.Alert
	// Degraded has those of an AlertDegraded; nil for every other kind.
	Degraded *controller.Degraded
}

// alertQueue is how many alerts may wait for a slow OnAlert; as many of the
// executor's wait in the executor.
const alertQueue = 64

// alerts calls the owner back from a goroutine of its own, so that a callback
// may take its time, or call Close. The executor's alerts come to it directly.
type alerts struct {
	queue   chan Alert
	dropped atomic.Int64
}

// startAlerts begins to call back, if there is somebody to call, and to log and
// pass on what comes from steps.
func startAlerts(call func(Alert), steps <-chan executor.Alert, log *zerolog.Logger) *alerts {
	a := &alerts{queue: make(chan Alert, alertQueue)}
	if call == nil {
		call = func(Alert) {}
	}
	go a.run(call, steps, log)
	return a
}

func (a *alerts) run(call func(Alert), steps <-chan executor.Alert, log *zerolog.Logger) {
	for {
		select {
		case alert, ok := <-a.queue:
			if !ok {
				return
			}
			call(alert)
		case step, ok := <-steps:
			if !ok {
				steps = nil // the executor is closed
				continue
			}
			log.Warn().Str("step", step.Step).Str("metric", string(step.Metric)).Float64("threshold", step.Threshold).Msg(step.String())
			call(Alert{At: step.At, Kind: AlertStep, Message: step.String(), Step: &step})
		}
	}
}

// send queues an alert, now, or counts it as dropped.
func (a *alerts) send(alert Alert) {
	alert.At = time.Now()
	select {
	case a.queue <- alert:
	default:
		a.dropped.Add(1)
	}
}

// stop lets the goroutine end after what is queued. It does not wait for it: a
// callback may be waiting for us.
func (a *alerts) stop() { close(a.queue) }
