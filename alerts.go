package autotune

import (
	"sync/atomic"
	"time"
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
)

// Alert is something that a person should look at.
type Alert struct {
	At      time.Time
	Kind    AlertKind
	Message string
}

// alertQueue is how many alerts may wait for a slow OnAlert.
const alertQueue = 64

// alerts calls the owner back from a goroutine of its own, so that a callback
// may take its time, or call Close.
type alerts struct {
	queue   chan Alert // nil: nobody listens
	dropped atomic.Int64
}

func startAlerts(call func(Alert)) *alerts {
	a := &alerts{}
	if call == nil {
		return a
	}
	a.queue = make(chan Alert, alertQueue)
	go func() {
		for alert := range a.queue {
			call(alert)
		}
	}()
	return a
}

func (a *alerts) send(kind AlertKind, message string) {
	if a.queue == nil {
		return
	}
	select {
	case a.queue <- Alert{At: time.Now(), Kind: kind, Message: message}:
	default:
		a.dropped.Add(1)
	}
}

// stop lets the goroutine end after what is queued. It does not wait for it: a
// callback may be waiting for us.
func (a *alerts) stop() {
	if a.queue != nil {
		close(a.queue)
	}
}
