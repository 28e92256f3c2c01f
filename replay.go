package autotune

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"autotune/controller"
	"autotune/journal"
	"autotune/policies"
)

// Replayed says what a replay covered.
type Replayed struct {
	// Sessions that were computed again, Steps of the controller in them, and
	// Records that came out as they stand in the journal, Verdicts among them.
	Sessions int `json:"sessions"`
	Steps    int `json:"steps"`
	Records  int `json:"records"`
	Verdicts int `json:"verdicts"`
	// Skipped entries belong to a session whose start was dropped with an old
	// segment: it cannot be computed again.
	Skipped int `json:"skipped"`
}

// DifferenceError is the first place where a replay decides otherwise than the
// journal says.
type DifferenceError struct {
	Segment int
	Line    int
	Journal string // what stands there
	Replay  string // what came out; empty if nothing did
}

// Error names the place and both sides.
func (e *DifferenceError) Error() string {
	return fmt.Sprintf("journal segment %d, line %d: the journal has %s, the replay %s", e.Segment, e.Line, e.Journal, e.Replay)
}

// Replay feeds the inputs of a journal, a folder or one segment, to fresh
// controllers and compares what they decide with what was recorded, byte for
// byte. It needs the policy of each session by name: the built-in ones. The
// error is a *DifferenceError where a decision differs.
func Replay(path string) (Replayed, error) { return ReplayWith(path, policies.Builtin()) }

// ReplayWith is Replay where known has the policies of the sessions.
func ReplayWith(path string, known policies.Registry) (Replayed, error) {
	r := replay{known: known}
	for e, err := range journal.Read(path) {
		if err != nil {
			return r.sum, err
		}
		if err := r.take(e); err != nil {
			return r.sum, err
		}
	}
	if r.sum.Records+r.sum.Skipped == 0 {
		return r.sum, fmt.Errorf("journal %s: empty: must hold at least the start of a session", path)
	}
	return r.sum, nil
}

type replay struct {
	sum   Replayed
	known policies.Registry
	core  *controller.Controller // nil outside a session that can be replayed
	last  controller.Setting     // of the input before
	due   []controller.Record    // decided and not yet met in the journal
	done  bool
	// state is the last one met: what the next session starts from.
	state *controller.State
}

func (r *replay) take(e journal.Entry) error {
	rec := e.Record
	defer func() {
		if rec.State != nil {
			r.state = rec.State
		}
	}()
	switch {
	case rec.Kind == controller.RecordSession && !e.Repeat:
		if err := r.begin(rec.Session); err != nil {
			return fmt.Errorf("journal segment %d, line %d: %w", e.Segment, e.Line, err)
		}
		return r.meet(e)
	case rec.Kind == controller.RecordNote && strings.HasPrefix(rec.Note, controller.Panicked):
		r.due, r.done = nil, true // what was decided in that step was never written
		return nil
	case r.core == nil || e.Repeat:
		r.sum.Skipped++
		return nil
	case rec.Kind != controller.RecordInput:
		return r.meet(e)
	}
	in := *rec.Input
	if in.Same {
		in.Same, in.Current = false, r.last
	}
	r.last = in.Current
	cmd := r.core.Step(in)
	r.due, r.done = append(r.due, cmd.Records...), cmd.Done
	r.sum.Steps++
	return nil
}

// begin makes the controller of a session. A session before it that did not end
// was cut off: what it had decided last was never written.
func (r *replay) begin(s *controller.Session) error {
	spec, err := policies.ParseSpec(s.Policy)
	if err != nil {
		return err
	}
	policy, err := r.known.New(spec)
	if err != nil {
		return err
	}
	r.core, err = controller.New(controller.Config{
		Space: s.Space, Offered: s.Offered, Goals: s.Goals, Guards: s.Guards, SlowGuard: s.SlowGuard, Policy: policy, PolicyName: s.Policy,
		Seed: s.Seed, OpenLoop: s.OpenLoop, Timing: s.Timing, Budget: s.Budget, Alert: s.Alert, Build: s.Build, Joint: s.Joint, Advise: s.Advise, Instance: s.Instance, Pinned: s.Pinned, State: r.state,
	})
	if err != nil {
		return err
	}
	r.last, r.done = controller.Setting{}, false
	r.due = r.core.Start().Records
	r.sum.Sessions++
	return nil
}

// meet compares a record of the journal with the next one that was decided.
func (r *replay) meet(e journal.Entry) error {
	if len(r.due) == 0 && r.done {
		return nil // CloseToInitial adds a state after the end
	}
	want, err := json.Marshal(e.Record)
	if err != nil {
		return fmt.Errorf("journal segment %d, line %d: %w", e.Segment, e.Line, err)
	}
	var got []byte
	if len(r.due) > 0 {
		if got, err = json.Marshal(r.due[0]); err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		r.due = r.due[1:]
	}
	if !bytes.Equal(want, got) {
		return &DifferenceError{Segment: e.Segment, Line: e.Line, Journal: string(want), Replay: string(got)}
	}
	r.sum.Records++
	if e.Record.Kind == controller.RecordVerdict {
		r.sum.Verdicts++
	}
	return nil
}
