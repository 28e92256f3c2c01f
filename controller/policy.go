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
	// Baseline is the latest block of the safe setting: rates, state sizes,
	// latencies, by which bands are chosen.
	Baseline *Sample
	// Trials that ended, oldest first, the latest 64, without effects and settings.
	Trials []Trial
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

// The moves of a switch. Any other Move text is a change of numbers.
const (
	MoveOn  = "on"
	MoveOff = "off"
)
