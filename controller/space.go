package controller

import (
	"errors"
	"fmt"
	"time"
)

// Space is what a target lets be changed, and how it behaves in time.
type Space struct {
	// Knobs, each with a name of its own.
	Knobs []Knob `json:"knobs"`
	// Tick is the target's natural observation step; 0 leaves it to the controller.
	Tick time.Duration `json:"tick,omitempty"`
	// Settle is the target's own settling time after any change; 0 for a
	// measured table, where a block is one draw.
	Settle time.Duration `json:"settle,omitempty"`
}

// Knob returns the named knob, and whether there is one.
func (s Space) Knob(name string) (Knob, bool) {
	for _, k := range s.Knobs {
		if k.Name == name {
			return k, true
		}
	}
	return Knob{}, false
}

// Check reports every fault of the space's definition at once, or nil.
func (s Space) Check() error {
	var errs []error
	if s.Settle < 0 {
		errs = append(errs, fmt.Errorf("space: settle %v: must not be negative", s.Settle))
	}
	seen := map[string]bool{}
	for _, k := range s.Knobs {
		errs = append(errs, k.Check())
		if seen[k.Name] {
			errs = append(errs, fmt.Errorf("knob %s: defined twice: names must be unique", k.Name))
		}
		seen[k.Name] = true
	}
	for _, k := range s.Knobs {
		if n, ok := s.Knob(k.Needs); k.Needs != "" && (!ok || n.Kind != Switch) {
			errs = append(errs, fmt.Errorf("knob %s: needs %q: must name a switch of the same space", k.Name, k.Needs))
		}
		if n, ok := s.Knob(k.PeriodOf); k.PeriodOf != "" && (!ok || n.Kind != Duration) {
			errs = append(errs, fmt.Errorf("knob %s: period_of %q: must name a duration of the same space", k.Name, k.PeriodOf))
		}
	}
	return errors.Join(errs...)
}

// CheckSetting reports every fault of a setting at once, or nil: a knob
// missing or unknown, or a value that its knob does not take.
func (s Space) CheckSetting(v Setting) error {
	var errs []error
	for _, k := range s.Knobs {
		x, ok := v.Get(k.Name)
		if !ok {
			errs = append(errs, fmt.Errorf("%s: missing: a setting has a value for each knob", k.Name))
			continue
		}
		errs = append(errs, k.CheckValue(x))
	}
	for name, x := range v.All() {
		if _, ok := s.Knob(name); !ok {
			errs = append(errs, fmt.Errorf("%s %v: unknown knob", name, x))
		}
	}
	return errors.Join(errs...)
}

// CheckMove reports every reason why a trial may not go from one setting to
// the other, or nil. A knob that stays as it is may have any value, also one
// outside its bounds: it is the operator's.
func (s Space) CheckMove(from, to Setting) error {
	var errs []error
	for _, k := range s.Knobs {
		a, okA := from.Get(k.Name)
		b, okB := to.Get(k.Name)
		if !okA || !okB {
			errs = append(errs, fmt.Errorf("%s: missing: a setting has a value for each knob", k.Name))
			continue
		}
		errs = append(errs, k.CheckMove(a, b))
	}
	for name, x := range to.All() {
		if _, ok := s.Knob(name); !ok {
			errs = append(errs, fmt.Errorf("%s %v: unknown knob", name, x))
		}
	}
	return errors.Join(errs...)
}
