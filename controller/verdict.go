package controller

import (
	"fmt"
	"math"
	"time"
)

// Outcome is what became of a trial. The five are never merged: a change that
// was no better is not one that failed to apply.
type Outcome int

// The outcomes.
const (
	// Kept: shown better; the candidate is the safe setting now.
	Kept Outcome = iota + 1
	// Reverted: shown worse.
	Reverted
	// Inconclusive: not shown better in the pairs it was worth, or interrupted.
	Inconclusive
	// Aborted: a hard limit tripped, or the process died, while it was in force.
	Aborted
	// Errored: it could not be applied or observed, which says nothing about it.
	Errored
)

var outcomeNames = [...]string{"", "kept", "reverted", "inconclusive", "aborted", "errored"}

// String returns the outcome's name.
func (o Outcome) String() string { return enumName(outcomeNames[:], int(o), "Outcome") }

// MarshalText writes the name.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads a name.
func (o *Outcome) UnmarshalText(text []byte) error {
	i, err := enumValue(outcomeNames[:], string(text), "outcome")
	*o = Outcome(i)
	return err
}

// Reason says why a trial ended as it did. The set is closed.
type Reason int

// The reasons.
const (
	Better         Reason = iota + 1 // shown better on a goal, and not worse on those above it
	Worse                            // shown worse on the top goal
	NoEffect                         // shown to be less than an effect worth having, on every goal
	Undecidable                      // the pairs left cannot reach a decision
	GuardTripped                     // a hard limit was broken, or too many requests were slow, while it was in force
	Timeout                          // all its pairs were used
	NoData                           // too few requests, or no goal could be measured
	ExternalChange                   // somebody else changed a knob
	ApplyFailed                      // it could not be set, or did not read back
	ObserveFailed                    // the target could not be observed
	Stopped                          // paused or stopped by the operator
	Pinned                           // the operator pinned one of its knobs
	RecordFailed                     // the journal could not be written
	Crashed                          // the process died while it was in force
	Holds                            // of an audit: nothing speaks against what is kept
	Degradation                      // the safe setting got worse than expected, and is changed
)

var reasonNames = [...]string{
	"", "better", "worse", "no-effect", "undecidable", "guard", "timeout", "no-data", "external-change",
	"apply-failed", "observe-failed", "stopped", "pinned", "record-failed", "crashed", "holds", "degraded",
}

// String returns the reason's name.
func (r Reason) String() string { return enumName(reasonNames[:], int(r), "Reason") }

// MarshalText writes the name.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a name.
func (r *Reason) UnmarshalText(text []byte) error {
	i, err := enumValue(reasonNames[:], string(text), "reason")
	*r = Reason(i)
	return err
}

// Effect is what is known about one goal from the pairs so far.
type Effect struct {
	Metric Metric `json:"metric"`
	// Maximize: more of the metric is better.
	Maximize bool `json:"maximize,omitempty"`
	// Change is the relative change of the metric itself, the median over
	// pairs: -0.31 is 31 % less. At a keep it exaggerates; quote the interval.
	Change float64 `json:"effect"`
	// Low and High bound the change with 95 % confidence at any stopping time.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	// Better, Worse and Futile are the e-values of the three tests, and the
	// ...At fields where each would decide. Futile is the evidence that the
	// effect is smaller than MinEffect.
	Better   float64 `json:"better"`
	BetterAt float64 `json:"better_at"`
	Worse    float64 `json:"worse"`
	WorseAt  float64 `json:"worse_at,omitempty"` // 0: this goal never ends a trial as worse
	Futile   float64 `json:"futile"`
	FutileAt float64 `json:"futile_at"`
	// MinEffect and Tolerance in force, in log units, fixed before the trial.
	MinEffect float64 `json:"min_effect"`
	Tolerance float64 `json:"tolerance"`
	// LoadSlope is by how much the log of the goal follows the log of arrivals,
	// fixed before the trial; that part of a pair's difference is taken out.
	LoadSlope float64 `json:"load_slope,omitempty"`
}

// Trial is one candidate judged against the safe setting: what was tried, and,
// once Outcome is set, the verdict with what it rests on and what it cost.
type Trial struct {
	ID int `json:"id"`
	// Audit is the trial whose keep is doubted, 0 for a trial of something new.
	// The candidate of an audit are the values from before that keep; kept means
	// rolled back.
	Audit int `json:"audit,omitempty"`
	// Proposal is its id, in advise mode.
	Proposal string `json:"proposal,omitempty"`
	// Regime in which it began: see State.
	Regime       int    `json:"regime,omitempty"`
	Optimization string `json:"optimization"`
	// Move is "on", "off", or the change of a number, for people.
	Move string `json:"move"`
	// Why the policy proposed it.
	Why string `json:"why"`
	// Basis of a policy that measures what there is to gain.
	Basis *Basis `json:"basis,omitempty"`
	// Change has the knobs that differ from the safe setting, with their new values.
	Change map[string]float64 `json:"change"`
	From   Setting            `json:"from"`
	To     Setting            `json:"to"`
	// Cap is how many pairs it may take; CapWhy says where that comes from.
	Cap    int    `json:"cap"`
	CapWhy string `json:"cap_why,omitempty"`
	// Planned is how many pairs a change of the top goal by its MinEffect is
	// expected to take, at the noise of the baseline.
	Planned int `json:"planned,omitempty"`
	// Washout, Measure and Drain lay out each block.
	Washout time.Duration `json:"washout,omitempty"`
	Measure time.Duration `json:"measure,omitempty"`
	Drain   time.Duration `json:"drain,omitempty"`
	// Alpha is the error rate that a keep may spend, shared by the goals.
	Alpha   float64   `json:"alpha"`
	Started time.Time `json:"started"`

	Ended    time.Time `json:"ended,omitzero"`
	Outcome  Outcome   `json:"outcome,omitempty"`
	Reason   Reason    `json:"reason,omitempty"`
	Detail   string    `json:"detail,omitempty"`
	Pairs    int       `json:"pairs"`
	Requests float64   `json:"requests"` // served by the candidate
	Effects  []Effect  `json:"effects,omitempty"`
	// Shown is what is left of Effects in a trial that is remembered and has a Basis.
	Shown []Interval `json:"shown,omitempty"`
	// Evidence of an audit: the e-value that the old values are better, with what
	// earlier audits left; 100 rolls back.
	Evidence float64 `json:"evidence,omitempty"`
}

// Interrupted reports whether the trial ended for a reason that says nothing
// about its candidate: somebody or something else ended it.
func (t *Trial) Interrupted() bool {
	switch t.Reason {
	case Stopped, RecordFailed, ExternalChange, Pinned, Degradation:
		return true
	case GuardTripped:
		return t.Outcome == Inconclusive // the safe setting's own breach
	default:
		return false
	}
}

// Effect returns what is known about one goal, and whether there is anything.
func (t *Trial) Effect(m Metric) (Effect, bool) {
	for _, e := range t.Effects {
		if e.Metric == m {
			return e, true
		}
	}
	return Effect{}, false
}

// Interval is what a trial showed of a goal: bounds of its change in log units, in
// which less is always better.
type Interval struct {
	Metric Metric  `json:"metric"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// Mid is between the bounds.
func (i Interval) Mid() float64 { return (i.Low + i.High) / 2 }

// Intervals are what the trial showed of its goals, by rank: from Effects, or from
// what is left of them. Empty: nothing.
func (t *Trial) Intervals() []Interval {
	if len(t.Effects) == 0 {
		return t.Shown
	}
	out := make([]Interval, len(t.Effects))
	for i, e := range t.Effects {
		low, high := logChange(e.Low), logChange(e.High)
		if e.Maximize {
			low, high = -high, -low
		}
		out[i] = Interval{e.Metric, low, high}
	}
	return out
}

// logChange of a relative change, in four digits, which are what is remembered.
func logChange(v float64) float64 {
	const most = 10 // e^10 says nothing that e^100 does not
	return math.Round(min(max(math.Log1p(max(v, -1)), -most), most)*1e4) / 1e4
}

func enumValue(names []string, text, kind string) (int, error) {
	for i, n := range names {
		if i > 0 && n == text {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%s %q: must be one of %v", kind, text, names[1:])
}
