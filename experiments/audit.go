package experiments

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"autotune/controller"
	"autotune/internal/stats"
	"autotune/report"
	"autotune/simulate"
)

const (
	rolledBack = "rolled back %"
	auditsOf   = "audits"
	blocksTo   = "blocks until rolled back"
	exposure   = "blocks of the old setting %"
)

// audited is a keep whose effect then becomes another.
type audited struct {
	Noise float64 // of pairs
	After int     // audits that end before it changes; 0: as soon as it is kept
	Then  float64 // effect on latency from then on, a ratio
}

// Audit asks what becomes of a keep that was false, or turns bad.
func Audit() Experiment {
	return Experiment{
		Name: "audit",
		Doc: "A change that halves the latency is kept; then, or after some audits, its effect becomes another. How surely and how soon do audits take it back, " +
			"and how often one that is no worse? Each run lasts 3,200 blocks from the keep; there are no alerts.",
		Cells: auditCells,
		Measures: []Measure{
			{Name: rolledBack, Of: Rate, Format: "%.1f"},
			{Name: auditsOf, Of: Median, Format: "%.0f"},
			{Name: blocksTo, Of: Median, Format: "%.0f", Better: report.Less},
			{Name: exposure, Of: Mean, Format: "%.2f", Better: report.Less},
		},
		Claims: auditClaims,
		Charts: auditCharts,
	}
}

func (a audited) scenario() string {
	return fmt.Sprintf("noise %.2f, %+.0f %% after %d audits", a.Noise, 100*a.Then, a.After)
}

func auditCells(short bool) ([]Cell, error) {
	n := 1000
	if short {
		n = 100
	}
	var cells []Cell
	for _, a := range []audited{
		{0.05, 0, 0},
		{0.15, 0, 0},
		{0.40, 0, 0},
		{0.15, 0, -0.2},
		{0.05, 0, 0.1},
		{0.15, 0, 0.1},
		{0.15, 0, 0.3},
		{0.40, 0, 0.3},
		{0.15, 4, 0.1},
		{0.15, 4, 0.3},
	} {
		cells = append(cells, Cell{Scenario: a.scenario(), Contender: autotune().name, Params: a, Trials: n, Batch: 25, Trial: a.play})
	}
	return cells, nil
}

func (a audited) play(ctx context.Context, seed uint64, into *Tally) error {
	const block = 5 * time.Second
	space, offered, initial := simulate.Switches(theSwitch)
	watch := &auditWatch{}
	was, then := math.Log(0.5), math.Log1p(a.Then)
	target, err := simulate.NewService(simulate.ServiceConfig{
		Space: space, Initial: initial, Seed: seed, Rate: 50, Blocks: true,
		Level: simulate.Noise(rand.New(rand.NewPCG(seed, 41)), a.Noise/math.Sqrt2),
		Effect: func(m simulate.Moment) simulate.Effect {
			switch {
			case !m.Setting.On(theSwitch):
				return simulate.Effect{}
			case watch.kept && watch.audits >= a.After:
				return simulate.Effect{Latency: then}
			}
			return simulate.Effect{Latency: was}
		},
	})
	if err != nil {
		return err
	}
	core, err := autotune().core(play{
		space: space, offered: offered, goals: controller.DefaultGoals()[:1], seed: seed, openLoop: true,
		timing: controller.Timing{Washout: -1, Measure: block, Tick: block, MinRequests: -1},
		until:  simulate.Epoch().Add(24 * time.Hour), alert: controller.Alert{Interval: -1},
		policy: func() controller.Policy { return justOn{} },
	})
	if err != nil {
		return err
	}
	watch.Stepper, watch.most = core, 3200*block
	if err := controller.Run(ctx, target, watch, controller.Loop{}); err != nil {
		return err
	}
	if !watch.kept {
		return errors.New("a change that halves the latency was not kept")
	}
	into.Count(rolledBack, watch.back)
	into.Value(auditsOf, float64(watch.audits))
	took := watch.now.Sub(watch.since)
	if watch.back {
		into.Value(blocksTo, float64(took/block))
	}
	into.Value(exposure, 100*float64(watch.pairs)*float64(block)/float64(took))
	return nil
}

// auditWatch follows a keep until it is taken back, or for as long as it should.
type auditWatch struct {
	controller.Stepper
	most       time.Duration
	now, since time.Time
	kept, back bool
	audits     int // that ended
	pairs      int // of them
}

// Step watches the verdicts.
func (w *auditWatch) Step(in controller.Input) controller.Command {
	cmd := w.Stepper.Step(in)
	w.now = in.At
	for _, r := range cmd.Records {
		if r.Kind != controller.RecordVerdict {
			continue
		}
		switch t := r.Trial; {
		case t.Audit == 0 && t.Outcome == controller.Kept:
			w.kept, w.since = true, in.At
		case t.Audit > 0:
			w.audits++
			w.pairs += t.Pairs
			w.back = t.Outcome == controller.Kept
		}
	}
	over := in.At.Sub(simulate.Epoch()) > w.most // a trial that never kept ends too
	if w.kept {
		over = in.At.Sub(w.since) > w.most
	}
	cmd.Done = cmd.Done || w.back || over
	return cmd
}

// justOn proposes to turn a switch on, and never off: that is for audits.
type justOn struct{ flip }

// Propose proposes what is off.
func (j justOn) Propose(v controller.View) (controller.Proposal, bool) {
	p, ok := j.flip.Propose(v)
	return p, ok && p.Move == controller.MoveOn
}

func auditClaims(r *Results) []Claim {
	at := func(a audited) *Tally { return r.Of(a.scenario(), autotune().name) }
	k, n := 0, 0
	for _, noise := range powerNoises {
		t := at(audited{noise, 0, 0})
		k += t.Counts[rolledBack]
		for _, x := range t.Values[auditsOf] {
			n += int(x)
		}
	}
	caught := func(a audited, least float64) Claim {
		t := at(a)
		e, _ := Measure{Name: blocksTo, Of: Median, Better: report.Less}.Take(t)
		return Claim{
			Text:   fmt.Sprintf("%s: rolled back in %.0f %%", a.scenario(), least),
			Figure: fmt.Sprintf("%d of %d, median %.0f blocks after the keep", t.Counts[rolledBack], t.N, e.Value),
			Holds:  t.N > 0 && percent(t.Counts[rolledBack], t.N) >= least,
		}
	}
	true20 := at(audited{0.15, 0, -0.2})
	return []Claim{
		{
			Text:   "a keep without an effect is rolled back in at most 1 % of audits",
			Figure: fmt.Sprintf("%d of %d audits, at most %.2f %% with 99 %% confidence", k, n, 100*stats.BinomialUpper(k, max(n, 1), 0.99)),
			Holds:  n > 0 && stats.BinomialUpper(k, n, 0.99) <= 0.01,
		},
		{
			Text:   "a keep that saves 20 % is not rolled back",
			Figure: fmt.Sprintf("%d of %d", true20.Counts[rolledBack], true20.N), Holds: true20.N > 0 && true20.Counts[rolledBack] == 0,
		},
		caught(audited{0.15, 0, 0.1}, 90), caught(audited{0.15, 4, 0.1}, 90), caught(audited{0.15, 4, 0.3}, 99),
	}
}
