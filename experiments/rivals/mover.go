package rivals

import (
	"fmt"
	"time"

	"autotune/controller"
)

// Law is how a rival moves its number. It has no clock and no target: the same
// windows give the same moves. It is not safe for concurrent use.
type Law interface {
	// Begin is told the number in force at the start.
	Begin(now float64) Move
	// Next is told what happened since the move before.
	Next(w *Window) Move
}

// Move is what a law wants next.
type Move struct {
	// Value of the number; the Mover rounds it and keeps it within the knob's bounds.
	Value float64
	// Watch is how long the next window is.
	Watch time.Duration
	// Fresh: only requests that start from now on count.
	Fresh bool
}

// Window is what happened under a move. The sample is valid during the call.
type Window struct {
	*controller.Sample
	// Value in force, as it reads back: a runtime may round, and an operator may
	// have changed it.
	Value float64
}

// value of a metric, 0 where it was not measured.
func (w *Window) value(m controller.Metric) float64 {
	v, _ := w.Sample.Value(m)
	return v
}

// Bounds of a law's number, both included.
type Bounds struct{ Min, Max float64 }

// within narrows the bounds to an origin's own, as far as they overlap.
func (b Bounds) within(least, most float64) Bounds {
	return Bounds{b.clamp(least), b.clamp(most)}
}

func (b Bounds) clamp(v float64) float64 { return min(max(v, b.Min), b.Max) }

// look is how long the first reading of what is in force takes.
const look = 10 * time.Millisecond

// Mover is a Stepper that does what a law says, to one knob of a target, and
// leaves the others as they are. A window that could not be observed, or a value
// that could not be applied, is passed over: the law is asked again with the
// next one. Asked to stop it ends, and leaves in force what is.
type Mover struct {
	knob  controller.Knob
	law   Law
	until time.Time

	begun bool
	cmd   controller.Command
}

var _ controller.Stepper = (*Mover)(nil)

// NewMover returns a stepper that moves the named knob of a space by a law,
// until the target's clock says so. An unknown knob is an error.
func NewMover(space controller.Space, knob string, law Law, until time.Time) (*Mover, error) {
	k, ok := space.Knob(knob)
	if !ok {
		return nil, fmt.Errorf("knob %q: must name a knob of the space", knob)
	}
	return &Mover{knob: k, law: law, until: until}, nil
}

// Start looks what is in force.
func (m *Mover) Start() controller.Command {
	m.cmd = controller.Command{Epoch: 1, Wait: look}
	return m.cmd
}

// Step hands the window to the law, and carries out what it says.
func (m *Mover) Step(in controller.Input) controller.Command {
	m.cmd.Apply = false
	value, known := in.Current.Get(m.knob.Name)
	switch {
	case in.Ask == controller.Stop || in.Ask == controller.StopToInitial || !in.At.Before(m.until):
		m.cmd.Done = true
	case !known || in.ObserveErr != "" || in.ApplyErr != "": // once more
	case !m.begun:
		m.begun = true
		m.do(in.Current, value, m.law.Begin(value))
	default:
		m.do(in.Current, value, m.law.Next(&Window{Sample: &in.Sample, Value: value}))
	}
	return m.cmd
}

// do puts the law's move into the command.
func (m *Mover) do(now controller.Setting, value float64, to Move) {
	m.cmd.Wait = max(to.Watch, time.Millisecond) // time must pass
	if to.Fresh {
		m.cmd.Epoch++
	}
	if v := m.knob.Clamp(to.Value); v != value {
		m.cmd.Setting, m.cmd.Apply = now.With(map[string]float64{m.knob.Name: v}), true
	}
}
