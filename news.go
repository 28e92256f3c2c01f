package autotune

import (
	"slices"
	"sync"
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
	AlertKnob       AlertKind = "knob"       // a knob cannot be read on and on, or is not tried since its value is outside its bounds
	AlertStep       AlertKind = "step"       // a step got worse, as the executor's performance monitoring sees it
)

// Alert is something that a person should look at.
type Alert struct {
	At   time.Time `json:"at"`
	Kind AlertKind `json:"kind"`
	// Message says it for people.
	Message string `json:"message"`
	// Step has the figures of an AlertStep: which step and metric, the values, the
	// threshold. It is nil for every other kind.
	Step *executor.Alert `json:"-"`
	// Degraded has those of an AlertDegraded; nil for every other kind.
	Degraded *controller.Degraded `json:"-"`
}

// newsQueue is how many alerts and decisions may wait for slow callbacks; as many
// alerts of the executor's wait in the executor. alertsShown are those of Status.
const (
	newsQueue   = 64
	alertsShown = 16
)

// news calls the owner back from a goroutine of its own, so that a callback
// may take its time, or call Close. The executor's alerts come to it directly.
type news struct {
	queue   chan func()
	dropped atomic.Int64
	alert   func(Alert)
	decide  func(controller.Trial)

	mu     sync.Mutex
	latest []Alert // written once each: a longer one takes its place
}

// startNews begins to call back, if there is somebody to call, and to log and
// pass on what comes from steps.
func startNews(alert func(Alert), decide func(controller.Trial), steps <-chan executor.Alert, log *zerolog.Logger) *news {
	n := &news{queue: make(chan func(), newsQueue), alert: alert, decide: decide}
	if alert == nil {
		n.alert = func(Alert) {}
	}
	if decide == nil {
		n.decide = func(controller.Trial) {}
	}
	go n.run(steps, log)
	return n
}

func (n *news) run(steps <-chan executor.Alert, log *zerolog.Logger) {
	for {
		select {
		case tell, ok := <-n.queue:
			if !ok {
				return
			}
			tell()
		case step, ok := <-steps:
			if !ok {
				steps = nil // the executor is closed
				continue
			}
			log.Warn().Str("step", step.Step).Str("metric", string(step.Metric)).Float64("threshold", step.Threshold).Msg(step.String())
			a := Alert{At: step.At, Kind: AlertStep, Message: step.String(), Step: &step}
			n.keep(a)
			n.alert(a)
		}
	}
}

// send queues an alert, now, or counts it as dropped.
func (n *news) send(alert Alert) {
	alert.At = time.Now()
	n.keep(alert)
	n.add(func() { n.alert(alert) })
}

// keep remembers an alert for those who look, whether it is heard or not.
func (n *news) keep(a Alert) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.latest = append(slices.Clone(n.latest[max(0, len(n.latest)+1-alertsShown):]), a)
}

// alerts are the latest, oldest first; not to be written to.
func (n *news) alerts() []Alert {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.latest
}

// decided queues a verdict, likewise.
func (n *news) decided(t controller.Trial) { n.add(func() { n.decide(t) }) }

func (n *news) add(tell func()) {
	select {
	case n.queue <- tell:
	default:
		n.dropped.Add(1)
	}
}

// stop lets the goroutine end after what is queued. It does not wait for it: a
// callback may be waiting for us.
func (n *news) stop() { close(n.queue) }
