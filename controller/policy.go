package controller

import "time"

// View is what a policy may look at: data, no handles.
type View struct {
	At      time.Time
	Space   Space
	Initial Setting // in force at the first start
	Safe    Setting // last kept
	// Offered are the optimizations that may be tried, in the owner's order.
	Offered []Optimization
	// Blocked has those that may not be tried now, with the reason for people:
	// cooling down, quarantined, pinned, not granted, not measurable.
	Blocked map[string]string
	// Baseline is what was measured of the safe setting lately, up to two minutes of
	// it: rates, state sizes, latencies and opportunity signals, by which bands are
	// chosen. Nil before anything was.
	Baseline *Sample
	// Planning says what trials take.
	Planning Planning
	// Trials that ended, oldest first, the latest 64, without effects and settings. They
	// are shared, and read only.
	Trials []Trial
	// Regime counts how often the world changed: another build, another level.
	Regime int
	// Joint: the owner allows a trial to change two optimizations together. The
	// proposal is then of one of them, and its move neither "on" nor "off".
	Joint bool
	// Untried counts the offered optimizations that were not tried and are not blocked.
	Untried int
	// PairsLeft before the session ends; negative means no limit.
	PairsLeft int
	// Seed of the run. All chance in a policy comes from it.
	Seed uint64
}

// Proposal is one change to try.
type Proposal struct {
	Optimization string
	Move         string             // "on", "off", or "cache_size 1024 -> 2048"
	Change       map[string]float64 // knobs that change, with their new values
	Why          string
	// Basis of a policy that measures what there is to gain; nil: none.
	Basis *Basis
}

// Basis is what a proposal rests on. It is kept with its trial, so that a policy
// knows later, and after a restart, what was known then.
type Basis struct {
	// Workload that the service was recognized as, "" for none in particular.
	Workload string `json:"workload,omitempty"`
	// Share of what the service spends that the optimization acts on, 0..1; 0: not
	// measured, as of a service's own knob.
	Share float64 `json:"share,omitempty"`
}

// Policy decides what to try next. It is called from one goroutine.
//
// Propose has no side effects: asked twice with the same View it answers the
// same. It returns false when there is nothing worth trying now, which is a
// normal answer. Learn is told of each trial that ended and is the only method
// that changes the policy. Neither reads a clock, does I/O or draws from a
// global source of chance: a run must replay from its journal.
type Policy interface {
	Propose(View) (Proposal, bool)
	Learn(Trial)
}

// Skip is an optimization that a policy does not try, and why.
type Skip struct{ Optimization, Why string }

// Explainer is a policy that says what it leaves untried when it has nothing to
// propose. The controller records each such optimization once a session.
type Explainer interface {
	Skipped(View) []Skip
}

// Outlook is what a policy makes of the service, for people: what it takes it for,
// and what there is to gain.
type Outlook struct {
	At time.Time `json:"at"`
	// Workload that the service was recognized as, "" for none in particular, and by what.
	Workload string `json:"workload,omitempty"`
	Why      string `json:"why,omitempty"`
	// Prospects in the order in which they would be tried.
	Prospects []Prospect `json:"prospects"`
}

// Prospect is what a policy expects of turning an optimization on.
type Prospect struct {
	Optimization string `json:"optimization"`
	// Signal is what was measured of what it acts on, with figures; empty: nothing was.
	Signal string `json:"signal,omitempty"`
	// Share of what the service spends that it acts on, 0..1: the most that it could
	// take away. Without a signal it is assumed.
	Share float64 `json:"share"`
	// Likelihood that it helps a workload of this kind, 0..1; 0: nothing is known.
	Likelihood float64 `json:"likelihood,omitempty"`
	// Pairs that its trial would take, and how long that is, in seconds; 0: not known.
	Pairs   float64 `json:"pairs,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
	// Skip says why it sees no trial now; empty: it may.
	Skip string `json:"skip,omitempty"`
}

// Surveyor is a policy that tells its outlook. The controller asks with each view
// that it proposes by.
type Surveyor interface {
	Outlook(View) Outlook
}

// The moves of a switch. Any other Move text is a change of numbers.
const (
	MoveOn  = "on"
	MoveOff = "off"
)
