package policies

import (
	"fmt"
	"slices"
	"time"

	"autotune/catalog"
	"autotune/controller"
)

// Guide tries what the guide would, one optimization at a time, where what is
// measured says that there is something to gain:
//
//  1. It recognizes the workload from the signals of the safe setting
//     (catalog.Recognize), unless its owner named it.
//  2. Each offered optimization that is off is turned on, in order of what it may
//     gain in a minute of experiment: see rank. Its numbers begin with the guide's
//     for the workload, the measured load and state size, and the memory.
//  3. The numbers of what is on are moved: see ladder. A number of the owner's whose
//     last step gained less than a tenth waits until the others had theirs.
//  4. What is on is tried off: what paid last week may not pay today.
//  5. What was tried and did not pay is tried again, after a long rest, or as soon as
//     its signal or the workload is another one.
//  6. Numbers that act too rarely for a trial are proposed too, with the guide's
//     values for what was measured: the controller tells them as advice.
//
// Step 3 waits until everything worth it was tried, and step 4 until the numbers
// are done: a switch gains more than a number, as a rule, and looking for a new
// gain is worth more than checking an old one. Where nothing is worth a trial it
// proposes nothing, which is a normal answer; Skipped says why. It is greedy: where
// two optimizations help only together, it finds neither.
//
// All that it remembers are trials, so that after a restart it is taught by those in
// the journal and knows what it knew.
//
// Not safe for concurrent use, as no policy is.
type Guide struct {
	name     string
	workload string         // the owner's word; "": it is recognized
	order    map[string]int // by optimization, lower first: a fixed order; nil: by opportunity
	was      string         // what the service was recognized as at the last trial that says
	tried    map[string]try // of switches that were moved, by optimization
	ladders  map[string]*ladder
}

var (
	_ controller.Policy    = (*Guide)(nil)
	_ controller.Explainer = (*Guide)(nil)
	_ controller.Surveyor  = (*Guide)(nil)
)

// NewGuide returns the guide's policy for a workload: "high-allocation",
// "large-context", "cpu-intensive", "high-frequency", "low-latency", or "" for
// one that is to be recognized. Another name is an error that lists them.
func NewGuide(workload string) (*Guide, error) {
	if _, err := catalog.Order(workload); err != nil {
		return nil, err
	}
	g := &Guide{name: "guide", workload: workload, tried: map[string]try{}, ladders: map[string]*ladder{}}
	if workload != "" {
		g.name += "/" + workload
	}
	return g, nil
}

// NewInOrder returns the guide's policy without its sight: everything offered is
// turned on in the given order, whatever is measured, what is not named in it after, as
// offered. It is what the guide's ranking is to be held against.
func NewInOrder(name string, order []string) *Guide {
	g := &Guide{name: name, order: map[string]int{}, tried: map[string]try{}, ladders: map[string]*ladder{}}
	for i, o := range order {
		g.order[o] = i
	}
	return g
}

// String is the policy's name for the journal, with its workload.
func (g *Guide) String() string { return g.name }

// Propose returns the next change, or false when there is nothing worth trying now.
func (g *Guide) Propose(v controller.View) (controller.Proposal, bool) {
	s := g.survey(&v)
	for _, step := range []func(*survey, *candidate) (controller.Proposal, bool){
		g.turnOn, g.movePaying, g.moveNumber, g.turnOff, g.turnOnAgain, g.advise,
	} {
		for i := range s.candidates {
			if p, ok := step(s, &s.candidates[i]); ok && v.Blocked[p.BlockKey()] == "" {
				return p, true
			}
		}
	}
	return controller.Proposal{}, false
}

// Skipped are the optimizations that are off and see no trial, with the reason.
func (g *Guide) Skipped(v controller.View) []controller.Skip {
	var out []controller.Skip
	s := g.survey(&v)
	for _, c := range s.candidates {
		if c.skip != "" && c.Switch != "" && !v.Safe.On(c.Switch) && v.Blocked[c.Name] == "" {
			out = append(out, controller.Skip{Optimization: c.Name, Why: c.skip})
		}
	}
	return out
}

// Outlook is what it takes the service for, and what each optimization may gain.
func (g *Guide) Outlook(v controller.View) controller.Outlook {
	s := g.survey(&v)
	out := controller.Outlook{Workload: s.kind.Workload, Why: s.kind.Why, Prospects: make([]controller.Prospect, 0, len(s.candidates))}
	if g.workload != "" {
		out.Why = fmt.Sprintf("%s, as its owner says; by its signs: %s", g.workload, s.kind.Why)
	}
	for i := range s.candidates {
		out.Prospects = append(out.Prospects, s.candidates[i].prospect())
	}
	return out
}

func (g *Guide) turnOn(s *survey, c *candidate) (controller.Proposal, bool) {
	if t, ok := g.tried[c.Name]; ok && !g.awake(s, c, &t) {
		return controller.Proposal{}, false
	}
	return g.on(s, c)
}

func (g *Guide) turnOnAgain(s *survey, c *candidate) (controller.Proposal, bool) {
	t, ok := g.tried[c.Name]
	if !ok || c.known && !t.rested(s.At) {
		return controller.Proposal{}, false
	}
	return g.on(s, c)
}

func (g *Guide) on(s *survey, c *candidate) (controller.Proposal, bool) {
	if c.Switch == "" || s.Safe.On(c.Switch) || c.skip != "" || s.Blocked[c.Name] != "" {
		return controller.Proposal{}, false
	}
	change := map[string]float64{c.Switch: 1}
	for name, value := range s.start(c) {
		if k, ok := s.Space.Knob(name); ok && k.Period == 0 {
			change[name] = k.Clamp(value)
		}
	}
	return controller.Proposal{Optimization: c.Name, Move: controller.MoveOn, Change: change, Why: c.reason(), Basis: c.basis(s)}, true
}

// movePaying passes over numbers of the owner's whose last step gained little, while
// there are others of which nothing is known.
func (g *Guide) movePaying(s *survey, c *candidate) (controller.Proposal, bool) {
	paying := func(knob string) bool { return g.ladder(knob, s.Regime).paying(s.At) }
	if !c.guided && !slices.ContainsFunc(c.Knobs, paying) {
		return controller.Proposal{}, false
	}
	return g.moveNumber(s, c)
}

func (g *Guide) moveNumber(s *survey, c *candidate) (controller.Proposal, bool) {
	if c.Switch != "" && !s.Safe.On(c.Switch) || s.Blocked[c.Name] != "" {
		return controller.Proposal{}, false
	}
	for _, name := range c.Knobs {
		k, ok := s.Space.Knob(name)
		if !ok || k.Period > 0 || k.Needs != "" && !s.Safe.On(k.Needs) {
			continue
		}
		now, _ := s.Safe.Get(name)
		for _, to := range g.ladder(name, s.Regime).moves(k, now, s.At) {
			p := controller.Proposal{
				Optimization: c.Name, Move: fmt.Sprintf("%s %v -> %v", name, now, to), Change: map[string]float64{name: to},
				Why:   fmt.Sprintf("%s is on; look for a better %s", c.Name, name),
				Basis: &controller.Basis{Workload: s.kind.Workload},
			}
			if c.Switch == "" {
				p.Why = "look for a better " + name
			}
			if g.order == nil {
				share, figures, ok := catalog.MoveShare(name, now, to, s.measured)
				if ok && share < leastMove {
					continue
				}
				if ok {
					p.Why, p.Basis.Share = p.Why+": "+figures, share
				}
			}
			if s.Blocked[p.BlockKey()] == "" {
				return p, true
			}
		}
	}
	return controller.Proposal{}, false
}

// leastMove is what a number must act on to be moved: what a trial could show.
const leastMove = 0.015

func (g *Guide) turnOff(s *survey, c *candidate) (controller.Proposal, bool) {
	if c.Switch == "" || !s.Safe.On(c.Switch) {
		return controller.Proposal{}, false
	}
	p := controller.Proposal{
		Optimization: c.Name, Move: controller.MoveOff, Change: map[string]float64{c.Switch: 0},
		Why: "is on; does it still pay?",
	}
	t, ok := g.tried[c.Name]
	if ok {
		if !t.rested(s.At) && (t.workload == s.kind.Workload || g.workload != "") {
			return controller.Proposal{}, false
		}
		p.Why = fmt.Sprintf("is on for %v; does it still pay?", s.At.Sub(t.ended).Round(time.Second))
	}
	return p, true
}

// advise is for numbers that no trial moves: the guide's values for the service
// that was measured, one at a time.
func (g *Guide) advise(s *survey, c *candidate) (controller.Proposal, bool) {
	if c.Switch == "" || !s.Safe.On(c.Switch) {
		return controller.Proposal{}, false
	}
	values := s.start(c)
	for _, name := range c.Knobs {
		k, known := s.Space.Knob(name)
		to, ok := values[name]
		if !known || !ok || k.Period == 0 {
			continue
		}
		now, _ := s.Safe.Get(name)
		to = k.Clamp(to)
		p := controller.Proposal{Optimization: c.Name, Why: "the guide's value for what was measured here"}
		if near := toward(k, now, to); near != to {
			p.Why = fmt.Sprintf("toward %v, the guide's value for what was measured here", to)
			to = near
		}
		p.Move, p.Change = fmt.Sprintf("%s %v -> %v", name, now, to), map[string]float64{name: to}
		if to != now && k.CheckMove(now, to) == nil && s.Blocked[p.BlockKey()] == "" {
			return p, true
		}
	}
	return controller.Proposal{}, false
}

// toward is as far to a value as one move may go.
func toward(k controller.Knob, now, to float64) float64 {
	switch {
	case k.MaxMove <= 0:
		return to
	case k.Scale == controller.Log:
		return k.Clamp(min(max(to, now/k.MaxMove), now*k.MaxMove))
	}
	return k.Clamp(min(max(to, now-k.MaxMove), now+k.MaxMove))
}

func (g *Guide) ladder(knob string, regime int) *ladder {
	if l, ok := g.ladders[knob]; ok && l.regime == regime {
		return l
	}
	return &ladder{} // not kept: proposing changes nothing
}

// Learn remembers what a trial says of its candidate, and how the service was then.
// What failed otherwise is the controller's to remember: its cool-down says when it
// may be tried again.
func (g *Guide) Learn(t controller.Trial) {
	if t.Basis != nil {
		g.was = t.Basis.Workload
	}
	if !conclusive(&t) {
		return
	}
	if t.Move == controller.MoveOn || t.Move == controller.MoveOff {
		g.tried[t.Optimization] = tryOf(&t, g.was)
		return
	}
	for name, to := range t.Change {
		from, ok := t.From.Get(name)
		if !ok || len(t.Change) > 1 {
			continue // which of them did it is not known
		}
		if g.ladders[name] == nil {
			g.ladders[name] = &ladder{}
		}
		g.ladders[name].learn(&t, from, to)
	}
}

// conclusive: the trial says something of its candidate.
func conclusive(t *controller.Trial) bool {
	switch t.Reason {
	case controller.Better, controller.Worse, controller.NoEffect, controller.Undecidable, controller.Timeout:
		return t.Outcome != controller.Aborted && t.Outcome != controller.Errored
	}
	return false
}

// try is what is remembered of the last trial of a switch.
type try struct {
	ended    time.Time
	length   time.Duration
	workload string
	share    float64
}

func tryOf(t *controller.Trial, workload string) try {
	out := try{ended: t.Ended, length: t.Ended.Sub(t.Started), workload: workload}
	if t.Basis != nil {
		out.share = t.Basis.Share
	}
	return out
}

// rest is how long what was tried is left alone, in lengths of its trial, while
// nothing speaks for a change: four times the controller's longest cool-down.
const rest = 256

func (t *try) rested(now time.Time) bool { return !now.Before(t.ended.Add(rest * t.length)) }

// What a signal must have grown by, both, for a candidate to be tried again before
// its rest is over: noise must not wake it.
const (
	wakeRatio = 1.5
	wakeStep  = 0.05
)

// awake: the service is another one than when the candidate was tried.
func (g *Guide) awake(s *survey, c *candidate, t *try) bool {
	if g.order != nil || !c.known {
		return false
	}
	return t.workload != s.kind.Workload && g.workload == "" || c.share >= wakeRatio*t.share && c.share >= t.share+wakeStep
}

// start are the values with which the guide would turn an optimization on here.
func (s *survey) start(c *candidate) catalog.Values {
	return catalog.StartIn(c.Optimization, s.kind.Workload, s.kind.System, s.measured)
}

// inOrder sorts by a rank; those without one keep their order, after.
func inOrder(candidates []candidate, order map[string]int) {
	rank := func(c *candidate) int {
		if r, ok := order[c.Name]; ok {
			return r
		}
		return len(order)
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int { return rank(&a) - rank(&b) })
}
