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
	"autotune/internal/stats"
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

// proposers are the contenders: the shipped controller with each policy.
func proposers() []struct {
	name   string
	policy func(workload string, offered []controller.Optimization, seed uint64) controller.Policy
} {
	type p = struct {
		name   string
		policy func(workload string, offered []controller.Optimization, seed uint64) controller.Policy
	}
	return []p{
		{byGuide, func(string, []controller.Optimization, uint64) controller.Policy { return guide("")() }},
		{byOrder, func(w string, _ []controller.Optimization, _ uint64) controller.Policy {
			order, _ := catalog.Order(w) // of a workload that there is
			return policies.NewInOrder(byOrder, order)
		}},
		{byChance, func(_ string, offered []controller.Optimization, seed uint64) controller.Policy {
			var order []string
			for _, i := range rand.New(rand.NewPCG(seed, 61)).Perm(len(offered)) {
				order = append(order, offered[i].Name)
			}
			return policies.NewInOrder(byChance, order)
		}},
		{byPlain, func(string, []controller.Optimization, uint64) controller.Policy {
			p, err := policies.NewGuide("")
			if err != nil {
				panic(err) // no workload is one
			}
			return p
		}},
	}
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
			"Rivals that turn one number have nothing to turn here; see contenders.", orderLong),
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
			if w.still && p.name == byPlain {
				continue // there is nothing to learn
			}
			cells = append(cells, Cell{
				Scenario: w.Name, Contender: p.name, Params: fmt.Sprint(orderLong), Trials: seeds, Batch: 1,
				Trial: func(ctx context.Context, seed uint64, into *Tally) error {
					ours := autotune()
					core := ours.core
					ours.core = func(with play) (controller.Stepper, error) {
						with.policy = func() controller.Policy { return p.policy(w.Workload, w.Offered, seed) }
						return core(with)
					}
					a, err := g.play(ctx, seed, ours)
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
	trials, pairs := 0, 0
	for i := range a.verdicts {
		if a.verdicts[i].Audit == 0 {
			trials++
			pairs += a.verdicts[i].Pairs
		}
	}
	into.Value(triedTrials, float64(trials))
	into.Value(triedPairs, float64(pairs))
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
	at, reached := orderLong.Seconds(), false
	gain := 0.0
	for _, m := range held {
		if gain, err = truth.gain(m.to); err != nil {
			return err
		}
		switch enough := gain >= 0.9*best; {
		case enough && !reached:
			at, reached = m.at.Seconds(), true
		case !enough: // it had it, and gave it back
			at, reached = orderLong.Seconds(), false
		}
	}
	into.Value(gainTime, at)
	into.Count(gained, reached)
	into.Value(gainShare, 100*gain/best)
	return nil
}

// worthTiming is the least gain of the oracle that is looked for, log units: what the
// controller takes as an effect worth having.
const worthTiming = 0.03

// truth is what settings truly do on a scenario.
type truth struct {
	scenario plant.Scenario
	known    *onces[string, goalCosts]
	best     onces[struct{}, bestGain]
}

// goalCosts are the logs of the goals, on average of some runs.
type goalCosts struct {
	mean float64
	err  error
}

type bestGain struct {
	gain float64
	err  error
}

// A setting is run with so many seeds, for so long each.
const (
	truthSeeds = 3
	truthLong  = 45 * time.Second
)

func (t *truth) cost(s controller.Setting) goalCosts {
	return t.known.get(s.String(), func() goalCosts {
		sum := 0.0
		for seed := range uint64(truthSeeds) {
			c, err := t.scenario.Cost(s, seed+1, truthLong)
			if err != nil {
				return goalCosts{err: err}
			}
			sum += (math.Log(c.P95) + math.Log(c.CPUPerRequest) + math.Log(c.LatencyMean)) / 3
		}
		return goalCosts{mean: sum / truthSeeds}
	})
}

// gain of a setting over the initial one, in log units.
func (t *truth) gain(s controller.Setting) (float64, error) {
	was, is := t.cost(t.scenario.Initial()), t.cost(s)
	if was.err != nil {
		return 0, was.err
	}
	return was.mean - is.mean, is.err
}

// leastStep is what a step of the oracle must gain: less is luck.
const leastStep = 0.005

// oracle is the largest gain that coordinate ascent finds: each switch in turn, with
// the numbers that the guide starts it with, until none gains anything; then each
// number that can be tried, by a factor of two or a quarter of its range.
func (t *truth) oracle() (float64, error) {
	b := t.best.get(struct{}{}, func() bestGain {
		at, err := t.ascend()
		if err != nil {
			return bestGain{err: err}
		}
		gain, err := t.gain(at)
		return bestGain{gain, err}
	})
	return b.gain, b.err
}

func (t *truth) ascend() (controller.Setting, error) {
	at := t.scenario.Initial()
	here, err := t.gain(at)
	if err != nil {
		return at, err
	}
	for _, moves := range []func(controller.Setting) []controller.Setting{t.switches, t.numbers} {
		for better := true; better; {
			better = false
			for _, to := range moves(at) {
				gain, err := t.gain(to)
				if err != nil {
					return at, err
				}
				if gain > here+leastStep {
					at, here, better = to, gain, true
					break
				}
			}
		}
	}
	return at, nil
}

func (t *truth) switches(at controller.Setting) []controller.Setting {
	var out []controller.Setting
	for _, o := range t.scenario.Offered {
		change := map[string]float64{o.Switch: 1}
		if at.On(o.Switch) {
			change[o.Switch] = 0
		} else {
			for name, v := range catalog.StartIn(o, t.scenario.Workload, "", func(controller.Metric) (float64, bool) { return 0, false }) {
				if k, ok := t.scenario.Config.Space.Knob(name); ok && k.Period == 0 {
					change[name] = k.Clamp(v)
				}
			}
		}
		if k, _ := t.scenario.Config.Space.Knob(o.Switch); k.PeriodOf == "" { // acts too rarely for trials
			out = append(out, at.With(change))
		}
	}
	return out
}

func (t *truth) numbers(at controller.Setting) []controller.Setting {
	var out []controller.Setting
	for _, o := range t.scenario.Offered {
		for _, name := range o.Knobs {
			k, ok := t.scenario.Config.Space.Knob(name)
			now, _ := at.Get(name)
			if !ok || k.Period > 0 || !at.On(o.Switch) {
				continue
			}
			for _, to := range []float64{now * 2, now / 2} {
				if k.Scale != controller.Log {
					to = now + (to-now)/math.Max(now, 1e-9)*(k.Max-k.Min)/4
				}
				if to = k.Clamp(to); to != now {
					out = append(out, at.With(map[string]float64{name: to}))
				}
			}
		}
	}
	return out
}

// gainful are the scenarios with something to gain that were played.
func gainful(r *Results) (gain, still []string) {
	for _, w := range workloads() {
		switch {
		case r.Of(w.Name, byGuide).N == 0:
		case w.still:
			still = append(still, w.Name)
		case len(r.Of(w.Name, byGuide).Values[gainTime]) > 0:
			gain = append(gain, w.Name)
		}
	}
	return gain, still
}

// sooner are the differences in the time to the gain, by seed, on average of the
// scenarios: below 0 the first is sooner.
func sooner(r *Results, scenarios []string, first, second string) Estimate {
	var sums []float64
	for _, s := range scenarios {
		a, b := r.Of(s, first).Values[gainTime], r.Of(s, second).Values[gainTime]
		for i := range min(len(a), len(b)) {
			if i >= len(sums) {
				sums = append(sums, 0)
			}
			sums[i] += (a[i] - b[i]) / float64(len(scenarios))
		}
	}
	e, _ := Measure{Name: gainTime, Of: Mean}.Take(&Tally{N: len(sums), Values: map[string][]float64{gainTime: sums}})
	return e
}

func orderClaims(r *Results) []Claim {
	gain, still := gainful(r)
	var claims []Claim
	for _, other := range []string{byOrder, byChance} {
		e := sooner(r, gain, byGuide, other)
		claims = append(claims, Claim{
			Text:   fmt.Sprintf("the guide has 90 %% of the oracle's gain sooner than %s, on average of the workloads", other),
			Figure: fmt.Sprintf("%+.0f s (%+.0f..%+.0f), means of %d seeds; %s", e.Value, e.Low, e.High, e.N, medians(r, gain, byGuide, other)), Holds: e.High < 0,
		})
	}
	e := sooner(r, gain, byGuide, byPlain)
	claims = append(claims, Claim{
		Text:   fmt.Sprintf("the guide has 90 %% of the oracle's gain no later than %s, on average of the workloads", byPlain),
		Figure: fmt.Sprintf("%+.0f s (%+.0f..%+.0f), means of %d seeds; %s", e.Value, e.Low, e.High, e.N, medians(r, gain, byGuide, byPlain)), Holds: e.Low <= 0,
	})
	for _, s := range gain {
		ours := stats.Median(r.Of(s, byGuide).Values[gainTime])
		for _, other := range []string{byOrder, byChance} {
			theirs := stats.Median(r.Of(s, other).Values[gainTime])
			claims = append(claims, Claim{
				Text:   fmt.Sprintf("%s: no later than %s, by the median", s, other),
				Figure: fmt.Sprintf("%.0f s against %.0f s, n=%d", ours, theirs, r.Of(s, byGuide).N), Holds: ours <= theirs+slack(r),
			})
		}
	}
	for _, s := range still {
		t := r.Of(s, byGuide)
		e, _ := Measure{Name: atInitial, Of: Rate}.Take(t)
		tries := stats.Median(t.Values[triedTrials])
		claims = append(claims, Claim{
			Text:   fmt.Sprintf("%s: the guide ends at the baseline", s),
			Figure: fmt.Sprintf("in %.0f %% of %d sessions, after %.0f trials (median)", 100*e.Value, e.N, tries), Holds: e.Value >= 0.9,
		})
	}
	return claims
}

// slack in seconds: a few pairs are luck, and with two seeds a trial is.
func slack(r *Results) float64 {
	if r.Short {
		return 240
	}
	return 15
}

func medians(r *Results, scenarios []string, names ...string) string {
	text := "medians over all sessions"
	for _, name := range names {
		var all []float64
		for _, s := range scenarios {
			all = append(all, r.Of(s, name).Values[gainTime]...)
		}
		text += fmt.Sprintf(", %s %.0f s", name, stats.Median(all))
	}
	return text
}

func orderTables(r *Results) []Table {
	m := Order().Measures
	var out []Table
	for _, w := range workloads() {
		t := Table{Title: w.Name, Head: []string{"policy", "n"}, Note: w.For}
		if !w.still {
			t.Note += fmt.Sprintf(". A time of %.0f s is a session that never had the gain, or gave it back.", orderLong.Seconds())
		}
		for _, x := range m {
			t.Head = append(t.Head, x.Name)
		}
		for _, p := range proposers() {
			if tally := r.Of(w.Name, p.name); tally.N > 0 {
				t.Rows = append(t.Rows, append([]string{p.name}, figures(tally, m)...))
			}
		}
		if len(t.Rows) > 0 {
			out = append(out, t)
		}
	}
	return out
}
