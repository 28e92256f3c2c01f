package controller

import (
	"fmt"
	"maps"
	"slices"
)

// CannotBeTried begins the note on a knob that no trial may move, since its value is none
// of its own: what Stuck says of it follows.
const CannotBeTried = "cannot be tried: "

// Stuck says why no trial may move the knob from a value that it has, or "": the value
// lies outside the knob's own bounds, as "no limit" of a pool does, and there is no step
// from there that anybody has bounded. Somebody has to set another one first.
func (k Knob) Stuck(v float64) string {
	low, high := k.Min, k.Max
	if k.Kind == Switch {
		low, high = 0, 1
	}
	switch {
	case k.CheckValue(v) == nil:
		return ""
	case v < low || v > high:
		return fmt.Sprintf("reads %v, outside %v..%v: set a value within them to have it tried", v, low, high)
	case len(k.Levels) > 0:
		return fmt.Sprintf("reads %v, none of %v: set one of them to have it tried", v, k.Levels)
	}
	return fmt.Sprintf("reads %v, no whole number: set one to have it tried", v)
}

// Stuck says which knobs of what is offered no trial may move from a setting, and why,
// by name. Those that the configuration pins are nobody's business.
func (s *Session) Stuck(at Setting) map[string]string { return stuck(s.Space, s.Offered, s.Pinned, at) }

func stuck(space Space, offered []Optimization, pinned []string, at Setting) map[string]string {
	out := map[string]string{}
	for i := range offered {
		o := &offered[i]
		if slices.Contains(pinned, o.Name) {
			continue
		}
		for _, name := range o.all() {
			k, ok := space.Knob(name)
			v, read := at.Get(name)
			if !ok || !read || slices.Contains(pinned, name) {
				continue
			}
			if why := k.Stuck(v); why != "" {
				out[name] = why
			}
		}
	}
	return out
}

// stuck knobs of the safe setting, without what somebody holds by a pin. They are told,
// in the status and by a note, and left out of what the policy sees as blocked: it is
// refused such a move in any case.
func (c *Controller) stuck() map[string]string {
	out := stuck(c.cfg.Space, c.cfg.Offered, c.cfg.Pinned, c.state.Safe)
	maps.DeleteFunc(out, func(name, _ string) bool { return c.pinnedBy(name) != "" })
	return out
}

// tellStuck notes the stuck ones of these knobs.
func (c *Controller) tellStuck(of Setting) {
	why := c.stuck()
	for name := range of.All() {
		if why[name] != "" {
			c.note(CannotBeTried+"%s %s", name, why[name])
		}
	}
}
