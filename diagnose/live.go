package diagnose

import (
	"strings"

	"autotune"
	"autotune/controller"
)

// Live diagnoses a running autopilot from its status and its executor's signals:
// what was tried in this session, whether what is asked for is in force, what
// holds it, and where a gain is likely. What was measured over time is not in a
// status; a rule that needs it says so. An autopilot with a journal has all of it
// there: Read may be called while it runs. Live takes some 10 µs and no lock.
func Live(pilot *autotune.Autopilot) *Diagnosis {
	s := pilot.Status()
	f := newFacts("live")
	f.to, f.starts = s.At, 1
	f.initial, f.safe, f.inForce = s.Initial, s.Safe, s.InForce
	f.phase, f.why = s.Phase, s.Why
	if what, ok := strings.CutPrefix(s.Why, "autopilot: panic: "); ok && s.Phase == controller.Ended {
		f.panics = append(f.panics, breach{s.At, what})
	}
	f.byHand = !pilot.Executor().Config().EnableAutomaticOptimization || s.PausedBy != nil
	f.trials, f.running = s.Ended, s.Trial
	for _, a := range s.Advice {
		f.advised = append(f.advised, controller.Trial{Proposal: a.ID, Optimization: a.Optimization, Move: a.Move, Why: a.Why, Change: a.Change})
	}
	f.session = &controller.Session{Space: controller.Space{Knobs: pilot.Executor().Knobs()}, Goals: goalsOf(&s.Status), Policy: s.Policy, Seed: s.Seed, Advise: len(s.Advice) > 0}
	f.session.Offered = pilot.Executor().Optimizations()
	f.safeSeen.Totals, f.safeSeen.Gauges = map[controller.Metric]float64{}, map[controller.Metric]float64{}
	pilot.Executor().Signals().AddTo(&f.safeSeen)
	f.outlook = s.Outlook
	return f.diagnosis()
}

// goalsOf a status, as far as it tells: those that the latest trial was judged on.
func goalsOf(s *controller.Status) []controller.Goal {
	for i := len(s.Ended) - 1; i >= 0; i-- {
		if effects := s.Ended[i].Effects; len(effects) > 0 {
			var goals []controller.Goal
			for _, e := range effects {
				goals = append(goals, controller.Goal{Metric: e.Metric})
			}
			return goals
		}
	}
	return controller.DefaultGoals()
}
