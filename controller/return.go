package controller

import (
	"cmp"
	"fmt"
	"slices"
)

// Load has days and nights, and releases are rolled back, or mended by the next one: a
// regime may be as one that was there before. Which one it is cannot be told from its
// level, since another setting is in force. But what was kept in the last few is known,
// and a trial asks for all of it at once: when a regime begins, before anything else is
// tried, at most two of those settings are, first those of the same build, and of them
// the one to which the same setting led before. A trial of one is judged, kept, audited
// and remembered as any other. That it changes several optimizations needs no word of
// the owner: each step to it was kept on evidence of its own. What led nowhere twice in
// a row is forgotten, so that what comes and goes without turning anything costs
// nothing in the end.
//
// Nothing goes back that the operator moved since, or pinned; nor what is out of
// limits, in quarantine or not to be judged by a trial.

const (
	mostPast    = 4 // settings remembered
	mostReturns = 2 // tried in a regime
	mostMisses  = 2 // in a row
)

// remind keeps in mind what was kept in a regime, once for each setting.
func (c *Controller) remind(ended Regime) {
	c.state.Past = slices.DeleteFunc(c.state.Past, func(p Regime) bool {
		if !p.Kept.Equal(ended.Kept) {
			return false
		}
		ended.Returned, ended.Misses = p.Returned, p.Misses
		return true
	})
	c.state.Past = append(c.state.Past, ended)
	c.state.Past = c.state.Past[max(0, len(c.state.Past)-mostPast):]
}

// comeBack begins a trial of what was kept in an earlier regime, if there is
// something left to try in this one.
func (c *Controller) comeBack() bool {
	now := c.state.Regime
	if !c.state.Safe.Equal(now.From) {
		return false // something was kept in this one
	}
	tried := 0
	var left []*Regime
	for i := range c.state.Past {
		switch p := &c.state.Past[i]; {
		case p.Returned >= now.First && p.Returned > 0:
			tried++
		case !p.Kept.Equal(c.state.Safe):
			left = append(left, p)
		}
	}
	if tried >= mostReturns || len(left) == 0 {
		return false
	}
	led := func(p *Regime) int { // 0 comes first
		switch {
		case p.Build != now.Build:
			return 2
		case p.From.Equal(now.From):
			return 0
		}
		return 1
	}
	slices.SortStableFunc(left, func(a, b *Regime) int {
		return cmp.Or(cmp.Compare(led(a), led(b)), cmp.Compare(b.Number, a.Number))
	})
	view := c.view()
	for _, p := range left {
		proposal, ok := c.returning(p)
		if !ok {
			continue
		}
		most, why := c.mostPairs(proposal, view)
		if most < c.leastPairs() {
			return false
		}
		p.Returned = c.state.NextTrial
		c.beginTrial(proposal, c.state.Safe.With(proposal.Change), most, why)
		return true
	}
	return false
}

// returning is the proposal to go back to what was kept in a regime, as far as that
// may be, and whether there is anything to go back to.
func (c *Controller) returning(p *Regime) (Proposal, bool) {
	change := map[string]float64{}
	for i := range c.cfg.Offered {
		o := &c.cfg.Offered[i]
		own := c.ownReturn(o, p.Kept)
		if len(own) == 0 || c.unfit(*o) != "" || c.quarantined(o, own) {
			continue
		}
		for name, v := range own {
			change[name] = v
		}
	}
	if len(change) == 0 {
		return Proposal{}, false
	}
	main := c.foreign(Optimization{}, change)
	o, _ := c.offered(main)
	out := Proposal{
		Optimization: main, Move: fmt.Sprintf("back to what was kept in regime %d", p.Number), Change: change,
		Why: fmt.Sprintf("the regime is another one, and may be as regime %d was", p.Number),
	}
	if to, ok := change[o.Switch]; ok && c.foreign(o, change) == "" {
		// What is remembered of a switch goes by these.
		out.Move = map[bool]string{true: MoveOn, false: MoveOff}[to != 0]
	}
	declined := map[string]string{}
	c.blockDeclined(declined)
	key := out.BlockKey()
	return out, declined[key] == "" && c.refused[key] == "" && c.state.Memory[key].Quarantined == ""
}

// ownReturn has the knobs of an optimization that differ from what was kept, with the
// values from then, as far as they may be tried.
func (c *Controller) ownReturn(o *Optimization, kept Setting) map[string]float64 {
	own := map[string]float64{}
	for _, name := range o.all() {
		k, known := c.cfg.Space.Knob(name)
		now, inForce := c.state.Safe.Get(name)
		v, was := kept.Get(name)
		switch {
		case !known || !inForce || !was || v == now:
		case !k.mayBe(v):
		case k.Needs != "" && !kept.On(k.Needs): // it does nothing there
		case c.pinned(name) || c.pinnedBy(name) != "":
		case c.rarely(k, map[string]float64{name: v}) != "":
		default:
			own[name] = v
		}
	}
	return own
}

// quarantined reports whether the optimization, or what it would change, is.
func (c *Controller) quarantined(o *Optimization, own map[string]float64) bool {
	if c.state.Memory[o.Name].Quarantined != "" {
		return true
	}
	t := Trial{Optimization: o.Name, Change: own, From: c.state.Safe}
	t.Move = c.moveOf(*o, &t)
	return c.state.Memory[memoryKey(&t)].Quarantined != ""
}

// cameBack takes down what came of it.
func (c *Controller) cameBack(t *Trial) {
	i := slices.IndexFunc(c.state.Past, func(p Regime) bool { return p.Returned == t.ID })
	switch {
	case i < 0:
		return
	case t.Interrupted():
		c.state.Past[i].Returned = 0 // it says nothing
		return
	case t.Outcome == Kept:
		c.state.Past[i].Misses = 0
		return
	}
	if c.state.Past[i].Misses++; c.state.Past[i].Misses >= mostMisses {
		c.state.Past = slices.Delete(c.state.Past, i, i+1)
	}
}

// heedInPast makes values that somebody set part of everything that is remembered:
// to go back to what was before them would be to fight them.
func (c *Controller) heedInPast(set map[string]float64) {
	for i := range c.state.Past {
		c.state.Past[i].Kept = c.state.Past[i].Kept.With(set)
	}
}
