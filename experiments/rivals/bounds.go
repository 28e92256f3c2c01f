package rivals

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"time"

	"autotune/controller"
)

// Static is the bound below: it puts a setting in force and leaves it. With a
// zero setting it does nothing at all.
type Static struct {
	to    controller.Setting
	until time.Time
	cmd   controller.Command
}

var _ controller.Stepper = (*Static)(nil)

// NewStatic returns a stepper that leaves a setting in force until the target's
// clock says so.
func NewStatic(to controller.Setting, until time.Time) *Static {
	return &Static{to: to, until: until}
}

// Start puts the setting in force.
func (s *Static) Start() controller.Command {
	s.cmd = controller.Command{Epoch: 1, Setting: s.to, Apply: !s.to.IsZero(), Wait: time.Second}
	return s.cmd
}

// Step waits.
func (s *Static) Step(in controller.Input) controller.Command {
	s.cmd.Apply = false
	s.cmd.Done = in.Ask != 0 || !in.At.Before(s.until)
	return s.cmd
}

// Random draws some knobs anew in each window, each within its bounds: evenly on
// the knob's scale, or one of its levels. The others stay as they are.
// Whoever loses to it learns nothing from what he measures.
type Random struct {
	knobs []controller.Knob
	every time.Duration
	until time.Time
	rng   *rand.Rand
	cmd   controller.Command
}

var _ controller.Stepper = (*Random)(nil)

// NewRandom returns a stepper that changes these knobs in every window, until the
// target's clock says so.
func NewRandom(knobs []controller.Knob, every time.Duration, until time.Time, seed uint64) *Random {
	return &Random{knobs: knobs, every: every, until: until, rng: rand.New(rand.NewPCG(seed, 43))}
}

// Start looks what there is.
func (r *Random) Start() controller.Command {
	r.cmd = controller.Command{Epoch: 1, Wait: look}
	return r.cmd
}

// Step draws the next setting.
func (r *Random) Step(in controller.Input) controller.Command {
	r.cmd.Apply = false
	if in.Ask == controller.Stop || in.Ask == controller.StopToInitial || !in.At.Before(r.until) {
		r.cmd.Done = true
		return r.cmd
	}
	if in.Current.IsZero() { // not read back: once more
		return r.cmd
	}
	values := map[string]float64{}
	for _, k := range r.knobs {
		values[k.Name] = draw(k, r.rng)
	}
	r.cmd.Epoch++
	r.cmd.Setting, r.cmd.Apply, r.cmd.Wait = in.Current.With(values), true, r.every
	return r.cmd
}

// draw a value of the knob.
func draw(k controller.Knob, rng *rand.Rand) float64 {
	low, high := k.Bounds()
	u := rng.Float64()
	switch {
	case k.Kind == controller.Switch:
		return math.Floor(2 * u)
	case len(k.Levels) > 0:
		return k.Clamp(k.Levels[rng.IntN(len(k.Levels))])
	case k.Scale == controller.Log:
		return k.Clamp(low * math.Pow(high/low, u))
	}
	return k.Clamp(low + u*(high-low))
}

// Best is the bound above, the oracle: of all settings the one that costs least,
// by trying each in the same world. It returns its index and its cost. No
// controller that must find it can be as good in a world that stands still; one
// that follows a world that moves can be better.
func Best(ctx context.Context, settings []controller.Setting, cost func(context.Context, controller.Setting) (float64, error)) (int, float64, error) {
	at, least := -1, math.Inf(1)
	for i, s := range settings {
		c, err := cost(ctx, s)
		if err != nil {
			return -1, 0, err
		}
		if c < least {
			at, least = i, c
		}
	}
	if at < 0 {
		return -1, 0, errors.New("best of no settings: there must be one with a finite cost")
	}
	return at, least, nil
}
