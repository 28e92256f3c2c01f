package knobs

import (
	"errors"
	"fmt"
	"os"

	"autotune/controller"
)

// Actuator sets one knob and reads it back. Get and Set are called from one
// goroutine at a time and should return within milliseconds.
type Actuator struct {
	Knob controller.Knob
	// Get returns the value in force.
	Get func() (float64, error)
	// Set puts a value in force, at once and without a restart. It must be
	// idempotent: the same value may be set again.
	Set func(float64) error
	// Undo goes back to what was before the first Set, where setting the first
	// value again is not quite that: a runtime that followed its container would
	// no longer do so. Nil: the first value is all there is to it.
	Undo func() error
	// Pinned says why no trial may move the knob: "GOGC=200 is set in the
	// environment". Empty: one may.
	Pinned string
}

// Check reports every fault of the actuator at once, or nil.
func (a Actuator) Check() error {
	errs := []error{a.Knob.Check()}
	if a.Get == nil {
		errs = append(errs, fmt.Errorf("knob %s: get: missing: an actuator must read back", a.Knob.Name))
	}
	if a.Set == nil {
		errs = append(errs, fmt.Errorf("knob %s: set: missing: an actuator must set", a.Knob.Name))
	}
	return errors.Join(errs...)
}

// Log is the actuator with ratios for steps, as sizes and counts want it: no trial
// moves it by more than a factor of maxMove, above 1.
func (a Actuator) Log(maxMove float64) Actuator {
	a.Knob.Scale, a.Knob.MaxMove = controller.Log, maxMove
	return a
}

// With is the actuator with a knob that change has completed: how long it takes
// to settle, what it needs, an owner's floor or ceiling.
func (a Actuator) With(change func(*controller.Knob)) Actuator {
	change(&a.Knob)
	return a
}

// Optimization offers the number by itself, to be tried twice and half as large,
// and finer. A switch is tried on and off.
func (a Actuator) Optimization() controller.Optimization {
	o := controller.Optimization{
		Name: a.Knob.Name, Why: "The service's own knob: another value of it may serve better.", Equivalence: controller.Exact,
	}
	if a.Knob.Kind == controller.Switch {
		o.Switch = a.Knob.Name
	} else {
		o.Knobs = []string{a.Knob.Name}
	}
	return o
}

// operator pins a knob that an environment variable sets.
func (a Actuator) operator(variable string) Actuator {
	if v := os.Getenv(variable); v != "" {
		a.Pinned = fmt.Sprintf("%s=%s is set in the environment", variable, v)
	}
	return a
}
