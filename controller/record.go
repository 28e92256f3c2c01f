package controller

import "time"

// RecordKind says which field of a Record is set.
type RecordKind string

// The kinds of records.
const (
	RecordSession RecordKind = "session" // a controller started
	RecordInput   RecordKind = "input"   // what it was told
	RecordPhase   RecordKind = "phase"   // it went to another phase
	RecordTrial   RecordKind = "trial"   // a trial starts
	RecordCoin    RecordKind = "coin"    // the order of a pair, before it starts
	RecordPair    RecordKind = "pair"    // what a pair showed
	RecordVerdict RecordKind = "verdict" // a trial ended
	RecordAdvice  RecordKind = "advice"  // what advice mode would try
	RecordAlert   RecordKind = "alert"   // the safe setting is worse than expected
	RecordWish    RecordKind = "wish"    // what the operator wished, and the answer
	RecordNote    RecordKind = "note"    // anything else worth knowing
	RecordState   RecordKind = "state"   // everything that a restart needs
)

// Panicked begins the note that ends the journal of an autopilot that panicked. The
// controller never writes it: it is written by who runs it.
const Panicked = "the autopilot panicked: "

// Record is one entry of the journal.
type Record struct {
	At   time.Time  `json:"at"`
	Kind RecordKind `json:"kind"`

	Session *Session  `json:"session,omitempty"`
	Input   *Input    `json:"input,omitempty"`
	Phase   *PhaseLog `json:"phase,omitempty"`
	Trial   *Trial    `json:"trial,omitempty"` // trial, verdict, advice
	Coin    *Coin     `json:"coin,omitempty"`
	Pair    *Pair     `json:"pair,omitempty"`
	Note    string    `json:"note,omitempty"`
	// Degraded is set in an alert.
	Degraded *Degraded `json:"degraded,omitempty"`
	// Wish is set in a wish.
	Wish  *Wished `json:"wish,omitempty"`
	State *State  `json:"state,omitempty"`
}

// Session says what a controller was started with: with it and the inputs, its
// decisions can be computed again.
type Session struct {
	Seed      uint64         `json:"seed"`
	Space     Space          `json:"space"`
	Offered   []Optimization `json:"offered"`
	Goals     []Goal         `json:"goals"`
	Guards    []Guard        `json:"guards,omitempty"`
	SlowGuard float64        `json:"slow_guard"`
	OpenLoop  bool           `json:"open_loop,omitempty"`
	Timing    Timing         `json:"timing"`
	Budget    Budget         `json:"budget"`
	Alert     Alert          `json:"alert"`
	Policy    string         `json:"policy"`
	Instance  string         `json:"instance,omitempty"`
	Build     string         `json:"build,omitempty"`
	Joint     bool           `json:"joint,omitempty"`
	Advise    bool           `json:"advise,omitempty"`
	Pinned    []string       `json:"pinned,omitempty"`
}

// PhaseLog is a change of phase.
type PhaseLog struct {
	Phase Phase  `json:"phase"`
	Why   string `json:"why,omitempty"`
	// ByOperator: the operator holds the controller.
	ByOperator bool `json:"by_operator,omitempty"`
}

// Coin is the order of a pair, drawn from the seed before the pair starts.
type Coin struct {
	Trial          int  `json:"trial"`
	Pair           int  `json:"pair"` // from 1
	CandidateFirst bool `json:"candidate_first"`
}

// Pair is what one pair of blocks showed.
type Pair struct {
	Trial int `json:"trial"`
	Pair  int `json:"pair"`
	// Safe and Candidate have each goal's value in its block.
	Safe      map[Metric]float64 `json:"safe"`
	Candidate map[Metric]float64 `json:"candidate"`
	// SafeLoad and CandidateLoad are the arrivals a second in each block, where
	// a goal is adjusted for them.
	SafeLoad      float64  `json:"safe_load,omitempty"`
	CandidateLoad float64  `json:"candidate_load,omitempty"`
	Effects       []Effect `json:"effects"`
}

// Recorder writes the journal. Append may buffer; Sync returns once all that
// was appended is durable. Both report a full or broken disk as an error, which
// stops trials and not the service.
type Recorder interface {
	Append(Record) error
	Sync() error
}
