package experiments

import (
	"context"
	"fmt"
	"slices"
	"time"

	"autotune/controller"
	"autotune/internal/stats"
	"autotune/report"
)

// What a trial came to, by name in tallies.
const (
	kept    = "kept %"
	worse   = "called worse %"
	exposed = "requests exposed"
	pairsOf = "pairs"
	paid    = "excess latency-seconds"

	pairsKept  = "pairs when kept"
	pairsWorse = "pairs when called worse"
)

const (
	promised = 0.025 // of false keeps, and of false aborts
	atMost   = 0.031 // the upper end of that rate, with 99 % confidence
	enough   = 5000  // trials, for that end to say something
)

// trialIn lets a contender play a world once.
func trialIn(w world, c contender) func(context.Context, uint64, *Tally) error {
	return func(ctx context.Context, seed uint64, into *Tally) error {
		target, err := w.service(seed)
		if err != nil {
			return err
		}
		core, err := c.core(w.play(seed))
		if err != nil {
			return err
		}
		t, err := tryOnce(ctx, target, core)
		if err != nil {
			return err
		}
		into.Count(kept, t.Outcome == controller.Kept)
		into.Count(worse, t.Reason == controller.Worse)
		into.Count(everGuard, t.Reason == controller.GuardTripped)
		into.Value(pairsOf, float64(t.Pairs))
		switch {
		case t.Outcome == controller.Kept:
			into.Value(pairsKept, float64(t.Pairs))
		case t.Reason == controller.Worse:
			into.Value(pairsWorse, float64(t.Pairs))
		}
		into.Value(exposed, t.Requests)
		into.Value(paid, target.Score().Whole.LatencyExcess)
		return nil
	}
}

// cellOf a world and a contender.
func cellOf(scenario string, w world, c contender, trials, batch int) Cell {
	return Cell{Scenario: scenario, Contender: c.name, Params: w, Trials: trials, Batch: batch, Trial: trialIn(w, c)}
}

// AA asks how often a change that does nothing is kept, or called worse.
func AA() Experiment {
	return Experiment{
		Name: "aa",
		Doc: "How often is a change that does nothing kept, or called worse, over drift, tails, rates and lengths of blocks? " +
			"Each trial is by a fresh controller, at its full error rate of 2.5 %.",
		Cells:    aaCells,
		Measures: []Measure{{Name: kept, Of: Rate, Better: report.Less}, {Name: worse, Of: Rate, Better: report.Less}, {Name: everGuard, Of: Rate, Better: report.Less}, {Name: pairsOf, Of: Median, Format: "%.0f"}},
		Claims:   aaClaims,
		Charts:   aaCharts,
		Tables:   aaTables,
	}
}

func aaCells(short bool) ([]Cell, error) {
	var cells []Cell
	rates, blocks, trials, goals := []float64{5, 50, 500}, []time.Duration{1250 * time.Millisecond, 5 * time.Second, 30 * time.Second}, 4000, 4000
	if short {
		rates, blocks, trials, goals = []float64{50}, []time.Duration{5 * time.Second}, 200, 100
	}
	// What others would have done.
	n := 2000
	if short {
		n = 200
	}
	for _, regression := range []float64{0, 0.10} {
		w := world{Drift: "bursts", Tail: "lognormal", Rate: 50, Block: 5 * time.Second, Goals: 1, Effect: regression}
		for _, c := range contenders() {
			cells = append(cells, cellOf(usual(regression), w, c, n, 100))
		}
	}
	// All goals together, and the shipped timing with every request simulated.
	for _, d := range []string{"none", "OU", "jumps"} {
		for _, t := range []string{"lognormal", "pareto"} {
			w := world{Drift: d, Tail: t, Rate: 50, Block: 5 * time.Second, Goals: 3}
			cells = append(cells, cellOf(fmt.Sprintf("3 goals, %s, %s", d, t), w, autotune(), goals, 100))
			for _, r := range []float64{50, 500} {
				w.Rate, w.Requests = r, true
				n := 200
				if short {
					if r == 500 || d == "jumps" {
						continue
					}
					n = 10
				}
				cells = append(cells, cellOf(fmt.Sprintf("requests, %s, %s, %v/s", d, t, r), w, autotune(), n, 5))
			}
		}
	}
	for _, d := range []string{"none", "OU", "sinusoid", "jumps", "ramp"} {
		for _, t := range []string{"lognormal", "pareto", "bimodal"} {
			for _, r := range rates {
				for _, b := range blocks {
					if r*b.Seconds() < 20 || r < 500 && b < 5*time.Second {
						continue // too few requests for anybody to choose such blocks
					}
					w := world{Drift: d, Tail: t, Rate: r, Block: b, Goals: 1}
					cells = append(cells, cellOf(fmt.Sprintf("%s, %s, %v/s, %v", d, t, r, b), w, autotune(), trials, 250))
				}
			}
		}
	}
	return cells, nil
}

// contenders are autotune and all rivals.
func contenders() []contender {
	out := []contender{autotune()}
	for _, r := range Rules() {
		out = append(out, byRule(r))
	}
	return out
}

// usual is the load of an ordinary day.
func usual(regression float64) string {
	return fmt.Sprintf("drifting and bursty, %+.0f %%", 100*regression)
}

// noEffect says whether nothing is to be found in the cell, and autotune is asked.
func noEffect(c Cell) bool {
	w, ok := c.Params.(world)
	return ok && w.Effect == 0 && c.Contender == autotune().name
}

func aaClaims(r *Results) []Claim {
	var claims []Claim
	rate := func(what, text string, is func(Cell) bool) {
		all := r.Where(is)
		worst, worstK, worstN := "", 0, 1
		for i, c := range r.Cells {
			if k, n := r.Tallies[i].Counts[what], r.Tallies[i].N; is(c) && float64(k)/float64(n) >= float64(worstK)/float64(worstN) {
				worst, worstK, worstN = c.Scenario, k, n
			}
		}
		k := all.Counts[what]
		high := stats.BinomialUpper(k, all.N, 0.99)
		claims = append(claims, Claim{
			Text:   text,
			Figure: fmt.Sprintf("%d of %d, %.2f %%, at most %.2f %% with 99 %% confidence", k, all.N, percent(k, all.N), 100*high),
			Holds:  all.N > 0 && percent(k, all.N) <= 100*promised && (high <= atMost || r.Short),
		})
		// Of many cells some are above their rate by chance. Where there are enough
		// trials to tell, the upper end counts; elsewhere the least that the rate may
		// be, at a level that all cells share.
		holds, cells := true, 0
		for _, c := range r.Cells {
			if is(c) {
				cells++
			}
		}
		for i, c := range r.Cells {
			if k, n := r.Tallies[i].Counts[what], r.Tallies[i].N; is(c) {
				low, _ := stats.Binomial(k, n, 1-0.02/float64(cells))
				holds = holds && low <= promised && (n < enough || stats.BinomialUpper(k, n, 0.99) <= atMost)
			}
		}
		claims = append(claims, Claim{
			Text:   text + ", in each cell",
			Figure: fmt.Sprintf("worst of %d: %.2f %% of %d, at most %.2f %%, %s", cells, percent(worstK, worstN), worstN, 100*stats.BinomialUpper(worstK, worstN, 0.99), worst),
			Holds:  holds,
		})
	}
	rate(kept, "false keeps ≤ 2.5 %", noEffect)
	rate(worse, "false aborts ≤ 2.5 %", noEffect)
	keep := r.Of(usual(0.10), autotune().name)
	claims = append(claims, Claim{
		Text:   "a 10 % regression is kept in less than 1 % of trials under drifting, bursty load",
		Figure: fmt.Sprintf("%d of %d", keep.Counts[kept], keep.N),
		Holds:  keep.N > 0 && percent(keep.Counts[kept], keep.N) < 1,
	})
	return claims
}

func percent(k, n int) float64 { return 100 * float64(k) / float64(max(n, 1)) }

func aaTables(r *Results) []Table {
	m := AA().Measures
	rivals := Table{
		Title: "Beside rival rules",
		Head:  []string{"rule", "n", "no effect: kept %", "called worse %", "+10 %: kept %", "called worse %"},
		Note: "Drifting, bursty load of 50 requests/s, lognormal latencies, p95 of 5 s blocks. Kayenta's rule and the threshold promote all that " +
			"they do not find worse: what they keep without an effect is no error of theirs, what they keep of a regression is.",
	}
	for _, c := range contenders() {
		none, bad := r.Of(usual(0), c.name), r.Of(usual(0.10), c.name)
		row := append([]string{c.name}, figures(none, m[:2])...)
		rivals.Rows = append(rivals.Rows, slices.Concat(row, figures(bad, m[:2])[1:]))
	}
	grid := Table{
		Title: "Nothing to find",
		Head:  []string{"drift, tail, rate, block", "n", m[0].Name, m[1].Name, m[2].Name, m[3].Name},
		Note: "The guard watches where requests are simulated. It bets against the safe setting of the blocks before, so that a level that jumps to twice " +
			"what it was in a candidate block looks like the candidate's doing: the trial ends, and the safe setting, which is as slow, clears it of a strike.",
	}
	for i, c := range r.Cells {
		if noEffect(c) && c.Scenario != usual(0) {
			grid.Rows = append(grid.Rows, append([]string{c.Scenario}, figures(&r.Tallies[i], m)...))
		}
	}
	return []Table{rivals, grid}
}
