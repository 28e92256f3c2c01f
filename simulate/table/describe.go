package table

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"autotune/internal/stats"
)

// Describe says in a paragraph what runs of a policy came to.
func Describe(t *Table, cfg RunConfig, policy, metric string, runs []Run) string {
	var gaps, ranks, evaluations, measurements []float64
	kept, worse, back := 0, 0, 0
	for _, r := range runs {
		if r.Gap != nil {
			gaps = append(gaps, *r.Gap)
		}
		ranks = append(ranks, float64(r.Rank))
		evaluations = append(evaluations, float64(r.Evaluations))
		measurements = append(measurements, float64(r.Measurements))
		kept, worse, back = kept+r.Kept, worse+r.KeptWorse, back+r.RolledBack
	}
	goal := "minimize"
	if t.cfg.Maximize {
		goal = "maximize"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d runs of %s, judge %s, to %s %s: %d configurations, %d knobs, noise: %s",
		len(runs), policy, max(cfg.Judge, Sequential), goal, metric, t.Len(), len(t.knobs), t.noiseOf(cfg))
	if names := t.Environments(); len(names) > 1 {
		fmt.Fprintf(&b, "; %d environments, the figures are of the last, %s", len(names), names[len(names)-1])
	}
	gap := "not defined: the median is the best"
	if len(gaps) > 0 {
		gap = fmt.Sprintf("median %.1f%%, mean %.1f%% of the way from best to median", 100*stats.Median(gaps), 100*mean(gaps))
	}
	fmt.Fprintf(&b, ".\nGap %s (n=%d). Rank: median %g, mean %.2f, worst %g; 0 is the best. ",
		gap, len(gaps), stats.Median(ranks), mean(ranks), slices.Max(ranks))
	fmt.Fprintf(&b, "Median evaluations %g, measurements %g. Kept %d", stats.Median(evaluations), stats.Median(measurements), kept)
	if kept > 0 {
		low, high := stats.Binomial(worse, kept, 0.95)
		fmt.Fprintf(&b, ", truly worse %d (%.1f%% to %.1f%% of keeps)", worse, 100*low, 100*high)
	}
	fmt.Fprintf(&b, ", rolled back %d.\n", back)
	return b.String()
}

// noiseOf says where differences between draws come from, for people.
func (t *Table) noiseOf(cfg RunConfig) string {
	switch {
	case cfg.Judge == Exact:
		return "not looked at"
	case t.noise == FromRepeats:
		return string(t.noise) + " " + max(cfg.Order, Resampled).String()
	}
	return string(t.noise)
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	if len(x) == 0 {
		return math.NaN()
	}
	return sum / float64(len(x))
}
