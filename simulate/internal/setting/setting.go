// Package setting checks what simulated services are asked to apply.
package setting

import (
	"fmt"

	"autotune/controller"
)

// Fits returns an error unless a setting has the knobs of the initial one, and no
// others. Any values are taken, as an operator may set what no trial would.
func Fits(to, initial controller.Setting) error {
	if to.Len() != initial.Len() {
		return fmt.Errorf("apply %s: must have a value for each of %d knobs", to, initial.Len())
	}
	for name := range to.All() {
		if _, ok := initial.Get(name); !ok {
			return fmt.Errorf("apply %s: %s is an unknown knob", to, name)
		}
	}
	return nil
}
