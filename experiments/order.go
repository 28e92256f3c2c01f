package experiments

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"autotune/catalog"
	"autotune/controller"
	"autotune/policies"
	"autotune/report"
	"autotune/simulate/plant"
)

// Of a session, by name in tallies.
const (
	gainTime    = "90 % of the gain after s"
	gained      = "has 90 % of the gain"
	oracleGain  = "oracle's gain %"
	gainShare   = "gain at the end, % of the oracle's"
	orderLate   = "final third, against nothing %"
	orderAll    = "whole session, against nothing %"
	triedTrials = "trials"
	triedPairs  = "pairs"
	atInitial   = "ends as it began"
)

// Who proposes.
const (
	byGuide   = "guide"
	byOrder   = "guide without ranking"
	byChance  = "random order"
	byPlain   = "guide without memory and interactions"
	orderLong = 20 * time.Minute
)

// workload is a scenario on which the order of trials is looked at.
type workload struct {
	plant.Scenario
	// still: the guide's advice is the baseline, and nothing is to be gained.
	still bool
}

// workloads are the guide's five, and two where the baseline is right.
func workloads() []workload {
	var out []workload
	for _, s := range plant.Scenarios() {
		if s.Workload == "" {
			continue
		}
		if s.Name == catalog.LowLatency {
			out = append(out, workload{Scenario: s}, workload{Scenario: well(s), still: true})
			continue
		}
		out = append(out, workload{Scenario: s})
	}
	return append(out, workload{Scenario: plain(), still: true})
}

// well is the low-latency service while what it calls is up, and quick.
func well(s plant.Scenario) plant.Scenario {
	s.Name, s.For = "low-latency, upstream well", "cheap reads, and an upstream that answers"
	s.Config.Kinds = slices.Clone(s.Config.Kinds)
	for i := range s.Config.Kinds {
		if c := s.Config.Kinds[i].Calls; c != nil {
			up := *c
			up.OutageFor, up.OutageEvery, up.Hangs, up.Fails = 0, 0, 0.001, 0.001
			s.Config.Kinds[i].Calls = &up
		}
	}
	return s
}

// plain computes something else for everybody, alone on its processors, and traces nothing.
func plain() plant.Scenario {
	s, err := plant.Named("cpu-intensive")
	if err != nil {
		panic(err) // it is named in simulate/plant
	}
	s.Name, s.For, s.Workload = "nothing to gain", "each request computes what nobody asked for before, and there is time", ""
	s.Config.Kinds = slices.Clone(s.Config.Kinds)
	for i := range s.Config.Kinds {
		k := &s.Config.Kinds[i]
		switch k.Name {
		case "packing":
			k.Alloc = 20e3
		case "write":
		default:
			k.Share = 0
		}
	}
	s.Config.Exporter = nil
	return s
}

// proposers are the contenders: the shipped Controller with each policy, and the
// guide's proposals before each other judge.
func proposers() []proposer {
	out := []proposer{
		controlled(byGuide, func(*workload, uint64) controller.Policy { return guide("")() }),
		controlled(byOrder, func(w *workload, _ uint64) controller.Policy {
			order, _ := catalog.Order(w.Workload) // of a workload that there is
			return policies.NewInOrder(byOrder, order)
		}),
		controlled(byChance, func(w *workload, seed uint64) controller.Policy {
			var order []string
			for _, i := range rand.New(rand.NewPCG(seed, 61)).Perm(len(w.Offered)) {
				order = append(order, w.Offered[i].Name)
			}
			return policies.NewInOrder(byChance, order)
		}),
		controlled(byPlain, func(*workload, uint64) controller.Policy {
			p, err := policies.NewGuide("")
			if err != nil {
				panic(err) // no workload is one
			}
			return p
		}),
	}
	for _, r := range judges() {
		out = append(out, judged(r))
	}
	return out
}

// judges are the rivals here: the most used of Rules, one of a kind.
func judges() []Rule { return []Rule{Window(), Welch(), Kayenta(), Threshold()} }

// proposer is who proposes, and who judges what is proposed.
type proposer struct {
	name  string
	rival bool // judges
	on    func(w *workload, seed uint64) contender
}

// controlled is a policy before the Controller.
func controlled(name string, policy func(w *workload, seed uint64) controller.Policy) proposer {
	return proposer{name, false, func(w *workload, seed uint64) contender {
		return proposing(autotune(), func() controller.Policy { return policy(w, seed) })
	}}
}

// judged is the guide before a rival.
func judged(r Rule) proposer {
	return proposer{r.Name, true, func(*workload, uint64) contender { return proposing(bySight(r), guide("")) }}
}

// proposing is a contender with a policy of its own.
func proposing(c contender, policy func() controller.Policy) contender {
	return contender{c.name, func(with play) (controller.Stepper, error) {
		with.policy = policy
		return c.core(with)
	}}
}

// Order asks what the order of trials is worth.
func Order() Experiment {
	return Experiment{
		Name: "order",
		Doc: fmt.Sprintf("How soon does a session of %v on each of the guide's workloads have nine tenths of the gain that an oracle finds, by what it tries first? Everything of the catalog is on offer. "+
			"The gain is the mean reduction, in log units, of the three goals' true values (p95, CPU time and mean latency of requests) under what is kept, from runs of their own; the oracle's "+
			"is the largest that coordinate ascent on true values finds, switches and their numbers. Sessions that never have it count with their whole length; where the oracle gains less than a trial is to "+
			"find, nothing is timed. The guide is not told the workload; without ranking it is, looks at no signal, and follows its fixed order for it; random order is another one in each seed. "+
			"All go on to numbers, and off again, alike; without memory and interactions the guide forgets what trials showed of effects (see noisy for what that is worth where knobs interact). "+
			"The rivals judge what the guide proposes: it sees what it sees before the Controller, which measures the service first, and blocks are as long; but a rival shows no intervals to remember, "+
			"and looks at one goal. Where the guide proposes nothing they are left out. What is kept that is truly worse than what it replaced, by more than %.1f %%, is counted for all. Rivals that turn one number have nothing to turn here; see contenders.",
			orderLong, 100*leastStep),
		Cells: orderCells,
		Measures: []Measure{
			{Name: gainTime, Of: Median, Format: "%.0f", Better: report.Less},
			{Name: gained, Of: Rate, Format: "%.0f", Better: report.More},
			{Name: oracleGain, Of: Median, Format: "%.1f"},
			{Name: gainShare, Of: Median, Format: "%.0f", Better: report.More},
			{Name: orderLate, Of: Median, Format: "%+.1f", Better: report.Less},
			{Name: orderAll, Of: Median, Format: "%+.1f", Better: report.Less},
			{Name: triedTrials, Of: Median, Format: "%.0f"},
			{Name: triedPairs, Of: Median, Format: "%.0f"},
			{Name: keeps, Of: Mean, Format: "%.1f"},
			{Name: keptWorseOf, Of: Mean, Format: "%.2f", Better: report.Less},
			{Name: atInitial, Of: Rate, Format: "%.0f"},
		},
		Tables: orderTables,
		Claims: orderClaims,
	}
}

func orderCells(short bool) ([]Cell, error) {
	var cells []Cell
	for _, w := range workloads() {
		seeds := 20
		if short {
			seeds = 2
		}
		if short && !slices.Contains(inShortOrder(), w.Name) {
			continue
		}
		g := ground{name: w.Name, horizon: orderLong}
		plantGround(&g, w.Scenario, w.Offered, "")
		truth := &truth{scenario: w.Scenario, known: &onces[string, goalCosts]{}}
		for _, p := range proposers() {
			if w.still && p.name == byPlain || w.still && w.Workload != "" && p.rival {
				continue // there is nothing to learn; the guide proposes nothing, whoever judges
			}
			cells = append(cells, Cell{
				Scenario: w.Name, Contender: p.name, Params: fmt.Sprint(orderLong), Trials: seeds, Batch: 1,
				Trial: func(ctx context.Context, seed uint64, into *Tally) error {
					a, err := g.play(ctx, seed, p.on(&w, seed))
					if err != nil {
						return err
					}
					return w.tell(truth, a, into)
				},
			})
		}
	}
	return cells, nil
}

// inShortOrder are the scenarios of the short form.
func inShortOrder() []string { return []string{"large-context", "high-frequency", "nothing to gain"} }

// tell tells what came of a session.
func (w *workload) tell(truth *truth, a *account, into *Tally) error {
	held := a.held(w.Initial())
	final := held[len(held)-1].to
	into.Value(orderLate, a.end)
	into.Value(orderAll, a.whole)
	if err := w.tellTrials(truth, a, into); err != nil {
		return err
	}
	into.Count(atInitial, final.Equal(w.Initial()))
	if w.still {
		return nil
	}
	best, err := truth.oracle()
	if err != nil {
		return err
	}
	into.Value(oracleGain, 100*-math.Expm1(-best))
	if best < worthTiming {
		return nil
	}
	at, reached, err := since(held, func(s controller.Setting) (bool, error) {
		gain, err := truth.gain(s)
		return gain >= 0.9*best, err
	})
	if err != nil {
		return err
	}
	if !reached {
		at = orderLong
	}
	gain, err := truth.gain(final)
	if err != nil {
		return err
	}
	into.Value(gainTime, at.Seconds())
	into.Count(gained, reached)
	into.Value(gainShare, 100*gain/best)
	return nil
}

// worthTiming is the least gain of the oracle that is looked for, log units: what the
// controller takes as an effect worth having.
const worthTiming = 0.03

// since when what is held has been enough, to the end; what was given back does not
// count. It looks at no more of what was held than it must.
func since(held []move, enough func(controller.Setting) (bool, error)) (at time.Duration, reached bool, err error) {
	for _, m := range slices.Backward(held) {
		ok, err := enough(m.to)
		if err != nil || !ok {
			return at, reached, err
		}
		at, reached = m.at, true
	}
	return at, reached, nil
}

// tellTrials tells what was tried, and how much of what was kept is truly worse than
// what it replaced, beyond luck.
func (w *workload) tellTrials(truth *truth, a *account, into *Tally) error {
	trials, pairs, kept, bad := 0, 0, 0, 0
	for i := range a.verdicts {
		v := &a.verdicts[i]
		if v.Audit != 0 {
			continue
		}
		trials++
		pairs += v.Pairs
		if v.Outcome != controller.Kept {
			continue
		}
		was, err := truth.gain(v.From)
		if err != nil {
			return err
		}
		is, err := truth.gain(v.To)
		if err != nil {
			return err
		}
		kept++
		if is < was-leastStep {
			bad++
		}
	}
	into.Value(triedTrials, float64(trials))
	into.Value(triedPairs, float64(pairs))
	into.Value(keeps, float64(kept))
	into.Value(keptWorseOf, float64(bad))
	return nil
}
