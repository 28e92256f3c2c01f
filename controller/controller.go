package controller

import (
	"fmt"
	"slices"
	"time"
)

// Controller is the decision core: a state machine that is told what happened
// and answers what to do. It is deterministic, and not safe for concurrent use;
// Run drives it, one Step a tick. The files of this package follow its phases:
// start, restore, measure, propose, trial, judge.
type Controller struct {
	cfg   Config // its Timing is the one in force, once noise was measured
	asked Timing // as configured
	state State
	phase Phase
	why   string // why it is in this phase, for people

	now      time.Time
	epoch    uint64
	want     Setting // the last setting commanded; zero before the first
	inForce  Setting // what read back first after it; zero until then
	wait     time.Duration
	apply    bool // apply want even if it was commanded before
	durable  bool
	out      []Record
	revision uint64

	block     block
	measured  measurement
	trial     *running
	baseline  Sample    // the latest whole block of the safe setting
	recent    [2]recent // of the safe setting, and of the candidate
	slow      slowGuard
	watch     watch
	auditRest time.Time // no audit before

	restore   restoring
	started   time.Time     // when this process began
	broke     time.Duration // how long a hard limit has been broken while trials pause
	quiet     time.Duration // how long Idle or Paused has seen no breach
	quietFor  time.Duration // how long it has to
	control   string        // memory key whose guard abort is being controlled
	held      bool          // by Pause
	paused    pauseCause    // paused by what was found
	stopping  bool
	ended     []Trial           // of this session, oldest first, the latest 64
	refused   map[string]string // proposals of this session that broke a rule
	unwanted  map[string]string // what the policy sees no reason to try now, and why
	skipped   map[string]bool   // those of this session about which that was said
	outlook   *Outlook          // the latest, not changed once it is made; nil: none
	adviceOut bool
	unread    map[string]unread // what the operator set and was not read back yet, by knob
	listed    bool              // the proposals of advise mode are those of now
	listUntil time.Time         // then they are made anew
}

type pauseCause int

const (
	notPaused pauseCause = iota
	pausedByJournal
	pausedByGuard
)

// New returns a controller, or every fault of the configuration at once. A
// State of another version, or one that kept a knob this space lacks, is
// refused with one line.
func New(cfg Config) (*Controller, error) {
	cfg.setDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	c := &Controller{cfg: cfg, phase: Starting, refused: map[string]string{}, skipped: map[string]bool{}, unwanted: map[string]string{}}
	c.state = State{Version: StateVersion, Wealth: initialWealth, NextTrial: 1, Memory: map[string]Memory{}, Spent: map[Metric]float64{}}
	if cfg.State != nil {
		if err := checkState(cfg.State, cfg.Space); err != nil {
			return nil, err
		}
	}
	c.asked = cfg.Timing
	c.slow = newSlowGuard(cfg.SlowGuard)
	c.measured.init(cfg.Goals, cfg.Timing.BaselineBlocks-1)
	return c, nil
}

// Start returns the first command: look, and change nothing.
func (c *Controller) Start() Command {
	c.epoch, c.wait = 1, c.cfg.Timing.Tick
	c.record(Record{Kind: RecordSession, Session: c.session()})
	return c.command()
}

// Step takes what happened under the last command and returns the next one.
func (c *Controller) Step(in Input) Command {
	if !in.At.IsZero() { // a target that cannot be observed may not know the time
		c.now = in.At
	}
	c.out, c.durable, c.apply = nil, false, false
	if c.phase == Ended {
		return c.command()
	}
	if c.phase != Starting {
		if done := c.interrupted(&in); done {
			return c.command()
		}
	}
	switch c.phase {
	case Starting:
		c.stepStarting(&in)
		if in.Wish != nil {
			c.grant(*in.Wish)
		}
	case Restoring:
		c.stepRestoring(&in)
	case Measuring:
		c.stepMeasuring(&in)
	case Settling, Trying:
		c.stepTrial(&in)
	case Idle:
		c.stepIdle(&in)
	case Paused:
		c.stepPaused(&in)
	}
	c.watchGoals()
	c.prove()
	c.endInTime()
	return c.command()
}

// endInTime ends the session at its Until, in whatever phase that finds it: a
// block that waits for requests, a pause, a baseline that cannot be measured.
// The safe setting is restored first, with as much patience as for a stop.
func (c *Controller) endInTime() {
	until := c.cfg.Budget.Until
	if c.stopping || until.IsZero() || !c.now.After(until) || c.phase == Starting || c.phase == Ended {
		return
	}
	c.stopping = true
	c.endTrial(Inconclusive, Timeout, "the time for trials is over")
	c.beginRestore(timeOver)
}

const timeOver = "the time for trials is over: the last kept setting stays in force"

// interrupted handles what may come in any phase: a broken journal, the
// operator's wishes, a change from outside. It reports whether that decided
// this step. The journal comes first: nothing may go on unrecorded.
func (c *Controller) interrupted(in *Input) bool {
	granted := false
	if in.Wish != nil {
		granted = c.changedOutside(in) // what somebody did before the wish comes before it
		granted = c.grant(*in.Wish) || granted
	}
	if in.RecordErr != "" && c.paused != pausedByJournal && !c.stopping {
		c.endTrial(Inconclusive, RecordFailed, in.RecordErr)
		switch in.Ask { // a wish is told once, and must not be lost to a broken journal
		case Pause:
			c.held = true
		case Resume:
			c.held = false
		}
		if in.Ask != Stop && in.Ask != StopToInitial {
			c.pause(pausedByJournal, "the journal cannot be written: "+in.RecordErr)
			return true
		}
	}
	switch in.Ask {
	case Stop, StopToInitial:
		if !c.stopping { // a loop whose context ended asks on every tick
			c.stop(in.Ask)
			return true
		}
	case Pause:
		if held := c.isHeld(); !c.held && !c.stopping {
			c.held = true
			if held {
				break // as it is already
			}
			c.endTrial(Inconclusive, Stopped, "paused by the operator")
			c.withdraw(c.heldWhy())
			return true
		}
	case Resume:
		if c.held {
			c.held = false
			if c.phase == Paused && !c.isPaused() {
				c.resume()
				return true
			}
		}
	}
	// Restoring without a confirmed read-back is a restore that has not worked yet.
	return granted || c.changedOutside(in)
}

// command puts together the answer of a step.
func (c *Controller) command() Command {
	cmd := Command{
		Records: c.out, Durable: c.durable, Setting: c.want, Apply: c.apply,
		Epoch: c.epoch, Wait: c.wait, Done: c.phase == Ended,
	}
	c.out = nil
	return cmd
}

// send commands a setting; its first read-back will say what is in force. A new
// epoch keeps requests that started before apart.
func (c *Controller) send(s Setting) {
	c.epoch++
	if !c.want.Equal(s) || !c.inForce.Equal(s) {
		c.want, c.inForce, c.apply = s, Setting{}, true
	}
}

// enter goes to another phase.
func (c *Controller) enter(p Phase, why string) {
	if p == c.phase && why == c.why {
		return
	}
	// A pair goes back and forth between settling and trying; its coin is the record.
	inTrial := func(p Phase) bool { return p == Settling || p == Trying }
	if !inTrial(p) || !inTrial(c.phase) {
		c.record(Record{Kind: RecordPhase, Phase: &PhaseLog{Phase: p, Why: why, ByOperator: c.isHeld()}})
	}
	c.phase, c.why = p, why
	c.revision++
}

func (c *Controller) record(r Record) {
	r.At = c.now
	c.out = append(c.out, r)
	c.revision++
}

func (c *Controller) note(format string, args ...any) {
	c.record(Record{Kind: RecordNote, Note: fmt.Sprintf(format, args...)})
}

// recordState writes a snapshot of all that a restart needs.
func (c *Controller) recordState() {
	s := c.State()
	c.record(Record{Kind: RecordState, State: &s})
}

// State returns a copy of the durable state, of which the Trials are shared, to be
// read only: they are written once, and what was handed out never changes.
func (c *Controller) State() State {
	s := c.state
	s.Memory = make(map[string]Memory, len(c.state.Memory))
	for k, v := range c.state.Memory {
		s.Memory[k] = v
	}
	s.Spent = make(map[Metric]float64, len(c.state.Spent))
	for k, v := range c.state.Spent {
		s.Spent[k] = v
	}
	s.Keeps = cloneKeeps(c.state.Keeps)
	s.Wishes = c.state.Wishes.clone()
	s.Trials, s.Past = slices.Clip(c.state.Trials), slices.Clone(c.state.Past)
	if c.state.Running != nil {
		t := *c.state.Running
		s.Running = &t
	}
	return s
}

func (c *Controller) session() *Session {
	return &Session{
		Seed: c.cfg.Seed, Space: c.cfg.Space, Offered: c.cfg.Offered, Goals: c.cfg.Goals, Guards: c.cfg.Guards,
		SlowGuard: c.cfg.SlowGuard, OpenLoop: c.cfg.OpenLoop, Timing: c.cfg.Timing, Budget: c.cfg.Budget, Alert: c.cfg.Alert, Policy: c.cfg.PolicyName, Instance: c.cfg.Instance, Build: c.cfg.Build, Joint: c.cfg.Joint, Advise: c.cfg.Advise, Pinned: c.cfg.Pinned,
	}
}

// breach returns the first guard that the tick trips, for people, or "".
func (c *Controller) breach(s *Sample) string {
	for _, g := range c.cfg.Guards {
		if v, tripped := g.Trips(s); tripped {
			side := "above"
			if g.Below {
				side = "below"
			}
			return fmt.Sprintf("%s %.4g is %s its limit %.4g", g.Metric, v, side, g.Limit)
		}
	}
	return ""
}
