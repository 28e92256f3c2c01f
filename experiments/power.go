package experiments

import (
	"fmt"
	"math"
	"slices"
	"time"

	"autotune/report"
)

// Power asks how surely and how soon effects of known size are found, and what
// a trial of a bad change costs.
func Power() Experiment {
	return Experiment{
		Name: "power",
		Doc: "How surely and how soon is a change of known effect on latency kept, or called worse, and what does trying it cost? " +
			"Pair noise is the standard deviation of the difference of two blocks without a change, in log units.",
		Cells: powerCells,
		Measures: []Measure{
			{Name: kept, Of: Rate, Format: "%.1f"},
			{Name: worse, Of: Rate, Format: "%.1f"},
			{Name: pairsOf, Of: Median, Format: "%.0f"},
			{Name: pairsKept, Of: Median, Format: "%.0f", Better: report.Less},
			{Name: pairsWorse, Of: Median, Format: "%.0f", Better: report.Less},
			{Name: exposed, Of: Median, Format: "%.0f", Better: report.Less},
			{Name: paid, Of: Mean, Format: "%.3g", Better: report.Less},
		},
		Tables: powerTables,
		Claims: powerClaims,
		Charts: powerCharts,
	}
}

var (
	powerNoises  = []float64{0.05, 0.15, 0.40}
	powerEffects = []float64{-0.03, -0.05, -0.10, -0.20, -0.50, 0.05, 0.10, 0.30, 1.00}
)

// known is what a prototype of the test alone reached: median pairs to a
// decision, and the share decided within 120. 0 is not known.
type known struct {
	pairs int
	share float64
}

func prototype(noise, effect float64) (known, bool) {
	row := map[float64][]known{
		0.05: {{}, {12, 1}, {7, 1}, {7, 1}, {7, 1}, {}, {7, 1}, {7, 1}, {7, 1}},
		0.15: {{}, {78, .77}, {21, 1}, {8, 1}, {7, 1}, {}, {26, 1}, {8, 1}, {7, 1}},
		0.40: {{}, {505, .11}, {123, .49}, {31, 1}, {8, 1}, {}, {142, .40}, {24, 1}, {8, 1}},
	}[noise]
	i := slices.Index(powerEffects, effect)
	if row == nil || i < 0 || row[i].pairs == 0 {
		return known{}, false
	}
	return row[i], true
}

func powerScenario(noise, effect float64) string {
	return fmt.Sprintf("noise %.2f, %+.0f %%", noise, 100*effect)
}

func powerCells(short bool) ([]Cell, error) {
	trials, rivals := 2000, 400
	if short {
		trials, rivals = 60, 20
	}
	var cells []Cell
	for _, noise := range powerNoises {
		for _, effect := range powerEffects {
			w := world{Drift: "none", Tail: "none", Noise: noise, Rate: 50, Block: 5 * time.Second, Goals: 1, Effect: effect}
			for i, c := range contenders() {
				n := trials
				if i > 0 {
					n = rivals
				}
				cells = append(cells, cellOf(powerScenario(noise, effect), w, c, n, 100))
			}
		}
	}
	return cells, nil
}

// decided is the share of autotune's trials that came to the right end before
// their pairs were used up, and the median pairs of those. A gain is decided
// when it is kept, a loss when it is called worse.
func decided(t *Tally, effect float64) (share, pairs float64) {
	right := t.Values[pairsKept]
	if effect > 0 {
		right = t.Values[pairsWorse]
	}
	if len(right) == 0 {
		return 0, math.NaN()
	}
	return float64(len(right)) / float64(t.N), quantileOf(slices.Sorted(slices.Values(right)), 0.5)
}

func powerTables(r *Results) []Table {
	var out []Table
	m := Power().Measures
	for _, noise := range powerNoises {
		t := Table{
			Title: fmt.Sprintf("autotune, pair noise %.2f", noise),
			Head:  []string{"effect", "n", m[0].Name, m[1].Name, m[2].Name, m[3].Name, m[4].Name, m[5].Name, m[6].Name, "test alone: pairs (decided)"},
		}
		for _, effect := range powerEffects {
			row := append([]string{fmt.Sprintf("%+.0f %%", 100*effect)}, figures(r.Of(powerScenario(noise, effect), autotune().name), m)...)
			was := "-"
			if k, ok := prototype(noise, effect); ok {
				was = fmt.Sprintf("%d (%.0f %%)", k.pairs, 100*k.share)
			}
			t.Rows = append(t.Rows, append(row, was))
		}
		out = append(out, t)
	}
	out[len(out)-1].Note = "Excess latency-seconds is what the trial cost against leaving everything as it is, at 50 requests/s of 10 ms each; below zero is what it gained. " +
		"The last column is the test without the rules that give up: a loss that autotune neither keeps nor calls worse was given up as not worth having."
	for _, noise := range powerNoises {
		t := Table{Title: fmt.Sprintf("Beside rival rules, pair noise %.2f: kept %% / called worse %%", noise), Head: []string{"rule"}}
		for _, effect := range powerEffects {
			t.Head = append(t.Head, fmt.Sprintf("%+.0f %%", 100*effect))
		}
		for _, c := range contenders() {
			row := []string{c.name}
			for _, effect := range powerEffects {
				x := r.Of(powerScenario(noise, effect), c.name)
				row = append(row, fmt.Sprintf("%.0f / %.0f", percent(x.Counts[kept], x.N), percent(x.Counts[worse], x.N)))
			}
			t.Rows = append(t.Rows, row)
		}
		out = append(out, t)
	}
	return out
}

func powerClaims(r *Results) []Claim {
	slack := 0.06 // giving up costs 4 points or so
	if r.Short {
		slack = 0.15
	}
	var short, slow []string
	regressions := &Tally{}
	for _, noise := range powerNoises {
		for _, effect := range powerEffects {
			t := r.Of(powerScenario(noise, effect), autotune().name)
			if effect > 0 {
				regressions.N += t.N
				regressions.Count(kept, false)
				regressions.Counts[kept] += t.Counts[kept]
			}
			was, ok := prototype(noise, effect)
			if !ok {
				continue
			}
			share, pairs := decided(t, effect)
			if effect < 0 && share < was.share-slack || effect >= 2*noise && share < 0.95 {
				short = append(short, fmt.Sprintf("%s: %.0f %%, alone %.0f %%", powerScenario(noise, effect), 100*share, 100*was.share))
			}
			if was.share > 0.95 && share > 0.9 && pairs > 2+1.3*float64(was.pairs) {
				slow = append(slow, fmt.Sprintf("%s: %.0f pairs, alone %d", powerScenario(noise, effect), pairs, was.pairs))
			}
		}
	}
	say := func(faults []string, fine string) string {
		if len(faults) == 0 {
			return fine
		}
		return fmt.Sprint(faults)
	}
	return []Claim{
		{
			Text:   fmt.Sprintf("gains are kept as often as by the test alone, within %.0f points, and losses of twice the noise are called worse in 95 %%", 100*slack),
			Figure: say(short, "in every cell"), Holds: len(short) == 0,
		},
		{Text: "in about as many pairs as by the test alone", Figure: say(slow, "in every cell"), Holds: len(slow) == 0},
		{
			Text:   "a regression of 5 % or more is kept in less than 1 % of trials",
			Figure: fmt.Sprintf("%d of %d", regressions.Counts[kept], regressions.N),
			Holds:  percent(regressions.Counts[kept], regressions.N) < 1,
		},
	}
}
