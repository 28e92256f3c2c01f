package controller

import (
	"fmt"
	"maps"
	"slices"
)

// A joint change moves knobs of two optimizations in one trial. It is judged as
// any other, and by how much it should be trusted is the same; but what a verdict
// says of two says nothing of either. So the owner has to allow it (Config.Joint).
// Each of the two must be one that may be tried by itself: granted, not pinned,
// measurable, not in quarantine. It is remembered under all its values.

// turnsOn reports whether a change turns the optimization on.
func turnsOn(o Optimization, from, to Setting) bool {
	return o.Switch != "" && to.On(o.Switch) && !from.On(o.Switch)
}

// settled is a change without the knobs of what it turns on.
func (c *Controller) settled(change map[string]float64, from, to Setting) map[string]float64 {
	out := maps.Clone(change)
	for _, o := range c.cfg.Offered {
		if turnsOn(o, from, to) {
			maps.DeleteFunc(out, func(knob string, _ float64) bool { return o.has(knob) })
		}
	}
	return out
}

// all are the optimization's knobs, its switch first.
func (o *Optimization) all() []string { return append([]string{o.Switch}, o.Knobs...) }

// has reports whether a knob is one of the optimization's.
func (o *Optimization) has(knob string) bool {
	return knob == o.Switch || slices.Contains(o.Knobs, knob)
}

// joins says why a knob of another optimization may not be changed together with o, or nil.
func (c *Controller) joins(knob string, o Optimization, p Proposal) error {
	if !c.cfg.Joint {
		return fmt.Errorf("knob %s: not of optimization %s: one optimization a trial", knob, o.Name)
	}
	other := c.foreign(o, p.Change)
	f, ok := c.offered(other)
	if !ok {
		return fmt.Errorf("knob %s: of no optimization that is offered", knob)
	}
	switch why := c.unfit(f); {
	case !f.has(knob):
		return fmt.Errorf("knob %s: neither of optimization %s nor of %s: two optimizations a trial at most", knob, o.Name, f.Name)
	case why != "":
		return fmt.Errorf("%s: %s", f.Name, why)
	case c.state.Memory[f.Name].Quarantined != "":
		return fmt.Errorf("%s: quarantined: %s", f.Name, c.state.Memory[f.Name].Quarantined)
	case f.Switch != "" && p.Change[f.Switch] == 0 && c.state.Memory[f.Switch+"=0"].Quarantined != "":
		return fmt.Errorf("%s off: quarantined: %s", f.Name, c.state.Memory[f.Switch+"=0"].Quarantined)
	}
	return nil
}

// movesBoth reports whether what moves in fact has a knob of o, and of the other
// that is named with it, if there is one: a verdict is filed under both.
func (c *Controller) movesBoth(o Optimization, p Proposal, moved map[string]float64) bool {
	own, others := false, c.foreign(o, p.Change) == ""
	for knob := range moved {
		own = own || o.has(knob)
		others = others || !o.has(knob)
	}
	return own && others
}

// foreign is the optimization, besides o, that has most knobs of a change, the
// first offered; "" if o has all of them or no other has any.
func (c *Controller) foreign(o Optimization, change map[string]float64) string {
	name, most := "", 0
	for i := range c.cfg.Offered {
		f := &c.cfg.Offered[i]
		if f.Name == o.Name {
			continue
		}
		n := 0
		for knob := range change {
			if !o.has(knob) && f.has(knob) {
				n++
			}
		}
		if n > most {
			name, most = f.Name, n
		}
	}
	return name
}
