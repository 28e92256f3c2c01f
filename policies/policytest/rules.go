package policytest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"autotune/controller"
	"autotune/simulate"
)

// Rules are the contract, from what a proposal may hold to how a session ends.
func Rules() []Rule {
	return []Rule{
		{"offered", "A proposal is of one optimization that is offered, and changes its own knobs only.", eachTurn(offered)},
		{"move", `A proposal's move is "on" exactly when it turns the optimization's switch on: what is remembered goes by it.`, eachTurn(named)},
		{"change", "A proposal changes something: what is in force is not proposed.", eachTurn(changes)},
		{"bounds", "A proposed value is one that its knob takes, within the owner's floor and ceiling.", eachTurn(bounds)},
		{"max-move", "A number moves by its MaxMove at most, unless its switch is turned on with it.", eachTurn(maxMove)},
		{"blocked", "What is blocked is not proposed.", eachTurn(blocked)},
		{"needs", "A number is moved only while the switch that it needs is on, or is turned on with it.", eachTurn(needs)},
		{"why", "A proposal says why, for people.", eachTurn(why)},
		{"pure", "Asked twice with the same view, it answers the same, and the view is as it was.", pure},
		{"learn", "Only Learn changes a policy: questions in between do not.", learnOnly},
		{"deterministic", "Two policies that live through the same answer the same: chance comes from the view's seed.", deterministic},
		{"survives", "Aborted and errored trials, and audits, end nothing: it goes on, within the other rules.", survives},
		{"finite", "When everything that it proposes fails and cools down, it comes to an end of proposals.", finite},
		{"quiet", "Under the shipped controller, where nothing helps, most of the time nothing is tried.", quiet},
	}
}

func offered(t *turn) error {
	o, ok := t.optimization()
	if !ok {
		return errors.New("the optimization is not offered")
	}
	for _, name := range slices.Sorted(maps.Keys(t.proposal.Change)) {
		if name != o.Switch && !slices.Contains(o.Knobs, name) {
			return fmt.Errorf("%s is not a knob of %s", name, o.Name)
		}
	}
	return nil
}

// turnsOn says whether the proposal turns its switch on.
func (t *turn) turnsOn() bool {
	o, _ := t.optimization()
	return o.Switch != "" && t.to().On(o.Switch) && !t.view.Safe.On(o.Switch)
}

func named(t *turn) error {
	if on := t.turnsOn(); on != (t.proposal.Move == controller.MoveOn) {
		return fmt.Errorf("it turns the switch on: %v", on)
	}
	return nil
}

func changes(t *turn) error {
	if t.to().Equal(t.view.Safe) {
		return errors.New("it is in force")
	}
	return nil
}

// eachChange looks at the knobs that the proposal would change.
func eachChange(t *turn, see func(k controller.Knob, from, to float64) error) error {
	for _, name := range slices.Sorted(maps.Keys(t.proposal.Change)) {
		k, known := t.view.Space.Knob(name)
		from, _ := t.view.Safe.Get(name)
		if to := t.proposal.Change[name]; known && to != from {
			if err := see(k, from, to); err != nil {
				return err
			}
		}
	}
	return nil
}

func bounds(t *turn) error {
	return eachChange(t, func(k controller.Knob, _, to float64) error {
		if low, high := k.Bounds(); to < low || to > high {
			return fmt.Errorf("%s %v: must be within %v..%v", k.Name, to, low, high)
		}
		return k.CheckValue(to)
	})
}

func maxMove(t *turn) error {
	if t.turnsOn() {
		return nil
	}
	return eachChange(t, func(k controller.Knob, from, to float64) error {
		if bounds(t) != nil || k.CheckValue(from) != nil { // another rule's
			return nil
		}
		return k.CheckMove(from, to)
	})
}

func blocked(t *turn) error {
	key := t.proposal.BlockKey()
	if why := t.view.Blocked[key]; why != "" {
		return fmt.Errorf("%q is blocked: %s", key, why)
	}
	return nil
}

func needs(t *turn) error {
	return eachChange(t, func(k controller.Knob, _, to float64) error {
		if k.Needs != "" && !t.to().On(k.Needs) {
			return fmt.Errorf("%s -> %v: %s would be off", k.Name, to, k.Needs)
		}
		return nil
	})
}

func why(t *turn) error {
	if t.proposal.Why == "" || t.proposal.Move == "" {
		return fmt.Errorf("why %q, move %q: must not be empty", t.proposal.Why, t.proposal.Move)
	}
	return nil
}

// same compares two answers.
func same(p, q controller.Proposal, okP, okQ bool) error {
	if okP != okQ || okP && (p.Optimization != q.Optimization || p.Move != q.Move || p.Why != q.Why || !maps.Equal(p.Change, q.Change)) {
		return fmt.Errorf("%v %+v, and then %v %+v", okP, p, okQ, q)
	}
	return nil
}

// repeats is how often a question is asked again: chance from elsewhere, or the
// order of a map, shows sooner or later.
const repeats = 4

func pure(fresh func() controller.Policy, w *World) error {
	p := fresh()
	return live(p, w, 11, func(_ *history, t *turn) error {
		before := clone(&t.view)
		for range repeats {
			q, ok := p.Propose(t.view)
			if err := same(t.proposal, q, t.proposed, ok); err != nil {
				return fmt.Errorf("asked again: %w", err)
			}
		}
		if !reflect.DeepEqual(before, clone(&t.view)) {
			return errors.New("the view was changed")
		}
		if t.proposed && len(t.proposal.Change) > 0 { // what it hands out is the caller's
			clear(t.proposal.Change)
			q, ok := p.Propose(t.view)
			t.proposal.Change = q.Change
			if !ok || len(q.Change) == 0 {
				return errors.New("what it hands out is its own: changing it changes the policy")
			}
		}
		return nil
	})
}

// clone shares nothing with a view that a policy could change.
func clone(v *controller.View) controller.View {
	out := *v
	out.Space.Knobs, out.Offered, out.Trials = slices.Clone(v.Space.Knobs), slices.Clone(v.Offered), slices.Clone(v.Trials)
	out.Blocked = maps.Clone(v.Blocked)
	for i, o := range out.Offered {
		out.Offered[i].Start, out.Offered[i].Knobs = maps.Clone(o.Start), slices.Clone(o.Knobs)
	}
	for i, t := range out.Trials {
		out.Trials[i].Change = maps.Clone(t.Change)
	}
	if v.Baseline != nil {
		b := v.Baseline.Clone()
		out.Baseline = &b
	}
	return out
}

func learnOnly(fresh func() controller.Policy, w *World) error {
	p := fresh()
	return live(p, w, 12, func(h *history, t *turn) error {
		other := newHistory(w, uint64(1000+t.n))
		for range repeats {
			p.Propose(other.view())
		}
		q, ok := p.Propose(t.view)
		if err := same(t.proposal, q, t.proposed, ok); err != nil {
			return fmt.Errorf("asked again after other questions: %w", err)
		}
		return nil
	})
}

func deterministic(fresh func() controller.Policy, w *World) error {
	var first []turn
	for i := range repeats {
		n := 0
		err := live(fresh(), w, 13, func(_ *history, t *turn) error {
			if i == 0 {
				first = append(first, *t)
				return nil
			}
			was := &first[n]
			n++
			if err := same(was.proposal, t.proposal, was.proposed, t.proposed); err != nil {
				return fmt.Errorf("in another life: %w", err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// survives lives through nothing but what goes wrong.
func survives(fresh func() controller.Policy, w *World) error {
	legal := func(t *turn) error {
		return errors.Join(offered(t), named(t), changes(t), bounds(t), maxMove(t), blocked(t), needs(t))
	}
	for seed := range uint64(3) {
		p := &unlucky{Policy: fresh()}
		err := live(p, w, 20+seed, func(_ *history, t *turn) error {
			if !t.proposed {
				return nil
			}
			return legal(t)
		})
		if err != nil {
			return err
		}
		// Nothing is blocked any more: it must not have given up for good.
		v := newHistory(w, 1).view()
		v.Blocked, v.PairsLeft = map[string]string{}, -1
		first, ok := fresh().Propose(v)
		if _, still := p.Propose(v); ok && !still {
			return fmt.Errorf("it proposes nothing any more where a new one proposes %s %s", first.Optimization, first.Move)
		}
	}
	return nil
}

// unlucky makes every verdict one of failure.
type unlucky struct {
	controller.Policy
	n int
}

// Learn is told the worst.
func (u *unlucky) Learn(t controller.Trial) {
	u.n++
	switch u.n % 4 {
	case 0:
		t.Outcome, t.Reason = controller.Aborted, controller.GuardTripped
	case 1:
		t.Outcome, t.Reason = controller.Errored, controller.ApplyFailed
	case 2:
		t.Outcome, t.Reason = controller.Aborted, controller.Crashed
	default:
		t.Outcome, t.Reason = controller.Errored, controller.ObserveFailed
	}
	t.Pairs, t.Effects = 0, nil
	if u.n%8 == 0 {
		t.Audit = t.ID
	}
	u.Policy.Learn(t)
}

func finite(fresh func() controller.Policy, w *World) error {
	most := w.Most
	if most == 0 {
		most = 32 * len(w.Space.Knobs)
	}
	for _, reason := range []controller.Reason{controller.NoEffect, controller.Worse, controller.ApplyFailed} {
		p, h := fresh(), newHistory(w, 14)
		v := h.view()
		v.Safe, v.Blocked, v.PairsLeft = controller.SettingOf(w.Initial), map[string]string{}, -1
		var t turn
		for t.n = 0; ; t.n++ {
			t.view = v
			if t.proposal, t.proposed = p.Propose(v); !t.proposed {
				break
			}
			if t.n >= most {
				return fmt.Errorf("%s: after %d proposals, each of which failed and is blocked, there is still one more", &t, most)
			}
			trial := h.end(&t)
			trial.Reason, trial.Outcome, trial.Audit = reason, controller.Inconclusive, 0
			switch reason {
			case controller.Worse:
				trial.Outcome = controller.Reverted
			case controller.ApplyFailed:
				trial.Outcome = controller.Errored
			}
			trial.From = v.Safe
			p.Learn(trial)
			v.Blocked = maps.Clone(v.Blocked)
			v.Blocked[t.proposal.BlockKey()] = "cooling down"
			v.At = v.At.Add(aTrial)
		}
	}
	return nil
}

// quiet runs the shipped controller on a flat service.
func quiet(fresh func() controller.Policy, w *World) error {
	const hours, most = 12, 0.5
	end := simulate.Epoch().Add(hours * time.Hour)
	service, err := simulate.NewService(simulate.ServiceConfig{
		Space: w.Space, Initial: w.Initial, Seed: 15, Rate: 100, Tail: simulate.Lognormal(0.6), CPUNoise: 0.6, Blocks: true,
	})
	if err != nil {
		return err
	}
	core, err := controller.New(controller.Config{
		Space: w.Space, Offered: w.Offered, Policy: fresh(), Seed: 15, Goals: []controller.Goal{{Metric: controller.LatencyP95}},
		Timing: controller.Timing{Washout: time.Second, Measure: 5 * time.Second, Tick: 5 * time.Second, MinRequests: -1},
		Budget: controller.Budget{MaxPairs: 40},
	})
	if err != nil {
		return err
	}
	var trace controller.Trace
	loop := controller.Loop{Record: &trace, Ask: func() controller.Ask {
		if service.Age() >= end.Sub(simulate.Epoch()) {
			return controller.Stop
		}
		return 0
	}}
	if err := controller.Run(context.Background(), service, core, loop); err != nil {
		return err
	}
	late := end.Add(-hours * time.Hour / 3)
	var trying time.Duration
	for _, t := range trace.Verdicts() {
		if from := later(t.Started, late); t.Ended.After(from) {
			trying += t.Ended.Sub(from)
		}
	}
	if share := trying.Seconds() / end.Sub(late).Seconds(); share > most {
		return fmt.Errorf("in the last %v of %d hours, trials take %.0f %% of the time: must be at most %.0f %%", end.Sub(late), hours, 100*share, 100*most)
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
