package policytest

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"autotune/controller"
	"autotune/simulate"
)

// turn is a question, and what was answered.
type turn struct {
	n        int
	view     controller.View
	proposal controller.Proposal
	proposed bool
}

func (t *turn) String() string {
	if !t.proposed {
		return fmt.Sprintf("turn %d, in force %s: nothing", t.n, t.view.Safe)
	}
	return fmt.Sprintf("turn %d, in force %s: %s, move %q, change %v", t.n, t.view.Safe, t.proposal.Optimization, t.proposal.Move, t.proposal.Change)
}

// optimization that is proposed, and whether it was offered.
func (t *turn) optimization() (controller.Optimization, bool) {
	i := slices.IndexFunc(t.view.Offered, func(o controller.Optimization) bool { return o.Name == t.proposal.Optimization })
	if i < 0 {
		return controller.Optimization{}, false
	}
	return t.view.Offered[i], true
}

// to is the setting that the proposal leads to.
func (t *turn) to() controller.Setting { return t.view.Safe.With(t.proposal.Change) }

// history makes up what a policy lives through.
type history struct {
	world  *World
	rng    *rand.Rand
	now    time.Time
	safe   controller.Setting
	trials []controller.Trial
	known  []string // keys of what was proposed
	id, n  int
}

const (
	turns    = 150
	aTrial   = 2 * time.Minute
	remember = 64 // trials that a view has
)

func newHistory(w *World, seed uint64) *history {
	return &history{world: w, rng: rand.New(rand.NewPCG(seed, 51)), now: simulate.Epoch(), safe: controller.SettingOf(w.Initial)}
}

// live lets a policy live through a history, and shows each turn before the
// policy learns how its trial ended.
func live(p controller.Policy, w *World, seed uint64, see func(h *history, t *turn) error) error {
	h := newHistory(w, seed)
	for h.n = range turns {
		t := turn{n: h.n, view: h.view()}
		t.proposal, t.proposed = p.Propose(t.view)
		if err := see(h, &t); err != nil {
			return fmt.Errorf("%s: %w", &t, err)
		}
		if t.proposed {
			p.Learn(h.end(&t))
		}
	}
	return nil
}

// eachTurn is a rule about single turns.
func eachTurn(see func(t *turn) error) func(func() controller.Policy, *World) error {
	return func(fresh func() controller.Policy, w *World) error {
		for seed := range uint64(3) {
			err := live(fresh(), w, seed, func(_ *history, t *turn) error {
				if !t.proposed {
					return nil
				}
				return see(t)
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// view asks about a setting in force, with some things blocked and something
// measured, or not.
func (h *history) view() controller.View {
	if h.rng.Float64() < 0.1 { // somebody changed it from outside
		h.safe = h.anywhere()
	}
	v := controller.View{
		At: h.now, Space: h.world.Space, Initial: controller.SettingOf(h.world.Initial), Safe: h.safe,
		Offered: slices.Clone(h.world.Offered), Blocked: map[string]string{}, Trials: slices.Clone(h.trials),
		PairsLeft: []int{-1, 0, 7, 100}[h.rng.IntN(4)], Seed: h.rng.Uint64(), Untried: h.rng.IntN(len(h.world.Offered) + 1),
	}
	if h.rng.Float64() < 0.7 {
		v.Baseline = h.baseline()
	}
	for _, o := range h.world.Offered {
		switch {
		case h.rng.Float64() < 0.2:
			v.Blocked[o.Name] = "cooling down"
		case v.Baseline != nil && slices.ContainsFunc(o.Needs, func(m controller.Metric) bool { _, ok := v.Baseline.Value(m); return !ok }):
			v.Blocked[o.Name] = "not measured here"
		}
	}
	for _, key := range h.known {
		if h.rng.Float64() < 0.5 {
			v.Blocked[key] = "cooling down"
		}
	}
	return v
}

// anywhere is a setting that an operator might set.
func (h *history) anywhere() controller.Setting {
	values := map[string]float64{}
	for _, k := range h.world.Space.Knobs {
		low, high := k.Min, k.Max
		if k.Kind == controller.Switch {
			high = 1
		}
		u := h.rng.Float64()
		v := low + u*(high-low)
		if k.Scale == controller.Log {
			v = low * math.Pow(high/low, u)
		}
		values[k.Name] = k.Clamp(v)
	}
	return controller.SettingOf(values)
}

func (h *history) baseline() *controller.Sample {
	s := &controller.Sample{
		At: h.now, Over: 5 * time.Second, Totals: map[controller.Metric]float64{}, Gauges: map[controller.Metric]float64{}, Latency: &controller.Histogram{},
	}
	for _, m := range []controller.Metric{controller.Requests, controller.CPUSeconds, controller.AllocBytes} {
		if h.rng.Float64() < 0.8 {
			s.Totals[m] = math.Exp(12 * h.rng.Float64())
		}
	}
	for range h.rng.IntN(20) {
		s.Latency.Record(time.Duration(h.rng.ExpFloat64() * 1e7))
	}
	return s
}

// ends are the ways in which a trial may end, those that ask most of a policy
// among them.
var ends = []struct {
	outcome controller.Outcome
	reason  controller.Reason
}{
	{controller.Kept, controller.Better},
	{controller.Reverted, controller.Worse},
	{controller.Inconclusive, controller.NoEffect},
	{controller.Inconclusive, controller.Undecidable},
	{controller.Inconclusive, controller.Timeout},
	{controller.Inconclusive, controller.NoData},
	{controller.Inconclusive, controller.ExternalChange},
	{controller.Inconclusive, controller.Stopped},
	{controller.Inconclusive, controller.Pinned},
	{controller.Inconclusive, controller.Degradation},
	{controller.Aborted, controller.GuardTripped},
	{controller.Aborted, controller.Crashed},
	{controller.Errored, controller.ApplyFailed},
	{controller.Errored, controller.ObserveFailed},
	{controller.Errored, controller.RecordFailed},
}

// end gives the proposal's trial a verdict.
func (h *history) end(t *turn) controller.Trial {
	h.id++
	how := ends[h.rng.IntN(len(ends))]
	trial := controller.Trial{
		ID: h.id, Optimization: t.proposal.Optimization, Move: t.proposal.Move, Why: t.proposal.Why, Change: maps.Clone(t.proposal.Change),
		From: h.safe, To: t.to(), Started: h.now, Ended: h.now.Add(aTrial), Outcome: how.outcome, Reason: how.reason,
	}
	if how.outcome != controller.Aborted && how.outcome != controller.Errored {
		trial.Pairs = 7 + h.rng.IntN(20)
		trial.Effects = []controller.Effect{{Metric: controller.LatencyP95, Change: h.rng.NormFloat64() / 10}}
	}
	if len(h.trials) > 0 && h.rng.Float64() < 0.05 { // an audit, as if of the one before
		trial.Audit = h.id - 1
	}
	h.now = h.now.Add(aTrial)
	if how.outcome == controller.Kept {
		h.safe = trial.To
	}
	brief := trial
	brief.Effects, brief.From, brief.To = nil, controller.Setting{}, controller.Setting{}
	if h.trials = append(h.trials, brief); len(h.trials) > remember {
		h.trials = h.trials[1:]
	}
	if key := t.proposal.BlockKey(); !slices.Contains(h.known, key) && len(h.known) < remember {
		h.known = append(h.known, key)
	}
	return trial
}
