package autotune

import (
	"strings"

	"github.com/rs/zerolog"

	"autotune/controller"
)

// recorder is where the controller's records go: to the journal, to the log, and
// what a person should look at to the alerts. A record that the journal did not
// take is still logged.
type recorder struct{ a *Autopilot }

var _ controller.Recorder = recorder{}

func (r recorder) Append(rec controller.Record) error {
	var err error
	if r.a.journal != nil {
		err = r.a.journal.Append(rec)
	}
	r.log(&rec)
	r.alert(&rec)
	if rec.Kind == controller.RecordVerdict {
		r.a.verdicts[rec.Trial.Outcome]++
		r.a.news.decided(*rec.Trial)
	}
	return err
}

func (r recorder) Sync() error {
	if r.a.journal == nil {
		return nil
	}
	return r.a.journal.Sync()
}

// log adapts a record to zerolog. Coins, inputs and states are the journal's.
func (r recorder) log(rec *controller.Record) {
	log := r.a.cfg.Logger
	switch rec.Kind {
	case controller.RecordPhase:
		log.Debug().Stringer("phase", rec.Phase.Phase).Str("why", rec.Phase.Why).Msg("phase")
	case controller.RecordTrial:
		if rec.Trial.Audit != 0 {
			auditFields(log.Debug(), rec.Trial).Int("cap", rec.Trial.Cap).Msg("audit starts")
			return
		}
		trialFields(log.Info(), rec.Trial).Int("cap", rec.Trial.Cap).Float64("alpha", rec.Trial.Alpha).
			Str("why", rec.Trial.Why).Msg("trial starts")
	case controller.RecordVerdict:
		if rec.Trial.Audit != 0 {
			level, msg := zerolog.InfoLevel, "audit"
			if rec.Trial.Outcome == controller.Kept {
				level, msg = zerolog.WarnLevel, "rolled back"
			}
			auditFields(log.WithLevel(level), rec.Trial).Stringer("reason", rec.Trial.Reason).Int("pairs", rec.Trial.Pairs).
				Str("detail", rec.Trial.Detail).Msg(msg)
			return
		}
		trialFields(log.Info(), rec.Trial).Stringer("outcome", rec.Trial.Outcome).Stringer("reason", rec.Trial.Reason).
			Int("pairs", rec.Trial.Pairs).Str("detail", rec.Trial.Detail).Msg("verdict")
	case controller.RecordAdvice:
		log.Info().Str("proposal", rec.Trial.Proposal).Str("optimization", rec.Trial.Optimization).Str("move", rec.Trial.Move).
			Any("change", rec.Trial.Change).Str("why", rec.Trial.Why).Msg("would try")
	case controller.RecordPair:
		for _, e := range rec.Pair.Effects[:min(1, len(rec.Pair.Effects))] {
			log.Debug().Int("trial", rec.Pair.Trial).Int("pair", rec.Pair.Pair).Str("metric", string(e.Metric)).
				Float64("effect", e.Change).Float64("low", e.Low).Float64("high", e.High).Msg("pair")
		}
	case controller.RecordAlert:
		log.Warn().Str("metric", string(rec.Degraded.Metric)).Msg("worse than expected: " + rec.Degraded.String())
	case controller.RecordWish:
		w := rec.Wish
		e := log.Info().Stringer("wish", w.Kind).Str("who", w.By.Who).Str("why", w.By.Why)
		if w.Refused != "" {
			e.Msg("refused: " + w.Refused)
			return
		}
		e.Msg(w.Then)
	case controller.RecordNote:
		level := zerolog.InfoLevel
		if strings.HasPrefix(rec.Note, controller.CannotBeTried) || strings.HasPrefix(rec.Note, controller.CannotBeRead) {
			level = zerolog.WarnLevel
		}
		log.WithLevel(level).Msg(rec.Note)
	}
}

func trialFields(e *zerolog.Event, t *controller.Trial) *zerolog.Event {
	return e.Int("trial", t.ID).Str("optimization", t.Optimization).Str("move", t.Move)
}

func auditFields(e *zerolog.Event, t *controller.Trial) *zerolog.Event {
	return trialFields(e, t).Int("audited", t.Audit).Float64("evidence", t.Evidence)
}

// alert picks what a person should look at.
func (r recorder) alert(rec *controller.Record) {
	switch {
	case rec.Kind == controller.RecordVerdict && rec.Trial.Audit == 0 && rec.Trial.Outcome == controller.Aborted:
		r.a.news.send(Alert{Kind: AlertGuard, Message: rec.Trial.Optimization + ": " + rec.Trial.Detail})
	case rec.Kind == controller.RecordVerdict && rec.Trial.Audit != 0 && rec.Trial.Outcome == controller.Kept:
		r.a.news.send(Alert{Kind: AlertRollback, Message: rec.Trial.Optimization + " " + rec.Trial.Move + ": " + rec.Trial.Detail})
	case rec.Kind == controller.RecordAlert:
		r.a.news.send(Alert{Kind: AlertDegraded, Message: rec.Degraded.String(), Degraded: rec.Degraded})
	case rec.Kind == controller.RecordPhase && rec.Phase.Phase == controller.Paused && !rec.Phase.ByOperator:
		r.a.news.send(Alert{Kind: AlertPaused, Message: rec.Phase.Why})
	case rec.Kind == controller.RecordNote && strings.HasPrefix(rec.Note, "restore: "):
		r.a.news.send(Alert{Kind: AlertRestore, Message: rec.Note})
	case rec.Kind == controller.RecordNote && strings.Contains(rec.Note, ": quarantined: "):
		r.a.news.send(Alert{Kind: AlertQuarantine, Message: rec.Note})
	case rec.Kind == controller.RecordNote && strings.HasPrefix(rec.Note, controller.CannotBeTried):
		r.a.news.send(Alert{Kind: AlertKnob, Message: strings.TrimPrefix(rec.Note, controller.CannotBeTried)})
	}
}
