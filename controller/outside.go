package controller

import (
	"fmt"
	"maps"
	"slices"
)

// changedOutside looks for a difference between what read back after the last
// apply and what reads back now: somebody else changed a knob. The trial ends,
// and what they changed becomes part of the safe setting: an outside change is
// adopted, not fought.
func (c *Controller) changedOutside(in *Input) bool {
	if in.ReadErr != "" || in.Current.IsZero() || c.inForce.IsZero() || in.Current.Equal(c.inForce) {
		return false
	}
	changed := c.inForce.Diff(in.Current)
	c.want, c.inForce = in.Current, in.Current
	c.adopt(changed)
	return true
}

// adopt makes the changed knobs part of the safe setting.
func (c *Controller) adopt(changed map[string]float64) {
	why := "changed from outside:"
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		why += fmt.Sprintf(" %s=%v", name, changed[name])
	}
	c.note("%s: adopted", why)
	c.endTrial(Inconclusive, ExternalChange, why)
	c.state.Safe = c.state.Safe.With(changed)
	// What the operator set is what a restart should find as the operator's own.
	c.state.Initial = c.state.Initial.With(changed)
	c.respect(changed)
	c.repin(changed)
	c.disown(changed)
	c.tellStuck(SettingOf(changed))
	c.recordState()
	c.measured.done = false
	c.control = ""
	c.beginRestore(why)
}
