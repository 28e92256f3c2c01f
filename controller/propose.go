package controller

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"autotune/internal/stats"
)

// leastPairs that can end in a keep, if each is the best that a pair can be: 7
// for one goal, 9 for three, and more when wealth is low. A move that is not owed
// a trial does not start with fewer, unless that is the owner's cap.
func (c *Controller) leastPairs() int {
	needed := float64(len(c.measured.judged())) / c.state.alpha(c.cfg.Budget.FDR)
	return min(stats.LeastPairs(needed), c.cfg.Budget.MaxPairs)
}

// reserved is how many pairs an untried optimization is owed.
func (c *Controller) reserved() int { return max(c.cfg.Budget.ReservedPairs, c.leastPairs()) }

// propose asks the policy for the next change, and starts its trial, or goes idle.
func (c *Controller) propose() {
	if len(c.measured.judged()) == 0 {
		c.measured.done = false
		c.idle("no goal could be measured: no trials", 10*c.cfg.Timing.Measure)
		return
	}
	if c.cfg.Advise {
		c.advise()
		return
	}
	left := c.pairsLeft(nil)
	if left == 0 {
		c.end(timeOver)
		return
	}
	if c.comeBack() || c.audit() {
		return
	}
	c.adviseRare()
	view := c.view()
	c.heed(&view)
	c.lookOut(view)
	// Each refusal blocks its proposal for the session, so this ends.
	for range 2*len(c.cfg.Offered) + 8 {
		p, ok := c.cfg.Policy.Propose(view)
		if !ok {
			c.tellSkipped(view)
			c.idle(c.quietWhy(view), 2*c.cfg.Timing.Measure)
			return
		}
		to, err := c.candidate(p, view)
		if err != nil {
			c.refuse(p, err)
			view = c.view()
			continue
		}
		most, why := c.mostPairs(p, view)
		if most < 1 || most < c.leastPairs() && !c.owed(p, view) {
			if view.Untried == 0 {
				c.idle("too little time is left for another trial", 2*c.cfg.Timing.Measure)
				return
			}
			// What is left is reserved for those that were never tried: ask again.
			view.Blocked[p.BlockKey()] = "too little time is left, or it is reserved for what was never tried"
			continue
		}
		c.beginTrial(p, to, most, why)
		return
	}
	c.idle("the policy proposes only what the rules forbid", 10*c.cfg.Timing.Measure)
}

// tooRareError refuses a proposal that is no fault of the policy's: what it wants
// may well be right, and no trial can show it.
type tooRareError struct{ why string }

func (e tooRareError) Error() string { return e.why }

// refuse keeps a proposal from being made again in this session, and says so once,
// to a policy that does not listen too. One that acts too rarely is told as advice.
func (c *Controller) refuse(p Proposal, err error) {
	key := p.BlockKey()
	if c.refused[key] != "" {
		return
	}
	if rare := (tooRareError{}); errors.As(err, &rare) {
		c.refused[key] = "advised, never tried: " + rare.why
		c.note("advised, never tried: %s %s (%s): %s", p.Optimization, p.Move, p.Why, rare.why)
		return
	}
	c.refused[key] = "refused: " + err.Error()
	c.note("refused what the policy proposed, %s %s: %v", p.Optimization, p.Move, err)
}

// adviseRare says, once a session, which optimizations act too rarely to be tried.
func (c *Controller) adviseRare() {
	if c.adviceOut {
		return
	}
	c.adviceOut = true
	for _, o := range c.cfg.Offered {
		if why := c.tooRare(o); why != "" && !c.state.Safe.On(o.Switch) {
			c.note("advised, never tried: %s (%s): %s", o.Name, o.Why, why)
		}
	}
}

// heed reserves no time for what the policy sees no reason to try.
func (c *Controller) heed(v *View) {
	clear(c.unwanted)
	e, ok := c.cfg.Policy.(Explainer)
	if !ok {
		return
	}
	for _, s := range e.Skipped(*v) {
		c.unwanted[s.Optimization] = s.Why
	}
	v.Untried = c.untried(v.Blocked)
}

// lookOut keeps what the policy makes of the service, for people.
func (c *Controller) lookOut(v View) {
	if s, ok := c.cfg.Policy.(Surveyor); ok {
		o := s.Outlook(v)
		o.At = c.now
		c.outlook = &o
	}
}

// tellSkipped says, once a session, what the policy sees no reason to try.
func (c *Controller) tellSkipped(v View) {
	e, ok := c.cfg.Policy.(Explainer)
	if !ok {
		return
	}
	for _, s := range e.Skipped(v) {
		if !c.skipped[s.Optimization] {
			c.skipped[s.Optimization] = true
			c.note("not tried: %s: %s", s.Optimization, s.Why)
		}
	}
}

// tooRare says why no block can judge an optimization's switch, or "".
func (c *Controller) tooRare(o Optimization) string {
	k, ok := c.cfg.Space.Knob(o.Switch)
	if !ok {
		return ""
	}
	return c.rarely(k, map[string]float64{k.Name: 1})
}

func (c *Controller) quietWhy(v View) string {
	if len(v.Blocked) > 0 {
		return fmt.Sprintf("nothing worth trying now; candidates blocked: %d", len(v.Blocked))
	}
	return "nothing worth trying"
}

// view is what the policy may look at.
func (c *Controller) view() View {
	blocked := c.blocked()
	return View{
		At: c.now, Space: c.cfg.Space, Initial: c.state.Initial, Safe: c.state.Safe, Offered: c.cfg.Offered,
		Blocked: blocked, Baseline: c.recent[0].sample(), Planning: c.planning(), Trials: slices.Clip(c.state.Trials),
		Regime: c.state.Regime.Number, Joint: c.cfg.Joint,
		Untried: c.untried(blocked), PairsLeft: c.pairsLeft(nil), Seed: c.cfg.Seed,
	}
}

// candidate checks a proposal against every rule and returns its setting: one
// optimization at a time, within bounds, owner's limits and MaxMove, nothing
// pinned or blocked, nothing that acts more rarely than a block lasts.
func (c *Controller) candidate(p Proposal, v View) (Setting, error) {
	o, ok := c.offered(p.Optimization)
	if !ok {
		return Setting{}, fmt.Errorf("optimization %q: not offered", p.Optimization)
	}
	if why := c.tooRare(o); why != "" {
		return Setting{}, tooRareError{why}
	}
	for _, key := range []string{o.Name, p.BlockKey()} {
		if why := v.Blocked[key]; why != "" && (key != o.Name || p.Move == MoveOn || c.unfit(o) != "") {
			return Setting{}, fmt.Errorf("%s: %s", key, why)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Change)) { // the first fault must not depend on map order
		to := p.Change[name]
		if !o.has(name) {
			if err := c.joins(name, o, p); err != nil {
				return Setting{}, err
			}
		}
		if c.pinned(name) {
			return Setting{}, fmt.Errorf("knob %s: pinned by the operator", name)
		}
		if why := c.pinnedBy(name); why != "" {
			return Setting{}, fmt.Errorf("knob %s: %s", name, why)
		}
		knob, _ := c.cfg.Space.Knob(name)
		if was, _ := v.Safe.Get(name); was != to {
			if why := c.rarely(knob, p.Change); why != "" {
				return Setting{}, tooRareError{why}
			}
		}
	}
	to := v.Safe.With(p.Change)
	if to.Equal(v.Safe) {
		return Setting{}, fmt.Errorf("change %v: nothing changes", p.Change)
	}
	if !c.movesBoth(o, p, v.Safe.Diff(to)) {
		return Setting{}, fmt.Errorf("change %v: leaves one of the optimizations that it names as it was", p.Change)
	}
	// What is remembered of a candidate goes by its move, so it must be named right.
	if joint := c.foreign(o, p.Change) != ""; joint && (p.Move == MoveOn || p.Move == MoveOff) {
		return Setting{}, fmt.Errorf("move %q: must name both of what it changes", p.Move)
	} else if turnsOn := turnsOn(o, v.Safe, to); !joint && (p.Move == MoveOn) != turnsOn {
		return Setting{}, fmt.Errorf("move %q: must be %q exactly when it turns the switch %q on", p.Move, MoveOn, o.Switch)
	}
	if err := c.cfg.Space.CheckMove(v.Safe, to); err != nil {
		// A start value may be further away than one numeric move: nobody is
		// used to the old one while the switch was off.
		if c.unusable(p.Change) || c.cfg.Space.CheckMove(v.Safe, v.Safe.With(c.settled(p.Change, v.Safe, to))) != nil {
			return Setting{}, err
		}
	}
	return to, nil
}

// offered returns the optimization of a name, and whether there is one.
func (c *Controller) offered(name string) (Optimization, bool) {
	for _, o := range c.cfg.Offered {
		if o.Name == name {
			return o, true
		}
	}
	return Optimization{}, false
}

// unusable reports whether a knob may not have its new value, however it gets there.
func (c *Controller) unusable(change map[string]float64) bool {
	for name, v := range change {
		knob, _ := c.cfg.Space.Knob(name)
		if !knob.mayBe(v) {
			return true
		}
	}
	return false
}

// owed says whether a proposal is the first trial of its optimization, for
// which time is reserved.
func (c *Controller) owed(p Proposal, v View) bool {
	return v.Blocked[p.Optimization] == "" && c.state.Memory[p.Optimization].Tried == 0
}

// mostPairs is the cap of a trial, and where it comes from.
func (c *Controller) mostPairs(p Proposal, v View) (int, string) {
	most := c.cfg.Budget.MaxPairs
	if c.cfg.Budget.Until.IsZero() {
		return most, ""
	}
	others, owed := c.owedTime(p.Optimization, v.Blocked)
	pair := c.layoutOf(p.Change).pair()
	left := c.cfg.Budget.Until.Sub(c.now)
	share := int((left - owed) / pair)
	if c.owed(p, v) {
		// Where time is too short for what everybody is owed, as many pairs for
		// each, but no fewer than can decide: the last ones make do with the rest.
		own := time.Duration(c.reserved()) * pair
		if own+owed > left {
			share = int(float64(left) * float64(own) / float64(own+owed) / float64(pair))
		}
		share = max(share, min(int(left/pair), c.leastPairs()))
	}
	return min(most, share), fmt.Sprintf("min(%d, (%v left - %d x %d pairs for optimizations untried) / %v a pair)",
		most, left.Round(time.Second), c.reserved(), others, pair)
}

// owedTime is the time that all untried optimizations but one are owed, and their number.
func (c *Controller) owedTime(but string, blocked map[string]string) (others int, owed time.Duration) {
	for _, o := range c.cfg.Offered {
		if o.Name != but && c.isUntried(o, blocked) {
			others++
			// A tick to restore before it, and its pairs.
			owed += c.cfg.Timing.Tick + time.Duration(c.reserved())*c.firstPair(o)
		}
	}
	return others, owed
}

// firstPair is how long a pair of an optimization's first trial takes, with the
// washout that its own knobs need.
func (c *Controller) firstPair(o Optimization) time.Duration {
	moves := maps.Clone(o.Start)
	if moves == nil {
		moves = map[string]float64{}
	}
	moves[o.Switch] = 1
	if o.Switch == "" {
		for _, name := range o.Knobs {
			moves[name] = 1
		}
	}
	return c.layoutOf(moves).pair()
}
