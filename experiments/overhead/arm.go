package overhead

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"autotune"
	"autotune/controller"
	"autotune/dashboard"
	"autotune/executor"
	"autotune/knobs"
	"autotune/sensors"
	"autotune/sensors/nethttp"
)

// Arm is one of the ways in which the service runs.
type Arm int

// The arms that are compared by default, each with one thing more than the one
// before, and two that tell whether the instrument can see.
const (
	// Alone is the service without any of this module.
	Alone Arm = iota + 1
	// Idle has the middleware and an autopilot that watches and tries nothing.
	Idle
	// Trial has an autopilot that is in a trial, always.
	Trial
	// Page is in a trial with the live page open.
	Page
	// Twin is the service alone once more: there is nothing to find.
	Twin
	// Burdened is the service alone that does the work of every tenth request twice.
	Burdened
)

var armNames = [...]string{
	Alone: "alone", Idle: "idle", Trial: "in trial", Page: "page open", Twin: "twin", Burdened: "burdened",
}

// String is its name in reports.
func (a Arm) String() string {
	if a < Alone || a > Burdened {
		return fmt.Sprintf("arm %d", int(a))
	}
	return armNames[a]
}

// Arms are those compared by default.
func Arms() []Arm { return []Arm{Alone, Idle, Trial, Page} }

// CheckArms check the instrument: one that differs in nothing, and one by a known work.
func CheckArms() []Arm { return []Arm{Alone, Twin, Burdened} }

func (a Arm) inTrial() bool { return a == Trial || a == Page }

// A trial's blocks are as long as by default, and so is their washout beside them;
// the baseline before it has as few of them as may be.
const (
	defaultTrialBlock = 5 * time.Second
	washouts          = 5
	baseline          = 3
)

// lead is how long it takes, by the clock, until those of the arms that are to be in
// a trial are.
func lead(arms []Arm, trialBlock time.Duration) time.Duration {
	if !slices.ContainsFunc(arms, Arm.inTrial) {
		return 0
	}
	return baseline * (trialBlock + trialBlock/washouts)
}

// placebo is a switch that moves nothing.
const placebo = "placebo"

// running is an arm at work.
type running struct {
	handler http.Handler
	stream  string       // path of the page's events; "" without a page
	state   func() state // but for what it allocates
	end     func() error
}

// begin starts an arm, with its journal, if it has one, in a folder.
func begin(ctx context.Context, arm Arm, trialBlock time.Duration, journal string) (*running, error) {
	r := &running{handler: routes(), state: func() state { return state{} }, end: func() error { return nil }}
	switch arm {
	case Alone, Twin:
		return r, nil
	case Burdened:
		r.handler = twice(r.handler, 10)
		return r, nil
	}
	var value atomic.Bool
	pilot, err := autotune.Start(ctx, autotune.Config{
		Executor: executor.Config{EnableAutomaticOptimization: arm.inTrial()},
		Knobs:    []knobs.Actuator{knobs.Bool(placebo, value.Load, value.Store)},
		Offer:    []string{placebo},
		Recorder: sensors.NewRecorder(),
		Journal:  journal,
		Policy:   always{},
		// A busy machine must not end the trial.
		Guards: []controller.Guard{}, SlowGuard: -1,
		Timing: controller.Timing{
			Washout: trialBlock / washouts, Measure: trialBlock, MinRequests: -1, BaselineBlocks: baseline,
		},
	})
	if err != nil {
		return nil, err
	}
	r.handler = nethttp.Middleware(pilot.Recorder(), r.handler)
	r.state = func() state {
		s := pilot.Status()
		return state{InTrial: s.Trial != nil, Why: s.Why}
	}
	r.end = func() error { return errors.Join(pilot.Close(), pilot.Executor().Close()) }
	if arm != Page {
		return r, nil
	}
	page, err := dashboard.New(pilot, dashboard.Options{Journal: journal})
	if err != nil {
		return nil, errors.Join(err, r.end())
	}
	mux := http.NewServeMux()
	mux.Handle("/autotune/", http.StripPrefix("/autotune", page))
	mux.Handle("/", r.handler)
	r.handler, r.stream = mux, "/autotune/api/events"
	return r, nil
}

// always proposes the placebo, so that there is always a trial.
type always struct{}

func (always) Propose(v controller.View) (controller.Proposal, bool) {
	p := controller.Proposal{
		Optimization: placebo, Move: controller.MoveOn, Change: map[string]float64{placebo: 1}, Why: "there is always a trial",
	}
	return p, !v.Safe.On(placebo)
}

func (always) Learn(controller.Trial) {}

func (always) String() string { return "always" }
