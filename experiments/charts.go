package experiments

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"autotune/internal/stats"
	"autotune/report"
)

// The charts of the experiments: what people look at before they read a table.
// They show what the tables have, from the same tallies.

// rateBar is a share of trials in percent with its 99 % interval.
func rateBar(group, label string, k, n int, tone report.Tone) report.Bar {
	low, high := stats.Binomial(k, max(n, 1), Rate.level())
	return report.Bar{Group: group, Label: label, N: n, Value: percent(k, n), Low: 100 * low, High: 100 * high, Tone: tone}
}

// measureBar is a measure of a tally, and whether it has one.
func measureBar(m Measure, group, label string, t *Tally, tone report.Tone) (report.Bar, bool) {
	e, ok := m.Take(t)
	return report.Bar{Group: group, Label: label, N: e.N, Value: e.Value, Low: e.Low, High: e.High, Tone: tone}, ok
}

// toneFor marks what is ours among rivals.
func toneFor(contender string) report.Tone {
	if contender == autotune().name {
		return report.Good
	}
	return report.Plain
}

var oursAndTheirs = map[report.Tone]string{report.Good: "autotune", report.Plain: "rival rules"}

var promisedLimit = report.Limit{Label: "2.5 %, what is promised", Value: 100 * promised}

// ratePoint of a curve: a share of trials in percent with its 99 % interval.
func ratePoint(x float64, k, n int) report.Point {
	low, high := stats.Binomial(k, max(n, 1), Rate.level())
	return report.Point{X: x, Y: percent(k, n), Low: 100 * low, High: 100 * high, N: n}
}

// medianCurve has the median of a tally's values at each place, with the
// interval of its order statistics: a regret curve with its band.
func medianCurve(name string, t *Tally, xs []float64, at func(i int) string) report.Series {
	s := report.Series{Name: name}
	for i, x := range xs {
		if e, ok := (Measure{Name: at(i), Of: Median}).Take(t); ok {
			s.Points = append(s.Points, report.Point{X: x, Y: e.Value, Low: e.Low, High: e.High, N: e.N})
		}
	}
	return s
}

func aaCharts(r *Results) []report.Chart {
	rivals := &report.Bars{X: report.Axis{Label: "trials", Unit: "%"}, Limits: []report.Limit{promisedLimit}, Tones: oursAndTheirs}
	for _, s := range []struct{ group, what, scenario string }{
		{"No effect: kept", kept, usual(0)},
		{"A regression of 10 %: kept", kept, usual(0.10)},
		{"No effect: called worse", worse, usual(0)},
	} {
		for _, c := range contenders() {
			if t := r.Of(s.scenario, c.name); t.N > 0 {
				rivals.Bars = append(rivals.Bars, rateBar(s.group, c.name, t.Counts[s.what], t.N, toneFor(c.name)))
			}
		}
	}
	// All cells by drift and tail, whatever the rate and the block.
	grid := &report.Bars{X: report.Axis{Label: "false keeps", Unit: "% of trials"}, Limits: []report.Limit{promisedLimit}}
	var names []string
	tallies := map[string]*Tally{}
	for i, c := range r.Cells {
		if w, ok := c.Params.(world); ok && noEffect(c) && c.Scenario != usual(0) {
			name := w.Drift + ", " + w.Tail
			if tallies[name] == nil {
				names, tallies[name] = append(names, name), &Tally{}
			}
			tallies[name].add(&r.Tallies[i])
		}
	}
	slices.Sort(names)
	for _, name := range names {
		t := tallies[name]
		grid.Bars = append(grid.Bars, rateBar("", name, t.Counts[kept], t.N, report.Good))
	}
	return []report.Chart{
		{
			Title: "Errors, beside rival rules", Bars: rivals,
			Alt: "For each rule, how often a change without an effect is kept or called worse and a regression of 10 % is kept, in percent of trials with 99 % intervals.",
		},
		{
			Title: "False keeps of autotune, by drift and tail", Bars: grid,
			Alt:  fmt.Sprintf("How often a change that does nothing is kept, over %d kinds of drift and tail, in percent with 99 %% intervals, against the nominal 2.5 %%.", len(names)),
			Note: "All rates, lengths of blocks and numbers of goals together; the table has them one by one.",
		},
	}
}

func powerCharts(r *Results) []report.Chart {
	x := report.Axis{Label: "size of the effect", Unit: "%", Log: true}
	curve := func(name, contender string, noise float64, gains bool, what string) report.Series {
		s := report.Series{Name: name}
		for _, e := range powerEffects {
			if t := r.Of(powerScenario(noise, e), contender); (e < 0) == gains && t.N > 0 {
				s.Points = append(s.Points, ratePoint(100*math.Abs(e), t.Counts[what], t.N))
			}
		}
		slices.SortFunc(s.Points, func(a, b report.Point) int { return int(math.Copysign(1, a.X-b.X)) })
		return s
	}
	gains := &report.Lines{X: x, Y: report.Axis{Label: "kept", Unit: "% of trials", Zero: true}}
	losses := &report.Lines{X: x, Y: report.Axis{Label: "called worse", Unit: "% of trials", Zero: true}}
	for _, noise := range powerNoises {
		name := fmt.Sprintf("pair noise %.2f", noise)
		gains.Series = append(gains.Series, curve(name, autotune().name, noise, true, kept))
		losses.Series = append(losses.Series, curve(name, autotune().name, noise, false, worse))
	}
	const middle = 0.15
	rivals := &report.Lines{X: x, Y: report.Axis{Label: "kept", Unit: "% of trials", Zero: true}}
	bad := &report.Lines{X: x, Y: report.Axis{Label: "kept", Unit: "% of trials", Zero: true}}
	for _, c := range contenders() {
		if s := curve(c.name, c.name, middle, true, kept); len(s.Points) > 0 {
			rivals.Series = append(rivals.Series, s)
		}
		if s := curve(c.name, c.name, middle, false, kept); len(s.Points) > 0 {
			bad.Series = append(bad.Series, s)
		}
	}
	const bands = "Bands are 99 % intervals."
	return []report.Chart{
		{Title: "Gains that are kept", Lines: gains, Note: bands, Alt: "How often a gain is kept, by its size, at three levels of noise: from rarely at a few percent under the strongest noise to always at half."},
		{Title: "Losses that are called worse", Lines: losses, Note: bands, Alt: "How often a loss is called worse, by its size, at three levels of noise. A loss that is not called worse is given up, not kept."},
		{Title: "Gains that are kept, beside rival rules, at pair noise 0.15", Lines: rivals, Note: bands, Alt: "How often each rule keeps a gain, by its size."},
		{Title: "Losses that are kept, beside rival rules, at pair noise 0.15", Lines: bad, Note: bands + " Lower is better.", Alt: "How often each rule keeps a loss, by its size: lower is better."},
	}
}

func guardCharts(r *Results) []report.Chart {
	first := &report.Bars{X: report.Axis{Label: "aborted in the first block", Unit: "% of trials"}}
	quiet := &report.Bars{X: report.Axis{Label: "aborted without a reason", Unit: "% of candidate blocks"}}
	type sum struct{ k, n int }
	none := map[string]sum{}
	for i, c := range r.Cells {
		g, ok := c.Params.(guarded)
		t := &r.Tallies[i]
		switch {
		case !ok:
		case g.Factor == 1:
			s := none[g.Upset]
			none[g.Upset] = sum{s.k + t.Counts[everGuard], s.n + blocksIn(t)}
		default:
			first.Bars = append(first.Bars, rateBar(fmt.Sprintf("%s, %v requests/s", g.Tail, g.Rate), fmt.Sprintf("%vx as slow", g.Factor), t.Counts[firstBlock], t.N, report.Good))
		}
	}
	for _, u := range upsets {
		if s := none[u]; s.n > 0 {
			quiet.Bars = append(quiet.Bars, rateBar("", u, s.k, s.n, report.Bad))
		}
	}
	return []report.Chart{
		{Title: "A slow candidate is aborted in its first block", Bars: first, Alt: "How often a candidate that is 1.5 to 10 times as slow is aborted within its first block, by tail and rate, with 99 % intervals."},
		{Title: "A candidate that does nothing is aborted", Bars: quiet, Alt: "How often a block of a candidate that does nothing is aborted, by what else happens to the service, with 99 % intervals."},
	}
}

func auditCharts(r *Results) []report.Chart {
	share := &report.Bars{X: report.Axis{Label: "rolled back", Unit: "% of runs"}, Tones: map[report.Tone]string{
		report.Good: "worse than before: should be", report.Bad: "no worse: should not be",
	}}
	took := &report.Bars{X: report.Axis{Label: "from the keep to the rollback", Unit: "blocks", Log: true}, Dots: true}
	for i, c := range r.Cells {
		a, ok := c.Params.(audited)
		if !ok {
			continue
		}
		tone := report.Good
		if a.Then <= 0 {
			tone = report.Bad
		}
		t := &r.Tallies[i]
		share.Bars = append(share.Bars, rateBar("", c.Scenario, t.Counts[rolledBack], t.N, tone))
		if b, ok := measureBar(Measure{Name: blocksTo, Of: Median}, "", c.Scenario, t, report.Good); ok && a.Then > 0 {
			took.Bars = append(took.Bars, b)
		}
	}
	return []report.Chart{
		{Title: "Keeps that are rolled back", Bars: share, Alt: "How often audits roll a keep back, by the noise and by what its effect becomes, with 99 % intervals."},
		{Title: "How soon", Bars: took, Note: "Medians with 95 % intervals.", Alt: "The median number of blocks from a keep to its rollback."},
	}
}

func realCharts(r *Results) []report.Chart {
	false0 := &report.Bars{X: report.Axis{Label: "false keeps", Unit: "% of trials"}, Limits: []report.Limit{promisedLimit}}
	gains := &report.Bars{X: report.Axis{Label: "kept", Unit: "% of trials"}, Limits: []report.Limit{{Label: "80 %", Value: 80}}}
	label := func(c *ownCell) string { return fmt.Sprintf("%s, blocks of %d", c.Set, c.Block) }
	for _, c := range ownCells(r, 0) {
		false0.Bars = append(false0.Bars, rateBar("", label(&c), c.tally.Counts[kept], c.tally.N, report.Good))
	}
	for _, c := range ownCells(r, gain) {
		gains.Bars = append(gains.Bars, rateBar("", label(&c), c.tally.Counts[kept], c.tally.N, report.Good))
	}
	rivals := &report.Bars{X: report.Axis{Label: "false keeps", Unit: "% of trials"}, Limits: []report.Limit{promisedLimit}, Tones: oursAndTheirs}
	for _, c := range r.Contenders() {
		t := r.Where(func(x Cell) bool { return x.Contender == c && strings.HasSuffix(x.Scenario, " 0 % better") })
		if t.N > 0 {
			rivals.Bars = append(rivals.Bars, rateBar("", c, t.Counts[kept], t.N, toneFor(c)))
		}
	}
	return []report.Chart{
		{Title: "False keeps on recorded noise", Bars: false0, Alt: "How often nothing is kept on each set of recorded series, with 99 % intervals, against the nominal 2.5 %."},
		{Title: "False keeps on recorded noise, beside rival rules", Bars: rivals, Alt: "How often each rule keeps nothing, over all recorded series, with 99 % intervals."},
		{Title: "A change of 5 % for the better is kept", Bars: gains, Alt: "How often a change of 5 % is kept on each set of series where it can be planned, with 99 % intervals."},
	}
}

// alongAt names what a session had paid after a part of its horizon.
func alongAt(part int) string { return fmt.Sprintf("paid by part %d", part) }

// paysSomething: a curve along which nothing was paid or gained is not shown.
func paysSomething(p report.Point) bool { return math.Abs(p.Y) >= 0.5 }

func trapCharts(r *Results) []report.Chart {
	end := &report.Bars{
		X: report.Axis{Label: "final third, in excess of doing nothing", Unit: "%"}, Dots: true,
		Limits: []report.Limit{{Label: fmt.Sprintf("%.0f %%, what may be lost", harmless), Value: harmless}},
		Tones:  map[report.Tone]string{report.Good: "autotune", report.Quiet: stays, report.Plain: "the rule that is fooled"},
	}
	m := Measure{Name: endCost, Of: Median}
	var out []report.Chart
	for _, t := range allTraps() {
		for _, c := range []struct {
			name string
			tone report.Tone
		}{{autotune().name, report.Good}, {t.fooled, report.Plain}, {stays, report.Quiet}} {
			if b, ok := measureBar(m, t.name, c.name, r.Of(t.name, c.name), c.tone); ok {
				end.Bars = append(end.Bars, b)
			}
		}
		hours := t.length().Hours()
		xs := make([]float64, parts+1)
		for i := range xs {
			xs[i] = hours * float64(i) / parts
		}
		curves := &report.Lines{
			X: report.Axis{Label: "time", Unit: "h", Zero: true}, Y: report.Axis{Label: "paid so far", Unit: "% of the session"},
			Limits: []report.Limit{{Label: "doing nothing", Value: 0}},
		}
		for _, name := range []string{autotune().name, t.fooled, stays} {
			if s := medianCurve(name, r.Of(t.name, name), xs, alongAt); len(s.Points) > 0 {
				curves.Series = append(curves.Series, s)
			}
		}
		if slices.ContainsFunc(curves.Series, func(s report.Series) bool { return slices.ContainsFunc(s.Points, paysSomething) }) {
			out = append(out, report.Chart{
				Title: "Trap: " + t.name, Lines: curves, Note: t.doc,
				Alt: fmt.Sprintf("What %d contenders had paid in excess of doing nothing, over %.0f hours; medians of the seeds with 95 %% bands.", len(curves.Series), hours),
			})
		}
	}
	return append([]report.Chart{{
		Title: "The end of each trap", Bars: end, Note: "Medians of the seeds. Below zero is a gain. Below are the traps in which somebody paid or gained 0.5 % or more, over time.",
		Alt: "For each trap, what autotune, the rule that falls into it and the best static setting cost in the final third, in excess of doing nothing.",
	}}, out...)
}
