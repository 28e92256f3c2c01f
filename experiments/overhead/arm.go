package overhead

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
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

// The arms, each with one thing more than the one before.
const (
	// Alone is the service without any of this module.
	Alone Arm = iota + 1
	// Idle has the middleware and an autopilot that watches and tries nothing.
	Idle
	// Trial has an autopilot that is in a trial, always.
	Trial
	// Page is in a trial with the live page open.
	Page
)

var armNames = [...]string{Alone: "alone", Idle: "idle", Trial: "in trial", Page: "page open"}

// String is its name in reports.
func (a Arm) String() string {
	if a < Alone || a > Page {
		return fmt.Sprintf("arm %d", int(a))
	}
	return armNames[a]
}

// Arms are all of them.
func Arms() []Arm { return []Arm{Alone, Idle, Trial, Page} }

// A trial's blocks are as long as those of the demonstration, a fifth of the
// default; less only where a block of an arm would not hold two of them.
const (
	usualBlock = time.Second
	washout    = 50 * time.Millisecond
	// baseline blocks come before the first trial: as few as may be.
	baseline = 3
)

// trialBlock is how long a trial's block is where a part of an arm's is so long.
func trialBlock(part time.Duration) time.Duration { return min(usualBlock, part/2) }

// lead is how long an arm serves before it is measured, all alike: in it, a trial begins.
func lead(part time.Duration) time.Duration {
	return (trialBlock(part)+washout)*baseline + trialBlock(part)/3
}

// placebo is a switch that moves nothing.
const placebo = "placebo"

// running is an arm in its block.
type running struct {
	handler http.Handler
	stream  string       // path of the page's events; "" without a page
	inTrial func() bool  // nil: it need not be
	end     func() error // waits until nothing of it is left
}

// begin starts an arm.
func begin(ctx context.Context, arm Arm, part time.Duration) (*running, error) {
	if arm == Alone {
		return &running{handler: routes(), end: func() error { return nil }}, nil
	}
	dir, err := os.MkdirTemp("", "autotune-overhead-")
	if err != nil {
		return nil, err
	}
	var value atomic.Bool
	pilot, err := autotune.Start(ctx, autotune.Config{
		Executor: executor.Config{EnableAutomaticOptimization: arm != Idle},
		Knobs:    []knobs.Actuator{knobs.Bool(placebo, value.Load, value.Store)},
		Offer:    []string{placebo},
		Recorder: sensors.NewRecorder(),
		Journal:  dir,
		Policy:   always{},
		// A busy machine must not end the trial.
		Guards: []controller.Guard{}, SlowGuard: -1,
		Timing: controller.Timing{
			Washout: washout, Measure: trialBlock(part), MinRequests: -1, BaselineBlocks: baseline,
		},
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	r := &running{handler: nethttp.Middleware(pilot.Recorder(), routes())}
	r.end = func() error {
		return errors.Join(pilot.Close(), pilot.Executor().Close(), os.RemoveAll(dir))
	}
	if arm != Idle {
		r.inTrial = func() bool { return pilot.Status().Trial != nil }
	}
	if arm != Page {
		return r, nil
	}
	page, err := dashboard.New(pilot, dashboard.Options{Journal: dir})
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
