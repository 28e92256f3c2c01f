package history

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"autotune/controller"
	"autotune/journal"
	"autotune/report"
)

// Limits of what is remembered of a journal, however long it is.
const (
	mostTrials = 5000
	mostAlerts = 200
	mostNotes  = 200
	century    = 100 * 365 * 24 * time.Hour
)

// history is what was read so far.
type history struct {
	name     string
	session  *controller.Session // the latest
	sessions int
	state    *controller.State // the latest
	initial  controller.Setting
	known    bool // initial is known
	entries  int
	skipped  bool // the journal begins in the middle of a session

	inForce  controller.Setting
	running  *controller.Trial
	restart  bool // a process started, and was told nothing yet
	observed time.Duration
	started  time.Time
	ended    time.Time
	phase    controller.Phase
	phases   map[controller.Phase]time.Duration
	arms     [2]arm
	shades   spans
	track    track

	trials  list[trial]
	audits  int
	alerts  list[event]
	notes   list[event]
	advice  map[string]controller.Trial
	advised []string // in order
	tried   map[string]int
}

// arm adds up what happened under the safe setting, or under a candidate.
type arm struct {
	time             time.Duration
	requests, errors float64
}

// trial is a verdict with its place in observed time.
type trial struct {
	controller.Trial
	at    time.Duration
	again int // which trial of its kind, from 1
}

type event struct {
	at   time.Duration
	text string
}

// list keeps the latest of what is added, and counts all.
type list[T any] struct {
	latest []T
	all    int
}

func (l *list[T]) add(x T, most int) {
	l.all++
	l.latest = append(l.latest, x)
	if len(l.latest) >= 2*most {
		l.latest = append(l.latest[:0], l.latest[len(l.latest)-most:]...)
	}
}

// ErrEmpty says that a journal holds no session.
var ErrEmpty = errors.New("empty")

// Read makes the report of a journal, a folder or one segment. Its rows are one
// a trial and goal that has at least one pair: scenario is what was tried,
// contender which of its trials, measure the goal, n the pairs. The error is one
// line that names file, line and rule.
func Read(path string) (*report.Document, error) {
	h := newHistory(filepath.Base(path))
	for e, err := range journal.Read(path) {
		if err != nil {
			return nil, err
		}
		if err := h.take(&e); err != nil {
			return nil, fmt.Errorf("journal %s: segment %d, line %d: %w", path, e.Segment, e.Line, err)
		}
	}
	if h.session == nil {
		return nil, fmt.Errorf("journal %s: %w: must hold at least the start of a session", path, ErrEmpty)
	}
	return h.document(), nil
}

func newHistory(name string) *history {
	return &history{
		name: name, phase: controller.Starting, phases: map[controller.Phase]time.Duration{},
		advice: map[string]controller.Trial{}, tried: map[string]int{},
	}
}

// take adds one record.
func (h *history) take(e *journal.Entry) error {
	r := &e.Record
	if err := r.Check(); err != nil {
		return err
	}
	h.entries++
	if !r.At.IsZero() {
		if h.started.IsZero() {
			h.started = r.At
		}
		h.ended = r.At
	}
	switch r.Kind {
	case controller.RecordSession:
		h.begin(r.Session, e.Repeat)
	case controller.RecordInput:
		if h.session != nil {
			h.input(r.Input)
		}
	case controller.RecordPhase:
		h.phase = r.Phase.Phase
		if h.phase == controller.Paused {
			h.alerts.add(event{h.observed, "paused: " + r.Phase.Why}, mostAlerts)
		}
	case controller.RecordTrial:
		h.running = r.Trial
	case controller.RecordVerdict:
		h.verdict(*r.Trial)
	case controller.RecordAdvice:
		if _, ok := h.advice[r.Trial.Optimization]; !ok {
			h.advised = append(h.advised, r.Trial.Optimization)
		}
		h.advice[r.Trial.Optimization] = *r.Trial
	case controller.RecordAlert:
		h.alerts.add(event{h.observed, r.Degraded.String()}, mostAlerts)
	case controller.RecordWish:
		h.notes.add(event{h.observed, r.Wish.String()}, mostNotes)
	case controller.RecordNote:
		h.notes.add(event{h.observed, r.Note}, mostNotes)
	case controller.RecordState:
		h.state = r.State
		if !h.known && !r.State.Initial.IsZero() {
			h.known, h.initial = true, r.State.Initial
		}
	case controller.RecordCoin, controller.RecordPair: // the verdict has what they came to
	}
	return nil
}

// begin takes the start of a process, or its repetition at the start of a segment.
func (h *history) begin(s *controller.Session, repeated bool) {
	h.skipped = h.skipped || repeated && h.session == nil
	h.session = s
	if repeated {
		h.sessions = max(h.sessions, 1)
		return
	}
	h.sessions++
	h.inForce, h.running, h.phase = controller.Setting{}, nil, controller.Starting
	h.restart = h.sessions > 1
	if h.track.width == 0 {
		h.setWidth(s)
	}
}

// setWidth of a bin: as long as a block to begin with.
func (h *history) setWidth(s *controller.Session) {
	h.track.width = max(s.Timing.Measure, s.Timing.Tick, time.Millisecond)
}

func (h *history) input(in *controller.Input) {
	if h.track.width == 0 {
		h.setWidth(h.session)
	}
	if !in.Same {
		h.inForce = in.Current
	}
	over := min(max(in.Sample.Over, 0), 24*time.Hour) // a tick is no longer
	from := h.observed
	h.observed = min(h.observed+over, century)
	candidate := h.candidateInForce()
	h.phases[h.phase] += over
	i := 0
	if candidate {
		i = 1
		if over > 0 {
			h.shades.add(from, h.observed)
		}
	}
	a := &h.arms[i]
	a.time += over
	a.requests += in.Sample.Totals[controller.Requests]
	a.errors += in.Sample.Totals[controller.Errors]
	if over > 0 {
		h.track.add(h.observed, &in.Sample, candidate, h.session.Guards, h.restart)
		h.restart = false
	}
}

// candidateInForce: one of the knobs of the trial in progress reads back
// otherwise than before it.
func (h *history) candidateInForce() bool {
	if h.running == nil {
		return false
	}
	for name := range h.running.Change {
		was, ok := h.running.From.Get(name)
		if now, is := h.inForce.Get(name); ok && is && now != was {
			return true
		}
	}
	return false
}

func (h *history) verdict(t controller.Trial) {
	h.running = nil
	t.From, t.To = controller.Setting{}, controller.Setting{}
	if t.Audit != 0 {
		h.audits++
		if t.Outcome != controller.Kept {
			return // nothing changed
		}
	}
	key := t.Optimization + " " + t.Move
	if t.Audit != 0 {
		key = "roll back " + key
	} else {
		h.tried[t.Optimization]++
	}
	h.tried[key+"\x00"]++
	h.trials.add(trial{t, h.observed, h.tried[key+"\x00"]}, mostTrials)
}

// noteworthy are the notes that are about more than the noise.
func (h *history) noteworthy() []event {
	var out []event
	for _, n := range h.notes.latest {
		if !strings.HasPrefix(n.text, "goal ") && !strings.HasPrefix(n.text, "block length ") && !strings.HasPrefix(n.text, "washout ") {
			out = append(out, n)
		}
	}
	return out
}
