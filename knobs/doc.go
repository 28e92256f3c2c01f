// Package knobs has actuators: what sets a knob of a running Go service and
// reads it back.
//
// An actuator is honest by reading back: what Get returns is what is in force,
// not what was last asked for. The autopilot believes Get, so a Set that does
// nothing is found out, and a runtime that rounds is not taken for a stranger
// who changed the knob.
package knobs
