package experiments

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"autotune/internal/stats"
	"autotune/policies"
	"autotune/report"
	"autotune/simulate/table"
)

// Of a search of a table, by name in tallies. A gap is (final - best) / (median -
// best) of true values.
const (
	gapMedian   = "gap %"
	gapMean     = "mean gap %"
	rankOf      = "rank"
	meanRank    = "mean rank"
	tried       = "evaluations"
	drawn       = "measurements"
	keeps       = "keeps"
	keptWorseOf = "truly worse keeps"
)

// mostWorse is the share of keeps that may be truly worse, pointsLost what the
// controller may leave beyond what a search finds by true values.
const (
	mostWorse  = 0.05
	pointsLost = 5.0
)

// Tables asks how far a search gets on software whose every configuration was
// measured, and what of the rest is the judge's doing.
func Tables() Experiment {
	return Experiment{
		Name: "tables",
		Doc: "On published tables of measured configurations: how far from the best does a search end, when true values decide and when the " +
			"controller does, under the noise that was measured, and how many keeps are truly worse? A gap of 100 % is the median configuration.",
		Cells: tablesCells,
		Measures: []Measure{
			{Name: gapMedian, Of: Median, Format: "%.1f", Better: report.Less},
			{Name: gapMean, Of: Mean, Format: "%.1f", Better: report.Less},
			{Name: rankOf, Of: Median, Format: "%.0f", Better: report.Less},
			{Name: meanRank, Of: Mean, Format: "%.1f", Better: report.Less},
			{Name: tried, Of: Median, Format: "%.0f"},
			{Name: drawn, Of: Median, Format: "%.0f"},
			{Name: keeps, Of: Mean, Format: "%.1f"},
			{Name: keptWorseOf, Of: Mean, Format: "%.2f", Better: report.Less},
		},
		Claims: tablesClaims,
	}
}

// searched is a published table: where it is, what its columns are, and how many
// candidates a search of it may try.
type searched struct {
	Path        string
	Config      table.Config
	Evaluations int
}

func searchedTables() []searched {
	release := func(name, at string) searched {
		return searched{
			"perfevolution/" + name + ".csv.gz",
			table.Config{Metrics: []string{"performance"}, RelativeSD: "rsd", Environment: "revision", At: []string{at}, Maximize: name == "OpenVPN"},
			100,
		}
	}
	of := func(path, metric string, evaluations int) searched {
		return searched{path, table.Config{Metrics: []string{metric}}, evaluations}
	}
	return []searched{
		release("PostgreSQL", "11.2"),
		release("HSQLDB", "2.4.1"),
		release("OpenVPN", "2.4.6"),
		release("VP8", "v1.8.0"),
		release("lrzip", "631"),
		of("kerneltuner/convolution_milo_A100.csv.gz", "time_ms_*", 100),
		of("kerneltuner/convolution_milo_A4000.csv.gz", "time_ms_*", 100),
		of("kerneltuner/dedispersion_milo_A100.csv.gz", "time_ms_*", 100),
		of("flash/HSMGP_num.csv", "$<*", 44),
		of("flash/sort_256_obj2.csv", "$<*", 33),
		of("flash/X264_AllMeasurements.csv", "$<*", 41),
		of("promisetune/LLVM.csv.gz", "$<*", 50),
	}
}

// name for people, with what it was measured at.
func (s searched) name() string {
	base := strings.TrimSuffix(strings.TrimSuffix(s.Path, ".gz"), ".csv")
	return strings.Join(append([]string{base}, s.Config.At...), " ")
}

// searcher is a policy with a judge.
func searcher(policy string, judge table.Judge) string { return policy + ", " + judge.String() }

var (
	searchPolicies = []string{"greedy", "random"}
	searchJudges   = []table.Judge{table.Exact, table.Sequential}
)

func tablesCells(short bool) ([]Cell, error) {
	data := os.Getenv("AUTOTUNE_DATA")
	if data == "" {
		return nil, ErrNoData
	}
	seeds := 40
	if short {
		seeds = 5
	}
	var cells []Cell
	for _, s := range searchedTables() {
		t, err := table.Open(filepath.Join(data, s.Path), s.Config)
		if err != nil {
			return nil, err
		}
		for _, policy := range searchPolicies {
			for _, judge := range searchJudges {
				cells = append(cells, Cell{
					Scenario: s.name(), Contender: searcher(policy, judge), Params: s, Trials: seeds, Batch: 10,
					Trial: func(ctx context.Context, seed uint64, into *Tally) error {
						return tableTrial(ctx, t, policy, judge, s.Evaluations, seed, into)
					},
				})
			}
		}
	}
	return cells, nil
}

// tableTrial is one search, from a configuration drawn by its seed.
func tableTrial(ctx context.Context, t *table.Table, policy string, judge table.Judge, evaluations int, seed uint64, into *Tally) error {
	p, err := policies.Offline(policy, policies.Pool{Len: t.Len(), At: t.Setting})
	if err != nil {
		return err
	}
	run, err := t.Run(ctx, table.RunConfig{Policy: p, Evaluations: evaluations, Judge: judge, Seed: seed, Start: -1})
	if err != nil {
		return err
	}
	if run.Gap != nil {
		into.Value(gapMedian, 100**run.Gap)
		into.Value(gapMean, 100**run.Gap)
	}
	into.Value(rankOf, float64(run.Rank))
	into.Value(meanRank, float64(run.Rank))
	into.Value(tried, float64(run.Evaluations))
	into.Value(drawn, float64(run.Measurements))
	into.Value(keeps, float64(run.Kept))
	into.Value(keptWorseOf, float64(run.KeptWorse))
	return nil
}

func tablesClaims(r *Results) []Claim {
	sum := func(values []float64) (n int) {
		for _, v := range values {
			n += int(v)
		}
		return n
	}
	all := r.Where(func(c Cell) bool { return strings.HasSuffix(c.Contender, ", "+table.Sequential.String()) })
	n, bad := sum(all.Values[keeps]), sum(all.Values[keptWorseOf])
	low, high := stats.Binomial(bad, max(n, 1), 0.95)
	near, of := 0, 0
	for _, t := range searchedTables() {
		for _, policy := range searchPolicies {
			exact, okExact := median(r.Of(t.name(), searcher(policy, table.Exact)), gapMedian)
			judged, ok := median(r.Of(t.name(), searcher(policy, table.Sequential)), gapMedian)
			if okExact && ok {
				of++
				if judged <= exact+pointsLost {
					near++
				}
			}
		}
	}
	return []Claim{
		{
			Text:   fmt.Sprintf("at most %.0f %% of what the controller keeps is truly worse", 100*mostWorse),
			Figure: fmt.Sprintf("%d of %d keeps, %.2f %% to %.2f %%", bad, n, 100*low, 100*high),
			Holds:  n > 0 && float64(bad) <= mostWorse*float64(n),
		},
		{
			Text:   fmt.Sprintf("noise and its price cost a search at most %.0f points of its median gap, on more than half of them", pointsLost),
			Figure: fmt.Sprintf("%d of %d pairs of a table and a policy", near, of),
			Holds:  of > 0 && 2*near > of,
		},
	}
}

// median of a value over the trials of a cell, and whether it has any.
func median(t *Tally, name string) (float64, bool) {
	e, ok := Measure{Name: name, Of: Median}.Take(t)
	return e.Value, ok
}
