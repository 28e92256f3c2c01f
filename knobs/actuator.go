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

	missing []string // of what a constructor was given: without it Get or Set would panic
}

// Check reports every fault of the actuator at once, or nil.
func (a Actuator) Check() error { return errors.Join(a.Knob.Check(), a.CheckAccess()) }

// CheckAccess is Check without the knob's definition, for whoever checks that with its
// space: whether there is something to read by and to set by.
func (a Actuator) CheckAccess() error {
	var errs []error
	lacks := func(what, rule string) {
		errs = append(errs, fmt.Errorf("knob %s: %s is nil: %s", a.Knob.Name, what, rule))
	}
	for _, what := range a.missing {
		lacks(what, "a knob must be read back, and set")
	}
	if a.Get == nil {
		lacks("get", "an actuator must read back")
	}
	if a.Set == nil {
		lacks("set", "an actuator must set")
	}
	return errors.Join(errs...)
}

// given is the actuator that is refused unless all of that was there.
func (a Actuator) given(there bool, what string) Actuator {
	if !there {
		a.missing = append(a.missing, what)
	}
	return a
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
