package table

import (
	"context"
	"fmt"
	"maps"

	"autotune/controller"
)

// exact lets true values decide: a candidate that is better is kept, anything
// else is not. What was tried in an environment is known there, and not tried
// again.
func (s *search) exact(ctx context.Context) error {
	t, config := s.table, s.run.start
	safe := t.Setting(config)
	initial := safe
	var trials []controller.Trial
	now := start
	for {
		tried := map[int]bool{config: true}
		s.run.Measurements++ // of what is in force
		s.gate.blocked = nil
		s.gate.refuse = func(i int) string {
			if tried[i] {
				return "was tried"
			}
			return ""
		}
		for !s.used() {
			if err := ctx.Err(); err != nil {
				return err
			}
			p, ok := s.gate.Propose(controller.View{
				At: now, Space: t.space, Initial: initial, Safe: safe, Offered: t.offered, Blocked: map[string]string{},
				Baseline: &controller.Sample{At: now, Over: draw, Gauges: map[controller.Metric]float64{Value: t.Value(s.environment, config)}},
				Trials:   trials, PairsLeft: -1, Seed: s.cfg.Seed,
			})
			if !ok {
				break
			}
			to := safe.With(p.Change)
			candidate, err := t.Find(to)
			if err != nil {
				return fmt.Errorf("trial %d: %w", s.run.Evaluations+1, err)
			}
			tried[candidate] = true
			s.run.Evaluations++
			s.run.Measurements++
			trial := controller.Trial{
				ID: s.run.Evaluations, Optimization: p.Optimization, Move: p.Move, Why: p.Why, Change: maps.Clone(p.Change),
				From: safe, To: to, Pairs: 1, Started: now, Ended: now.Add(2 * draw),
			}
			s.decide(&trial, config, candidate)
			now = trial.Ended
			if trial.Outcome == controller.Kept {
				safe, config = to, candidate
			}
			s.gate.Learn(trial)
			trial.Effects, trial.From, trial.To = nil, controller.Setting{}, controller.Setting{}
			trials = append(trials, trial)[max(0, len(trials)+1-64):]
		}
		if !s.next(config) {
			return nil
		}
	}
}

// decide gives the trial its verdict.
func (s *search) decide(trial *controller.Trial, from, to int) {
	t := s.table
	was, is := t.Value(s.environment, from), t.Value(s.environment, to)
	if was != 0 {
		change := is/was - 1
		trial.Effects = []controller.Effect{{Metric: Value, Change: change, Low: change, High: change}}
	}
	switch {
	case t.Better(is, was):
		trial.Outcome, trial.Reason = controller.Kept, controller.Better
		s.kept(from, to)
	case t.Better(was, is):
		trial.Outcome, trial.Reason = controller.Reverted, controller.Worse
		s.run.RolledBack++
	default:
		trial.Outcome, trial.Reason = controller.Inconclusive, controller.NoEffect
	}
}
