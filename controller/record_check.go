package controller

import (
	"errors"
	"fmt"
)

// Check reports the first fault of a record that came from outside, or nil: it is of
// a known kind, and has what its kind says. Whoever reads a journal asks it before
// looking into one.
func (r *Record) Check() error {
	what, there := "", true
	switch r.Kind {
	case RecordSession:
		what, there = "session", r.Session != nil
	case RecordInput:
		what, there = "input", r.Input != nil
	case RecordPhase:
		what, there = "phase", r.Phase != nil
	case RecordTrial, RecordVerdict, RecordAdvice:
		what, there = "trial", r.Trial != nil
	case RecordAlert:
		what, there = "degraded", r.Degraded != nil
	case RecordWish:
		what, there = "wish", r.Wish != nil
	case RecordState:
		what, there = "state", r.State != nil
	case RecordCoin:
		what, there = "coin", r.Coin != nil
	case RecordPair:
		what, there = "pair", r.Pair != nil
	case RecordNote:
	default:
		return fmt.Errorf("record: kind %q: is not known", r.Kind)
	}
	if !there {
		return fmt.Errorf("record of kind %s: %s is missing", r.Kind, what)
	}
	if r.Kind == RecordSession && len(r.Session.Goals) == 0 {
		return errors.New("session: goals are empty: there must be one at least")
	}
	return nil
}
