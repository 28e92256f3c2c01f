package controller

import (
	"errors"
	"fmt"
	"time"
)

// Timing is how blocks are laid out, in the target's time.
type Timing struct {
	// Washout before each block, in which what starts is not counted; negative
	// for none. By default 1 s, or three times the p99 that the baseline shows. A
	// knob's or the target's Settle lengthens it.
	Washout time.Duration `json:"washout"`
	// Measure is the length of a block. By default at least 5 s, five times
	// Washout and the time that MinRequests take, and longer where the baseline
	// shows that longer blocks decide sooner; the choice is recorded with its reason.
	Measure time.Duration `json:"measure"`
	// AutoWashout and AutoMeasure say that the two were left to the baseline.
	// They are set when the fields are zero.
	AutoWashout bool `json:"auto_washout,omitempty"`
	AutoMeasure bool `json:"auto_measure,omitempty"`
	// Tick is how often guards look: min(250 ms, Measure/8) by default, or the
	// target's own.
	Tick time.Duration `json:"tick"`
	// MinRequests that must start in a block, 200 by default. A block with
	// fewer is prolonged, up to ten times Measure; negative asks for none.
	MinRequests int `json:"min_requests"`
	// BaselineBlocks in which noise is measured first, 22 by default (21 differences).
	BaselineBlocks int `json:"baseline_blocks"`
}

// Budget is how much may be spent on trials.
type Budget struct {
	// MaxPairs a trial may take, 120 by default.
	MaxPairs int `json:"max_pairs"`
	// Until is when the session ends; no pair starts that cannot end before.
	// Zero: never.
	Until time.Time `json:"until,omitzero"`
	// ReservedPairs are kept for each optimization still untried when Until is
	// set, 8 by default, and never fewer than can end in a keep.
	ReservedPairs int `json:"reserved_pairs"`
	// FDR bounds the expected share of false keeps among all keeps, for ever and
	// over restarts, above 0 and at most 0.5: the strict choice, which makes later
	// trials longer. 0, the default, bounds their number instead: .25 + .025 a
	// keep + .001 a trial (see wealth.go).
	FDR float64 `json:"fdr,omitempty"`
}

// Config is what a Controller is made from. Zero fields have the documented
// defaults; New rejects what is wrong and repairs nothing.
type Config struct {
	Space   Space
	Offered []Optimization
	// Goals by rank; DefaultGoals if empty.
	Goals  []Goal
	Guards []Guard
	// SlowGuard is the e-value at which a candidate is aborted in the middle of a
	// block because too many of its requests are slow, compared with the safe
	// setting's: 1000 by default, at least 20; negative turns that off. A target
	// without latencies has no such guard.
	SlowGuard float64
	Policy    Policy
	// PolicyName is recorded in the journal, and so is Instance, the name of this
	// process among its replicas, if it has one.
	PolicyName string
	Instance   string
	// Seed of every coin.
	Seed uint64
	// OpenLoop says that arrivals are nobody's doing: no setting moves them, and
	// no client waits for an answer before it asks again. Then what load does to
	// a goal is taken out of its values, where the baseline shows that it does.
	OpenLoop bool
	Timing   Timing
	Budget   Budget
	Alert    Alert
	// Build names the service's code, a version or a commit. If it is another one
	// than at the last start, what trials showed may not hold any more: see regime.go.
	Build string
	// Joint allows trials that change two optimizations together, where a policy
	// expects that they help only so. By default a trial changes one.
	Joint bool
	// Advise: change nothing, say what would be tried.
	Advise bool
	// Pinned names knobs or optimizations that are the operator's alone.
	Pinned []string
	// State of an earlier run, from its journal; nil for a first start.
	State *State
}

// noWashout stands for none in a Timing, where zero stands for the default: it
// survives a journal, and a nanosecond is none.
const noWashout = -time.Nanosecond

// washouts is how many times its washout a block is measured, at least, by default.
const washouts = 5

func (c *Config) setDefaults() {
	if len(c.Goals) == 0 {
		c.Goals = DefaultGoals()
	}
	t := &c.Timing
	switch {
	case t.Washout == 0:
		t.Washout, t.AutoWashout = time.Second, true
	case t.Washout < 0:
		t.Washout = noWashout
	}
	if c.Space.Settle > 0 {
		t.Washout = max(t.Washout, c.Space.Settle)
	}
	if t.Measure == 0 {
		t.Measure, t.AutoMeasure = max(5*time.Second, washouts*t.Washout), true
	}
	if t.Tick == 0 {
		t.Tick = min(250*time.Millisecond, t.Measure/8)
		if c.Space.Tick > 0 {
			t.Tick = min(c.Space.Tick, t.Measure)
		}
	}
	if t.MinRequests == 0 {
		t.MinRequests = 200
	}
	if t.BaselineBlocks == 0 {
		t.BaselineBlocks = 22
	}
	if c.SlowGuard == 0 {
		c.SlowGuard = 1000
	}
	if c.Budget.MaxPairs == 0 {
		c.Budget.MaxPairs = 120
	}
	if c.Budget.ReservedPairs == 0 {
		c.Budget.ReservedPairs = 8
	}
	c.Alert.setDefaults()
	if c.PolicyName == "" {
		c.PolicyName = fmt.Sprintf("%T", c.Policy)
	}
}

func (c *Config) check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	errs = append(errs, c.Space.Check())
	if c.Policy == nil {
		bad("policy: missing: must say what to try")
	}
	names := map[string]bool{}
	for _, o := range c.Offered {
		errs = append(errs, o.Check(c.Space))
		if names[o.Name] {
			bad("optimization %s: offered twice: names must be unique", o.Name)
		}
		names[o.Name] = true
	}
	seen := map[Metric]bool{}
	for _, g := range c.Goals {
		errs = append(errs, g.Check())
		if seen[g.Metric] {
			bad("goal %s: named twice: must be unique", g.Metric)
		}
		seen[g.Metric] = true
	}
	for _, g := range c.Guards {
		errs = append(errs, g.Check())
	}
	if at := c.SlowGuard; !finite(at) || at >= 0 && at < shownAt {
		bad("slow_guard %v: must be at least %v, or negative for none", at, shownAt)
	}
	for _, name := range c.Pinned {
		if _, ok := c.Space.Knob(name); !ok && !names[name] {
			bad("pinned %q: must name a knob or an optimization that is offered", name)
		}
	}
	t := c.Timing
	switch {
	case t.Measure <= 0:
		bad("timing: measure %v: must be above 0", t.Measure)
	case t.Tick <= 0 || t.Tick > t.Measure:
		bad("timing: tick %v: must be above 0 and at most measure, %v", t.Tick, t.Measure)
	case t.BaselineBlocks < 3:
		bad("timing: baseline_blocks %d: must be at least 3", t.BaselineBlocks)
	}
	if c.Budget.MaxPairs < 1 {
		bad("budget: max_pairs %d: must be at least 1", c.Budget.MaxPairs)
	}
	if c.Budget.ReservedPairs < 0 {
		bad("budget: reserved_pairs %d: must not be negative", c.Budget.ReservedPairs)
	}
	if fdr := c.Budget.FDR; !(fdr >= 0 && fdr <= 0.5) {
		bad("budget: fdr %v: must be within 0..0.5", fdr)
	}
	errs = append(errs, c.Alert.check())
	return errors.Join(errs...)
}
