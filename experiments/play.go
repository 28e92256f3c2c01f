package experiments

import (
	"context"
	"errors"
	"time"

	"autotune/controller"
)

// play is what every contender of a scenario gets: the same candidates, blocks
// and goals, and the same seed.
type play struct {
	space    controller.Space
	offered  []controller.Optimization
	goals    []controller.Goal
	guards   []controller.Guard
	timing   controller.Timing
	policy   func() controller.Policy // a new one, without memory
	pairs    int                      // at most, in a trial; 0 is the default
	until    time.Time                // the end of the session
	state    *controller.State        // of an earlier life, from its journal
	alert    controller.Alert
	givenUp  func() bool // ends a static session; nil: never
	seed     uint64
	openLoop bool   // arrivals are nobody's doing
	knob     string // that rivals turn which turn a number; empty: there is none
}

func (p *play) over(now time.Time) bool { return !now.Before(p.until) }

// contender is a way to decide.
type contender struct {
	name string
	core func(play) (controller.Stepper, error)
}

// autotune is the shipped Controller.
func autotune() contender {
	return contender{"autotune", func(p play) (controller.Stepper, error) {
		return controller.New(controller.Config{
			Space: p.space, Offered: p.offered, Goals: p.goals, Guards: p.guards, Policy: p.policy(), PolicyName: "experiment",
			Seed: p.seed, OpenLoop: p.openLoop, Timing: p.timing, Budget: controller.Budget{MaxPairs: p.pairs, Until: p.until}, State: p.state, Alert: p.alert,
		})
	}}
}

// byRule is a rival.
func byRule(r Rule) contender {
	return contender{r.Name, func(p play) (controller.Stepper, error) { return newRival(r, p), nil }}
}

// tryOnce lets a core play until its first verdict. Nobody restores the target.
func tryOnce(ctx context.Context, target controller.Target, core controller.Stepper) (*controller.Trial, error) {
	return tryAndWait(ctx, target, core, 0)
}

// tryAndWait goes on for a while after the first verdict.
func tryAndWait(ctx context.Context, target controller.Target, core controller.Stepper, wait time.Duration) (*controller.Trial, error) {
	first := &firstVerdict{Stepper: core, wait: wait}
	if err := controller.Run(ctx, target, first, controller.Loop{}); err != nil {
		return nil, err
	}
	if first.trial == nil {
		return nil, errors.New("it ended without a trial")
	}
	return first.trial, nil
}

// firstVerdict ends a while after the first trial.
type firstVerdict struct {
	controller.Stepper
	wait  time.Duration
	trial *controller.Trial
}

// Step is done as soon as there is a verdict, and the wait is over.
func (f *firstVerdict) Step(in controller.Input) controller.Command {
	cmd := f.Stepper.Step(in)
	for _, r := range cmd.Records {
		if r.Kind == controller.RecordVerdict && f.trial == nil {
			f.trial = r.Trial
		}
	}
	cmd.Done = cmd.Done || f.trial != nil && !in.At.Before(f.trial.Ended.Add(f.wait))
	return cmd
}

// flip is the policy of the experiments: each switch in order is tried in its
// other position, as often as the core lets it.
type flip struct{}

var _ controller.Policy = flip{}

// Propose flips the first switch that is not blocked.
func (flip) Propose(v controller.View) (controller.Proposal, bool) {
	for _, o := range v.Offered {
		p := controller.Proposal{Optimization: o.Name, Move: controller.MoveOn, Change: map[string]float64{o.Switch: 1}, Why: "it is off"}
		if v.Safe.On(o.Switch) {
			p.Move, p.Change, p.Why = controller.MoveOff, map[string]float64{o.Switch: 0}, "it is on"
		}
		if v.Blocked[p.BlockKey()] == "" && (p.Move == controller.MoveOff || v.Blocked[o.Name] == "") {
			return p, true
		}
	}
	return controller.Proposal{}, false
}

// Learn has nothing to learn: the core remembers.
func (flip) Learn(controller.Trial) {}
