package diagnose

import (
	"math"
	"slices"
	"strings"
	"time"

	"autotune/controller"
)

// Diagnosis is what the rules found, and what they looked at. It is plain data.
type Diagnosis struct {
	// Source is the journal's name, or "live".
	Source string `json:"source"`
	// From and To are the first and the last moment that was looked at; Observed is
	// the time that somebody looked, without that between two processes.
	From     time.Time     `json:"from,omitzero"`
	To       time.Time     `json:"to,omitzero"`
	Observed time.Duration `json:"-"`
	// Starts of a process, and Trials that ended, without audits that changed nothing.
	Starts int `json:"starts"`
	Trials int `json:"trials"`
	// Partial: older parts of the journal are gone.
	Partial  bool      `json:"partial,omitempty"`
	Findings []Finding `json:"-"`
	// Looked has a line for each rule, in the order of the guide.
	Looked []Look `json:"-"`
	// Signals of where a gain is likely, those that were measured.
	Signals []Signal `json:"-"`
}

// Finding is one thing that is wrong.
type Finding struct {
	// Rule that found it, one of those in the package comment.
	Rule string `json:"rule"`
	// What is wrong, in a sentence.
	What     string     `json:"what"`
	Evidence []Evidence `json:"evidence"`
	// Cause as far as the evidence goes.
	Cause string `json:"cause"`
	// Next is what to do, the first thing first.
	Next []string `json:"next"`

	first bool // no trial is possible: it is told before the others
}

// Evidence is a figure that a finding rests on.
type Evidence struct {
	// Text has the figure with its unit, for people.
	Text string `json:"text"`
	// At is when it was seen; zero: over all that was looked at.
	At time.Time `json:"at,omitzero"`
	// Over is the time it covers, 0 for a moment.
	OverSeconds float64 `json:"over_seconds,omitempty"`
	// Metric that Value is of, in the metric's own unit, or the relative change
	// between Low and High that Pairs showed; empty: the text is all there is.
	Metric controller.Metric `json:"metric,omitempty"`
	Value  float64           `json:"value,omitempty"`
	Low    float64           `json:"low,omitempty"`
	High   float64           `json:"high,omitempty"`
	Pairs  int               `json:"pairs,omitempty"`
}

// Look says what a rule looked at.
type Look struct {
	Rule string `json:"rule"`
	// Known: what the rule needs was measured. Otherwise it says nothing.
	Known bool `json:"known"`
	// At is what was looked at, with figures, or what is missing.
	At string `json:"looked_at"`
	// Findings of the rule.
	Findings int `json:"findings"`
}

// rule is a section of the troubleshooting. check says what it looked at, and
// what it found.
type rule struct {
	name  string
	check func(f *facts) (looked string, found []Finding)
}

// notKnown begins what a rule says that has nothing to look at.
const notKnown = "not known: "

// rules in the order of the guide.
func rules() []rule {
	return []rule{
		{"regression", regression},
		{"memory", memory},
		{"cpu", cpu},
		{"inconsistent", inconsistent},
		{"metrics", metrics},
		{"applied", applied},
	}
}

// Rules are the names of the rules, in the order in which they are told.
func Rules() []string {
	var names []string
	for _, r := range rules() {
		names = append(names, r.name)
	}
	return names
}

// dropNonFinite leaves the text alone where a figure is not one: an interval that
// nothing bounds yet.
func (e *Evidence) dropNonFinite() {
	for _, v := range []*float64{&e.Value, &e.Low, &e.High, &e.OverSeconds} {
		if math.IsNaN(*v) || math.IsInf(*v, 0) {
			*v = 0
		}
	}
}

func (f *facts) diagnosis() *Diagnosis {
	d := &Diagnosis{
		Source: f.source, From: f.from, To: f.to, Observed: f.observed, Starts: f.starts, Trials: len(f.trials), Partial: f.partial,
		Signals: f.signals(),
	}
	for _, r := range rules() {
		looked, found := r.check(f)
		for i := range found {
			found[i].Rule = r.name
			for j := range found[i].Evidence {
				found[i].Evidence[j].dropNonFinite()
			}
		}
		looked, unknown := strings.CutPrefix(looked, notKnown)
		d.Findings = append(d.Findings, found...)
		d.Looked = append(d.Looked, Look{Rule: r.name, Known: !unknown, At: looked, Findings: len(found)})
	}
	slices.SortStableFunc(d.Findings, func(a, b Finding) int {
		switch {
		case a.first == b.first:
			return 0
		case a.first:
			return -1
		}
		return 1
	})
	return d
}
