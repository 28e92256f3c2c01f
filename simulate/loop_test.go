package simulate

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/controller"
)

// The shipped controller in the shipped loop, on what the decorators make of a
// service: each ends a trial in the way that it should.

// once proposes to turn x on, until that was tried.
type once struct{ tried bool }

func (o *once) Propose(v controller.View) (controller.Proposal, bool) {
	if o.tried || v.Blocked["x"] != "" || v.Safe.On("x") {
		return controller.Proposal{}, false
	}
	return controller.Proposal{Optimization: "x", Move: controller.MoveOn, Change: map[string]float64{"x": 1}, Why: "to see"}, true
}

func (o *once) Learn(controller.Trial) { o.tried = true }

// session runs a controller on a target until the age given, from a state if
// there is one, and returns its journal.
func session(t testing.TB, target controller.Target, until time.Duration, state *controller.State) (*controller.Controller, *controller.Trace) {
	core := newCore(t, target, until, state)
	var trace controller.Trace
	require.NoError(t, controller.Run(ctx, target, core, controller.Loop{Record: &trace}))
	return core, &trace
}

func newCore(t testing.TB, target controller.Target, until time.Duration, state *controller.State) *controller.Controller {
	_, offered, _ := Switches("x")
	core, err := controller.New(controller.Config{
		Space: target.Space(), Offered: offered, Policy: &once{}, Seed: 1, State: state,
		Timing: controller.Timing{Washout: time.Second, Measure: 5 * time.Second},
		Guards: []controller.Guard{{Metric: controller.OldestInFlight, Limit: 2}},
		Budget: controller.Budget{Until: Epoch().Add(until)},
	})
	require.NoError(t, err)
	return core
}

// better is a service that x makes a quarter faster.
func better(t testing.TB, blocks bool) *Service {
	return newService(t, ServiceConfig{
		Rate: 100, Tail: Lognormal(0.6), CPUNoise: 0.6, Blocks: blocks, Level: AR1(seeded(1), 30*time.Second, 0.1),
		Effect: whenOn(Effect{Latency: -0.25}),
	})
}

func TestLoop_verdicts(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name   string
		target func() controller.Target
		want   controller.Reason
	}{
		{"requests", func() controller.Target { return better(t, false) }, controller.Better},
		{"blocks", func() controller.Target { return better(t, true) }, controller.Better},
		{"worse", func() controller.Target {
			return newService(t, ServiceConfig{Rate: 100, Tail: Lognormal(0.6), Effect: whenOn(Effect{Latency: 0.4})})
		}, controller.Worse},
		{"drifting and noisy", func() controller.Target {
			return Noisy(Drifting(better(t, true), Ramp(2)), seeded(2), 0.02)
		}, controller.Better},
		{"a lag that the washout covers", func() controller.Target { return Lagged(better(t, false), 700*time.Millisecond) }, controller.Better},
		{"clock jumps", func() controller.Target {
			return Skewed(better(t, false), func(age time.Duration) time.Duration {
				return time.Duration(math.Trunc(age.Minutes()/2)) * -time.Second
			})
		}, controller.Better},
		{"late ticks", func() controller.Target {
			return Delayed(better(t, false), func(age time.Duration) time.Duration { return age % (300 * time.Millisecond) })
		}, controller.Better},
		{"deaf", func() controller.Target { return Deaf(better(t, false)) }, controller.ApplyFailed},
		{"faulty apply", func() controller.Target {
			return Faulty(better(t, false), func(c Call, nth int, _ time.Duration) error {
				if c == ApplyCall && nth == 3 {
					return broken
				}
				return nil
			})
		}, controller.ApplyFailed},
		{"cannot be observed", func() controller.Target {
			return Faulty(better(t, false), func(c Call, _ int, age time.Duration) error {
				if c == ObserveCall && age > 3*time.Minute && age < 4*time.Minute {
					return broken
				}
				return nil
			})
		}, controller.ObserveFailed},
		{"outside", func() controller.Target {
			space := better(t, false).cfg.Space
			space.Knobs = append(space.Knobs, controller.Knob{Name: "y", Kind: controller.Switch})
			s, err := NewService(ServiceConfig{Space: space, Initial: map[string]float64{"x": 0, "y": 0}, Rate: 100, Tail: Lognormal(0.6)})
			require.NoError(t, err)
			return Outside(s, Change{At: 3 * time.Minute, Values: map[string]float64{"y": 1}})
		}, controller.ExternalChange},
		{"stall", func() controller.Target {
			return newService(t, ServiceConfig{Rate: 100, Tail: Lognormal(0.3), Effect: whenOn(Effect{Stalled: true})})
		}, controller.GuardTripped},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, trace := session(t, c.target(), 40*time.Minute, nil)
			require.NotEmpty(t, trace.Verdicts())
			v := trace.Verdicts()[0]
			require.Equal(t, c.want, v.Reason, "%v: %s", v.Outcome, v.Detail)
			require.Equal(t, c.want == controller.Better, v.Outcome == controller.Kept)
		})
	}
}

// A process dies in a trial and another one takes over: the service goes on
// where it was, with the candidate in force and requests in flight.
func TestLoop_serviceOutlivesItsAutopilot(t *testing.T) {
	service := better(t, false)
	var state controller.State
	core := newCore(t, service, time.Hour, nil)
	require.PanicsWithValue(t, "killed", func() {
		_ = controller.Run(ctx, service, core, controller.Loop{Stepped: func(controller.Input, controller.Command) {
			if service.Setting().On("x") {
				state = core.State()
				panic("killed")
			}
		}})
	})
	require.NotNil(t, state.Running)
	require.True(t, service.Setting().On("x"), "the candidate is still in force")
	age := service.Age()
	next, trace := session(t, service, age+10*time.Minute, &state)
	require.Equal(t, controller.Crashed, trace.Verdicts()[0].Reason)
	require.False(t, service.Setting().On("x"), "what was in force before is again")
	require.False(t, next.State().Safe.On("x"))
	require.Greater(t, service.Age(), age)
}
