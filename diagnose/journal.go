package diagnose

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"autotune/controller"
	"autotune/journal"
)

// ErrEmpty says that a journal holds no session.
var ErrEmpty = errors.New("empty")

// Read diagnoses a journal, a folder or one segment, also while it is written. It
// goes through the journal once and takes the same memory however long that is.
// The error is one line that names file, line and rule.
func Read(path string) (*Diagnosis, error) {
	f, err := readFacts(path)
	if err != nil {
		return nil, err
	}
	return f.diagnosis(), nil
}

func readFacts(path string) (*facts, error) {
	f := newFacts(filepath.Base(path))
	for e, err := range journal.Read(path) {
		if err != nil {
			return nil, err
		}
		if err := f.take(&e); err != nil {
			return nil, fmt.Errorf("journal %s: segment %d, line %d: %w", path, e.Segment, e.Line, err)
		}
	}
	if f.session == nil {
		return nil, fmt.Errorf("journal %s: %w: must hold at least the start of a session", path, ErrEmpty)
	}
	return f, nil
}

// take adds one record.
func (f *facts) take(e *journal.Entry) error {
	r := &e.Record
	if err := r.Check(); err != nil {
		return err
	}
	if !r.At.IsZero() {
		if f.from.IsZero() {
			f.from = r.At
		}
		f.to = r.At
	}
	switch r.Kind {
	case controller.RecordSession:
		f.begin(r.Session, e.Repeat)
	case controller.RecordInput:
		if f.session != nil {
			f.input(r.Input)
		}
	case controller.RecordPhase:
		f.phase, f.why, f.byHand = r.Phase.Phase, r.Phase.Why, r.Phase.ByOperator
		if what, ok := strings.CutPrefix(f.why, brokenLimit); ok && f.phase == controller.Paused {
			f.breaches = latest(f.breaches, breach{r.At, what}, mostEvents)
		}
	case controller.RecordTrial:
		f.running = r.Trial
	case controller.RecordVerdict:
		f.verdict(*r.Trial)
	case controller.RecordAdvice:
		f.advised = latest(f.advised, *r.Trial, mostEvents)
	case controller.RecordAlert:
		f.alerts = latest(f.alerts, alert{r.At, *r.Degraded, f.onProbation(r.At)}, mostEvents)
	case controller.RecordState:
		f.takeState(r.State, r.At)
	case controller.RecordNote:
		if what, ok := strings.CutPrefix(r.Note, controller.Panicked); ok {
			f.panics = latest(f.panics, breach{r.At, what}, mostEvents)
		}
		if _, what, ok := strings.Cut(r.Note, excusedNote); ok {
			f.excused = latest(f.excused, breach{r.At, strings.TrimSuffix(what, excusedEnd)}, mostEvents)
		}
	case controller.RecordCoin, controller.RecordPair, controller.RecordWish: // verdicts and states have what they came to
	}
	return nil
}

// brokenLimit begins the reason of a pause, of package controller.
const brokenLimit = "the safe setting breaks a hard limit: "

// excusedNote is how package controller notes that the safe setting was as slow as a
// candidate that was just withdrawn, and excusedEnd how the note goes on.
const (
	excusedNote = ": the safe setting is as slow ("
	excusedEnd  = "): no strike against the candidate"
)

// begin takes the start of a process, or its repetition at the start of a segment.
func (f *facts) begin(s *controller.Session, repeated bool) {
	f.partial = f.partial || repeated && f.session == nil
	f.session = s
	if repeated {
		f.starts = max(f.starts, 1)
		return
	}
	f.starts++
	if f.state != nil && !f.state.Proven {
		f.deaths = latest(f.deaths, f.to, mostEvents)
	}
	f.inForce, f.running, f.phase = controller.Setting{}, nil, controller.Starting
	f.initial = controller.Setting{} // the next state has it
	f.track.newProcess()
}

// takeState takes all that a restart would need. A change of the initial setting
// is the operator's: at a start it wins over what was kept, and within a session
// it was adopted.
func (f *facts) takeState(s *controller.State, at time.Time) {
	switch {
	case f.state == nil:
	case f.initial.IsZero(): // the first of a process
		if changed := f.state.Initial.Diff(s.Initial); len(changed) > 0 && !f.state.Safe.Equal(f.state.Initial) && s.Safe.Equal(s.Initial) {
			f.won = latest(f.won, outside{at, changed}, mostEvents)
		}
	default:
		if changed := f.initial.Diff(s.Initial); len(changed) > 0 {
			f.outside = latest(f.outside, outside{at, changed}, mostEvents)
		}
	}
	f.state, f.initial, f.safe = s, s.Initial, s.Safe
}

func (f *facts) verdict(t controller.Trial) {
	f.running = nil
	if t.Audit != 0 && t.Outcome != controller.Kept {
		return // nothing changed
	}
	f.trials = latest(f.trials, t, mostTrials)
}

// onProbation is the latest trial that was kept within the probation before a
// time, or 0.
func (f *facts) onProbation(at time.Time) int {
	for i := len(f.trials) - 1; i >= 0; i-- {
		if t := &f.trials[i]; t.Outcome == controller.Kept {
			if at.Sub(t.Ended) <= f.session.Alert.Probation {
				return t.ID
			}
			return 0
		}
	}
	return 0
}

func (f *facts) input(in *controller.Input) {
	if !in.Same {
		f.inForce = in.Current
	}
	f.failed("apply", in.ApplyErr, in.At)
	f.failed("read back", in.ReadErr, in.At)
	f.failed("observe", in.ObserveErr, in.At)
	f.failed("record", in.RecordErr, in.At)
	over := min(max(in.Sample.Over, 0), 24*time.Hour) // a tick is no longer
	f.observed = min(f.observed+over, century)
	if over <= 0 || in.ObserveErr != "" {
		return
	}
	f.seen(&in.Sample, f.candidateInForce())
}

// seen takes a tick of the safe setting, or of a candidate.
func (f *facts) seen(s *controller.Sample, candidate bool) {
	f.track.tick(f, s, candidate)
	if candidate {
		return
	}
	f.ticks++
	for _, values := range []map[controller.Metric]float64{s.Totals, s.Gauges} {
		for m, v := range values {
			f.present[m]++
			if p, ok := f.most[m]; !ok || v > p.value {
				f.most[m] = peak{v, s.At}
			}
		}
	}
	for _, g := range f.goals() {
		if _, ok := s.Value(g.Metric); ok && !has(s, g.Metric) {
			f.present[g.Metric]++
		}
	}
	f.safeSeen.Merge(s)
	f.safeSeen.Unfinished = nil // they are met again when they end
}

// has reports whether a metric stands in the sample itself.
func has(s *controller.Sample, m controller.Metric) bool {
	_, total := s.Totals[m]
	_, gauge := s.Gauges[m]
	return total || gauge
}

// candidateInForce: one of the knobs of the trial in progress reads back
// otherwise than before it.
func (f *facts) candidateInForce() bool {
	if f.running == nil {
		return false
	}
	for name := range f.running.Change {
		was, ok := f.running.From.Get(name)
		if now, is := f.inForce.Get(name); ok && is && now != was {
			return true
		}
	}
	return false
}
