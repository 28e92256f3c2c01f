package table

import (
	"context"
	"fmt"

	"autotune/controller"
)

// idleStride is how many draws long an Observe is while the controller waits: a
// cool-down of thousands of blocks need not be walked through.
const idleStride = 16

// mostIdle bounds the wait for a policy that never goes on.
const mostIdle = 100_000

// sequential lets the shipped controller decide, in the shipped loop: a block is
// one draw.
func (s *search) sequential(ctx context.Context) error {
	target := s.table.NewTarget(s.run.start, s.cfg.Order, s.cfg.Seed)
	cfg := s.table.config(s.gate)
	cfg.Seed = s.cfg.Seed
	core, err := controller.New(cfg)
	if err != nil {
		return fmt.Errorf("controller: %w", err)
	}
	w := &watch{search: s, target: target}
	loop := controller.Loop{
		Stepped: func(_ controller.Input, cmd controller.Command) { w.stepped(&cmd, core) },
		Ask: func() controller.Ask {
			if w.over {
				return controller.Stop
			}
			return 0
		},
	}
	if err := controller.Run(ctx, target, core, loop); err != nil {
		return err
	}
	if w.err != nil {
		return w.err
	}
	final, err := s.table.Find(core.State().Safe)
	s.run.final = final
	s.run.Measurements, s.run.Idle = target.draws-w.idle, w.idle
	return err
}

// Controller is the configuration of a controller of the table's targets, with a
// policy that is shown as blocked what nobody measured. The rest is for the caller.
func (t *Table) Controller(policy controller.Policy) controller.Config {
	return t.config(&gate{Policy: policy, table: t, refuse: func(int) string { return "" }})
}

func (t *Table) config(policy controller.Policy) controller.Config {
	return controller.Config{
		Space:   t.space,
		Offered: t.offered,
		Goals:   []controller.Goal{{Metric: Value, Maximize: t.cfg.Maximize}},
		Policy:  policy,
		Timing:  controller.Timing{Washout: -1, Measure: draw, Tick: draw, MinRequests: -1},
	}
}

// watch counts what the controller does, and says when an environment, or the
// run, is over.
type watch struct {
	*search
	target  *Target
	waiting bool
	idle    int // draws
	over    bool
	err     error
}

func (w *watch) stepped(cmd *controller.Command, core *controller.Controller) {
	if w.waiting {
		w.idle++
	}
	for _, r := range cmd.Records {
		switch r.Kind {
		case controller.RecordPhase:
			w.waiting = r.Phase.Phase == controller.Idle
			w.target.stride = draw
			if w.waiting {
				w.target.stride = idleStride * draw
			}
		case controller.RecordTrial:
			if r.Trial.Audit == 0 {
				w.run.Evaluations++
			}
		case controller.RecordVerdict:
			w.verdict(r.Trial)
		}
	}
	if w.over || !(w.used() && between(cmd) || w.waiting && w.gate.quiet || w.idle > mostIdle) {
		return
	}
	safe, err := w.table.Find(core.State().Safe)
	if err != nil {
		w.over, w.err = true, err
		return
	}
	if !w.next(safe) {
		w.over = true
		return
	}
	w.gate.wake()
	w.target.Switch(w.environment)
}

// between reports whether a trial has just ended.
func between(cmd *controller.Command) bool {
	for _, r := range cmd.Records {
		if r.Kind == controller.RecordVerdict && r.Trial.Audit == 0 {
			return true
		}
	}
	return false
}

// verdict counts how a trial or an audit ended. Of an audit, kept means that the
// old values are back.
func (w *watch) verdict(t *controller.Trial) {
	switch {
	case t.Audit != 0:
		if t.Outcome == controller.Kept {
			w.run.RolledBack++
		}
	case t.Outcome == controller.Kept:
		from, errFrom := w.table.Find(t.From)
		to, errTo := w.table.Find(t.To)
		if errFrom != nil || errTo != nil {
			w.over, w.err = true, fmt.Errorf("trial %d: kept what is not in the table", t.ID)
			return
		}
		w.kept(from, to)
	case t.Outcome == controller.Reverted, t.Outcome == controller.Aborted:
		w.run.RolledBack++
	}
}
