package experiments

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"autotune/controller"
	"autotune/experiments/rivals"
	"autotune/internal/stats"
	"autotune/report"
)

const (
	regretOf   = "regret %"
	excessOf   = "against nothing %"
	endOf      = "final third %"
	harmOf     = "harm %"
	paidOf     = "harm, seconds"
	decidesOf  = "decides in s"
	requestsTo = "requests to decide"
	settledOf  = "settled after s"
	falselyOf  = "false keeps"
	flipsOf    = "flip-flops"
	triedOf    = "evaluations"
)

// The bounds.
const (
	nothingName = "do nothing"
	randomName  = "random"
)

// entrant is a contender, and where it can take part.
type entrant struct {
	contender
	// absent says why it is left out of a scenario, or "".
	absent func(g *ground) string
	// bound: not a rival, but what rivals are held against.
	bound bool
}

// entrants are autotune, the judges, those that turn a number, and the bounds.
// The oracle is not among them: it plays what the others are measured by.
func entrants() []entrant {
	anywhere := func(*ground) string { return "" }
	var out []entrant
	for _, c := range contenders() {
		out = append(out, entrant{contender: c, absent: anywhere})
	}
	for _, o := range rivals.Origins() {
		out = append(out, entrant{contender: turning(o), absent: func(g *ground) string {
			switch {
			case g.turns == 0:
				return "it turns a number, and here are switches"
			case g.turns != o.Turns && o.Turns == rivals.Concurrency:
				return "it turns a limit on concurrency, and this is a cache"
			case g.turns != o.Turns:
				return "it turns a part of a cache, and this is a limit on concurrency"
			}
			return ""
		}})
	}
	return append(out,
		entrant{bound: true, absent: anywhere, contender: contender{nothingName, func(p play) (controller.Stepper, error) {
			return rivals.NewStatic(controller.Setting{}, p.until), nil
		}}},
		entrant{bound: true, absent: anywhere, contender: contender{randomName, func(p play) (controller.Stepper, error) {
			return rivals.NewRandom(p.movable(), p.until.Sub(epoch())/60, p.until, p.seed), nil
		}}},
	)
}

// turning is the contender of a law.
func turning(o rivals.Origin) contender {
	return contender{o.Name, func(p play) (controller.Stepper, error) {
		k, _ := p.space.Knob(p.knob)
		return rivals.NewMover(p.space, p.knob, inside{o.New(k, p.seed)}, p.until)
	}}
}

// movable are the knobs that what is offered may move.
func (p *play) movable() []controller.Knob {
	var out []controller.Knob
	for _, k := range p.space.Knobs {
		for _, o := range p.offered {
			if k.Period == 0 && (k.Name == o.Switch || slices.Contains(o.Knobs, k.Name)) {
				out = append(out, k)
				break
			}
		}
	}
	return out
}

// grounds are all scenarios, with their memory of static settings.
func grounds() []ground {
	all := slices.Concat(trapGrounds(), workloadGrounds(), numberGrounds(), homeGrounds())
	for i := range all {
		all[i].known = &onces[staticKey, staticCost]{}
	}
	return all
}

// groups in order.
func groups() []string { return []string{trapGroup, workloadGroup, numberGroup, homeGroup} }

// Contenders asks what autotune is worth beside what others would do.
func Contenders() Experiment {
	return Experiment{
		Name: "contenders",
		Doc: "What does a session come to under each contender, in the same worlds? Regret is the true cost beyond that of the best static setting, found by exhaustive search in " +
			"the same world, in percent of what doing nothing costs; harm is the cost of the stretches of 5 s that were worse than doing nothing. Costs are without noise: latency-seconds, " +
			"with a second for each request that fails; CPU-seconds where the scenario is about CPU; what a home earns there.",
		Cells: contenderCells,
		Measures: []Measure{
			{Name: regretOf, Of: Median, Format: "%+.1f", Better: report.Less},
			{Name: excessOf, Of: Median, Format: "%+.1f", Better: report.Less},
			{Name: endOf, Of: Median, Format: "%+.1f", Better: report.Less},
			{Name: harmOf, Of: Median, Format: "%.2f", Better: report.Less},
			{Name: paidOf, Of: Median, Format: "%.3g", Better: report.Less},
			{Name: decidesOf, Of: Median, Format: "%.0f", Better: report.Less},
			{Name: requestsTo, Of: Median, Format: "%.0f", Better: report.Less},
			{Name: settledOf, Of: Median, Format: "%.0f", Better: report.Less},
			{Name: falselyOf, Of: Mean, Format: "%.1f", Better: report.Less},
			{Name: flipsOf, Of: Median, Format: "%.0f", Better: report.Less},
			{Name: triedOf, Of: Median, Format: "%.0f"},
		},
		Tables: contenderTables,
		Claims: contenderClaims,
	}
}

// inShort are the scenarios of the short form: those that take little time.
func inShort() []string {
	return []string{"two knobs that interact", "better p50, worse p99", "threads, throughput peaks", "tickets of a store"}
}

func contenderCells(short bool) ([]Cell, error) {
	var cells []Cell
	for _, g := range grounds() {
		seeds := 4
		switch g.group {
		case workloadGroup, numberGroup: // every request waits and is served: a second of work a session
			seeds = 3
		}
		if short {
			seeds = 2
		}
		if short && !slices.Contains(inShort(), g.name) {
			continue
		}
		for _, e := range entrants() {
			if e.absent(&g) != "" {
				continue
			}
			cells = append(cells, Cell{
				Scenario: g.name, Contender: e.name, Params: fmt.Sprint(g.group, g.horizon), Trials: seeds, Batch: 1,
				Trial: func(ctx context.Context, seed uint64, into *Tally) error { return g.meet(ctx, seed, e.contender, into) },
			})
		}
	}
	return cells, nil
}

// meet lets a contender play a session, and tells what came of it.
func (g *ground) meet(ctx context.Context, seed uint64, c contender, into *Tally) error {
	_, least, err := g.oracle(ctx, seed)
	if err != nil {
		return err
	}
	a, err := g.play(ctx, seed, c)
	if err != nil {
		return err
	}
	into.Value(regretOf, a.whole-least)
	into.Value(excessOf, a.whole)
	into.Value(endOf, a.end)
	into.Value(harmOf, a.harm)
	if g.unit != "" {
		into.Value(paidOf, a.paid)
	}
	m, _, err := g.scene(seed)
	if err != nil {
		return err
	}
	initial, err := m.target.Current(ctx)
	if err != nil {
		return err
	}
	held := a.held(initial)
	into.Value(settledOf, held[len(held)-1].at.Seconds())
	into.Value(flipsOf, float64(flips(held)))
	return g.tellTrials(ctx, seed, a, into)
}

// tellTrials tells how a contender decided, if it did by trials.
func (g *ground) tellTrials(ctx context.Context, seed uint64, a *account, into *Tally) error {
	if len(a.verdicts) == 0 {
		into.Value(triedOf, float64(len(a.moves)))
		return nil
	}
	var took, requests []float64
	falsely := 0
	for i := range a.verdicts {
		v := &a.verdicts[i]
		if v.Audit != 0 {
			continue
		}
		if !v.Interrupted() {
			took = append(took, v.Ended.Sub(v.Started).Seconds())
			requests = append(requests, v.Requests)
		}
		if v.Outcome != controller.Kept {
			continue
		}
		was, err := g.stay(ctx, seed, v.From)
		if err != nil {
			return err
		}
		is, err := g.stay(ctx, seed, v.To)
		if err != nil {
			return err
		}
		if is >= was {
			falsely++
		}
	}
	into.Value(triedOf, float64(len(took)))
	into.Value(falselyOf, float64(falsely))
	if len(took) > 0 {
		into.Value(decidesOf, stats.Median(took))
		into.Value(requestsTo, stats.Median(requests))
	}
	return nil
}

// lost is the regret and the harm, in percent of what doing nothing costs, at
// which a scenario counts as lost: beyond it, more is not worse. Else one service
// that dies and dies would decide about all scenarios.
const lost = 100.0

// against compares autotune with a rival, seed by seed: mean differences over the
// seeds of what scenarios come to on average, less is better.
func against(r *Results, scenarios []string, rival, what string) (Estimate, bool) {
	var sums []float64
	for _, s := range scenarios {
		ours, theirs := r.Of(s, autotune().name).Values[what], r.Of(s, rival).Values[what]
		for i := range min(len(ours), len(theirs)) {
			if i >= len(sums) {
				sums = append(sums, 0)
			}
			sums[i] += (min(ours[i], lost) - min(theirs[i], lost)) / float64(len(scenarios))
		}
	}
	if len(sums) == 0 || slices.ContainsFunc(sums, math.IsNaN) {
		return Estimate{}, false
	}
	return Measure{Name: what, Of: Mean}.Take(&Tally{N: len(sums), Values: map[string][]float64{what: sums}})
}

// played are the scenarios of a group in which a contender took part.
func played(r *Results, group, contender string) []string {
	var out []string
	for _, g := range grounds() {
		if g.group == group && r.Of(g.name, contender).N > 0 {
			out = append(out, g.name)
		}
	}
	return out
}

// standing is how autotune stands to a rival somewhere.
type standing struct {
	regret, harm Estimate
}

// ahead: less regret, and no more harm than a tenth of a percent.
func (s standing) ahead() bool { return s.regret.High < 0 && s.harm.Value <= 0.1 }

func (s standing) String() string {
	f := func(e Estimate) string { return fmt.Sprintf("%+.1f (%+.1f..%+.1f)", e.Value, e.Low, e.High) }
	return fmt.Sprintf("regret %s, harm %s points", f(s.regret), f(s.harm))
}

func standingOf(r *Results, scenarios []string, rival string) (standing, bool) {
	regret, ok := against(r, scenarios, rival, regretOf)
	harm, also := against(r, scenarios, rival, harmOf)
	return standing{regret, harm}, ok && also
}

func contenderClaims(r *Results) []Claim {
	var claims []Claim
	for _, group := range groups() {
		for _, e := range entrants() {
			scenarios := played(r, group, e.name)
			s, ok := standingOf(r, scenarios, e.name)
			if e.name == autotune().name || !ok {
				continue
			}
			c := Claim{
				Text:   fmt.Sprintf("%s: ahead of %s on regret, with harm no greater", group, e.name),
				Figure: fmt.Sprintf("%s against it, on average of %d scenarios", s, len(scenarios)), Holds: s.ahead(),
			}
			x, ok := excuses[group]
			if r, only := reasons[scenarios[0]]; only && len(scenarios) == 1 {
				x.regret, x.why = r.most, r.why
			}
			if ok && !c.Holds {
				c.Text = fmt.Sprintf("%s: not ahead of %s, but by at most %.0f points of regret and %.1f of harm: %s", group, e.name, x.regret, x.harm, x.why)
				c.Holds = s.regret.Value <= x.regret && s.harm.Value <= x.harm
			}
			claims = append(claims, c)
		}
	}
	var unexplained []string
	for _, row := range allBehind(r) {
		if row.why == "" {
			unexplained = append(unexplained, fmt.Sprintf("%s, %s (%s)", row.scenario, row.contender, row.standing))
		}
	}
	figure := "in every row"
	if len(unexplained) > 0 {
		figure = strings.Join(unexplained, "; ")
	}
	return append(claims, Claim{Text: "where it is behind in a single scenario it is known why", Figure: figure, Holds: len(unexplained) == 0})
}

func contenderTables(r *Results) []Table {
	var out []Table
	m := Contenders().Measures
	for _, group := range groups() {
		var names []string
		var in []ground
		for _, g := range grounds() {
			if g.group == group && r.Of(g.name, autotune().name).N > 0 {
				in = append(in, g)
			}
		}
		for _, e := range entrants() {
			if len(played(r, group, e.name)) > 0 {
				names = append(names, e.name)
			}
		}
		if len(in) == 0 {
			continue
		}
		for _, what := range []Measure{m[0], m[3]} {
			out = append(out, byScenario(r, group, in, names, what))
		}
		out = append(out, rowsBehind(r, group))
		for _, g := range in {
			out = append(out, detail(r, &g, m))
		}
	}
	return out
}

// byScenario has a row a scenario and a column a contender.
func byScenario(r *Results, group string, in []ground, names []string, what Measure) Table {
	t := Table{Title: fmt.Sprintf("%s: %s", group, what.Name), Head: append([]string{"scenario"}, names...), Note: "Medians of the seeds. A dash: left out, see below."}
	for _, g := range in {
		row := []string{g.name}
		for _, name := range names {
			text := "-"
			if e, ok := what.Take(r.Of(g.name, name)); ok {
				text = fmt.Sprintf(what.Format, e.Value)
			}
			row = append(row, text)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// rowsBehind lists where autotune is behind in a group.
func rowsBehind(r *Results, group string) Table {
	t := Table{
		Title: group + ": where autotune is behind",
		Head:  []string{"scenario", "contender", "n", "regret, autotune less the other", "harm, autotune less the other", "why"},
		Note: fmt.Sprintf("Differences in points, paired by seed, with 95 %% intervals of their means; a regret or a harm above %.0f counts as %.0f. "+
			"Behind is a regret whose interval is above zero, or more harm that less regret does not pay for.", lost, lost),
	}
	for _, row := range allBehind(r) {
		if row.group == group {
			f := func(e Estimate) string { return fmt.Sprintf("%+.2f (%+.2f..%+.2f)", e.Value, e.Low, e.High) }
			t.Rows = append(t.Rows, []string{row.scenario, row.contender, fmt.Sprint(row.regret.N), f(row.regret), f(row.harm), row.why})
		}
	}
	return t
}

// detail has all that was measured in a scenario, and who was left out.
func detail(r *Results, g *ground, m []Measure) Table {
	t := Table{Title: g.group + ": " + g.name, Head: []string{"contender", "n"}, Note: g.doc}
	for _, x := range m {
		name := x.Name
		if name == paidOf && g.unit != "" {
			name = "harm, " + g.unit + "-seconds"
		}
		t.Head = append(t.Head, name)
	}
	var absent []string
	for _, e := range entrants() {
		if why := e.absent(g); why != "" {
			absent = append(absent, e.name+": "+why)
			continue
		}
		t.Rows = append(t.Rows, append([]string{e.name}, figures(r.Of(g.name, e.name), m)...))
	}
	if len(absent) > 0 {
		t.Note += " Left out: " + strings.Join(absent, "; ") + "."
	}
	return t
}
