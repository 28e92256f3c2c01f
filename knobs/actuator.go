package knobs

import (
	"errors"
	"fmt"

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
