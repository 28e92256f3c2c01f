package controller

import "time"

// StateVersion is the version of State that this code writes.
const StateVersion = 1

// State is all that a restart needs, and the snapshot at the start of each
// journal segment. It is plain data.
type State struct {
	Version int `json:"version"`
	// Initial is the setting found at the last start: the operator's own. Safe
	// is the last kept one.
	Initial Setting `json:"initial"`
	Safe    Setting `json:"safe"`
	// Running is the trial whose candidate may be in force. A restart that finds
	// one knows that the process died in it.
	Running *Trial `json:"running,omitempty"`
	// Wealth is the budget of false keeps: see wealth.go.
	Wealth float64 `json:"wealth"`
	// Stream is that of trials under Budget.FDR.
	Stream Stream `json:"stream,omitzero"`
	// NextTrial is the number of the next trial.
	NextTrial int `json:"next_trial"`
	// Spent is how much of each goal's tolerance earlier keeps used, log units.
	Spent map[Metric]float64 `json:"spent,omitempty"`
	// Memory of each optimization that was tried.
	Memory map[string]Memory `json:"memory,omitempty"`
	// Keeps that are audited, oldest first: at most one a knob.
	Keeps []Keep `json:"keeps,omitempty"`
	// Wishes are what the operator said and still holds.
	Wishes Wishes `json:"wishes,omitzero"`
	// Regime in force: its number counts how often the world was found changed,
	// another build, or the safe setting's goals at another level. What trials showed
	// before may not hold.
	Regime Regime `json:"regime,omitzero"`
	// Past are regimes that ended, oldest first, the latest four that differ in what was kept.
	Past []Regime `json:"past,omitempty"`
	// Proven: the process lived for ten minutes, or ended as it was asked to.
	// Deaths counts those in a row before it that did not.
	Proven bool `json:"proven,omitempty"`
	Deaths int  `json:"deaths,omitempty"`
	// Trials that ended, oldest first, the latest 64, without effects and full settings.
	// Of what Controller.State hands out they are shared, and read only.
	Trials []Trial `json:"trials,omitempty"`
}

// Stream counts the trials that were judged under Budget.FDR, and the keeps among
// them: all that e-LOND must know of the past.
type Stream struct {
	Trials int `json:"trials"`
	Keeps  int `json:"keeps"`
}

// Memory is what is remembered of one optimization.
type Memory struct {
	Tried int `json:"tried"`
	// Failures in a row, by which the cool-down grows.
	Failures int `json:"failures,omitempty"`
	// CoolUntil is when it may be tried again.
	CoolUntil time.Time `json:"cool_until,omitzero"`
	// LeftAlone: the cool-down is for what somebody undid or moved, and another build
	// does not end it.
	LeftAlone bool `json:"left_alone,omitempty"`
	// TakenBack: an alert took a keep back once. The next one stays until an
	// audit speaks against it.
	TakenBack bool `json:"taken_back,omitempty"`
	// Blamed counts how often a keep was taken back because a hard limit broke,
	// or processes died, under it.
	Blamed int `json:"blamed,omitempty"`
	// Strikes are guard aborts in a row that the safe setting did not share.
	Strikes int `json:"strikes,omitempty"`
	// Quarantined says why it is not tried any more; empty if it may be.
	Quarantined string `json:"quarantined,omitempty"`
}
