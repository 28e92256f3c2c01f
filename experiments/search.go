package experiments

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"autotune/report"
	"autotune/simulate/table"
)

// Search asks how good the policy search is where nothing but the policy matters,
// beside what others published of the same tables.
func Search() Experiment {
	return Experiment{
		Name: "search",
		Doc: "On published tables of measured configurations, true values deciding: how near the best does the policy search come with as many " +
			"measurements as others took? The configuration to start from is drawn, and counts as the first measurement. " +
			"The rank is how many configurations are better; a gap of 100 % is the median configuration.",
		Cells: searchCells,
		Measures: []Measure{
			searchRank, searchMeanRank, searchGap, searchMeanGap,
			{Name: tried, Of: Median, Format: "%.0f"},
		},
		Tables: searchReport,
		Charts: searchCharts,
		Claims: searchClaims,
	}
}

var (
	searchRank     = Measure{Name: rankOf, Of: Median, Format: "%.4g", Better: report.Less}
	searchMeanRank = Measure{Name: meanRank, Of: Mean, Format: "%.2f", Better: report.Less}
	searchGap      = Measure{Name: gapMedian, Of: Median, Format: "%.2f", Better: report.Less}
	searchMeanGap  = Measure{Name: gapMean, Of: Mean, Format: "%.2f", Better: report.Less}
)

// What search is held against, and what it must come to: of the tables of FLASH,
// and of the tuners that left logs.
const (
	flashRank   = 1
	flashEnough = 9
	amongBest   = 4
)

// searchOn is what determines a trial of the search.
type searchOn struct {
	Path           string
	Configurations int
	Measurements   int
}

const ours, atRandom = "search", "random"

func searchCells(short bool) ([]Cell, error) {
	data := os.Getenv("AUTOTUNE_DATA")
	if data == "" {
		return nil, ErrNoData
	}
	var cells []Cell
	add := func(path string, measurements, few int, maximize bool) (*table.Table, error) {
		t, err := table.Open(filepath.Join(data, path), table.Config{Metrics: []string{"$<*"}, Maximize: maximize})
		if err != nil {
			return nil, err
		}
		for _, policy := range []string{ours, atRandom, "greedy"} {
			seeds, batch := 20, 5
			if policy != ours {
				batch = seeds // they take no time
			} else if short {
				seeds, batch = few, 2
			}
			cells = append(cells, Cell{
				Scenario: searchName(path), Contender: policy, Params: searchOn{path, t.Len(), measurements}, Trials: seeds, Batch: batch,
				Trial: func(ctx context.Context, seed uint64, into *Tally) error {
					return tableTrial(ctx, t, policy, table.Exact, measurements-1, seed, into)
				},
			})
		}
		return t, nil
	}
	for _, f := range flashTables() {
		if _, err := add("flash/"+f.Name+".csv", f.Measurements, 4, false); err != nil {
			return nil, err
		}
	}
	for _, l := range loggedTables() {
		path := "promisetune/" + l.Name + ".csv.gz"
		t, err := add(path, loggedMeasurements, 8, l.Maximize)
		if err != nil {
			return nil, err
		}
		logs, err := openLogs(data, l, t)
		if err != nil {
			return nil, err
		}
		for _, tuner := range logs { // one trial has all runs: they are there already
			cells = append(cells, Cell{
				Scenario: searchName(path), Contender: tuner.tuner + loggedSuffix, Params: searchOn{path, t.Len(), loggedMeasurements}, Trials: 1,
				Trial: func(_ context.Context, _ uint64, into *Tally) error {
					for _, gap := range tuner.gaps {
						into.Value(gapMedian, 100*gap)
						into.Value(gapMean, 100*gap)
					}
					return nil
				},
			})
		}
	}
	return cells, nil
}

// loggedSuffix marks a contender whose runs somebody else did.
const loggedSuffix = ", logged"

func searchName(path string) string {
	return strings.TrimSuffix(strings.TrimSuffix(path, ".gz"), ".csv")
}

// value of a measure, which is there.
func (m Measure) value(t *Tally) float64 {
	e, _ := m.Take(t)
	return e.Value
}

// short of FLASH: why a table does not count, or "".
func (f flashTable) short(t *Tally) string {
	middle, mean := searchRank.value(t), searchMeanRank.value(t)
	switch {
	case len(t.Values[rankOf]) == 0:
		return "not run"
	case middle > flashRank:
		return fmt.Sprintf("median %g", middle)
	case mean > f.MeanRank:
		return fmt.Sprintf("mean %.2f, FLASH %.2f", mean, f.MeanRank)
	}
	return ""
}

// logRounding is what logs of values may have lost of a gap, in points of percent.
const logRounding = 1e-3

// place of the search among the logged tuners by a measure: 1 if none is better.
func place(r *Results, l loggedTable, m Measure) (at, of int) {
	scenario := "promisetune/" + l.Name
	at = 1
	for i, c := range r.Cells {
		if c.Scenario != scenario || !strings.HasSuffix(c.Contender, loggedSuffix) {
			continue
		}
		of++
		if m.value(&r.Tallies[i]) < m.value(r.Of(scenario, ours))-logRounding {
			at++
		}
	}
	return at, of
}

func searchClaims(r *Results) []Claim {
	var behind, notFlash, places []string
	ahead, asFlash, among := 0, 0, true
	beats := func(scenario string) {
		search, random := searchMeanRank.value(r.Of(scenario, ours)), searchMeanRank.value(r.Of(scenario, atRandom))
		if search < random {
			ahead++
		} else {
			behind = append(behind, fmt.Sprintf("%s: mean rank %.2f, random %.2f", scenario, search, random))
		}
	}
	for _, f := range flashTables() {
		beats("flash/" + f.Name)
		if why := f.short(r.Of("flash/"+f.Name, ours)); why == "" {
			asFlash++
		} else {
			notFlash = append(notFlash, f.Name+" ("+why+")")
		}
	}
	for _, l := range loggedTables() {
		if !l.Asked {
			continue
		}
		beats("promisetune/" + l.Name)
		byMean, of := place(r, l, searchMeanGap)
		byMedian, _ := place(r, l, searchGap)
		places = append(places, fmt.Sprintf("%s: %d by median, %d by mean, of %d", l.Name, byMedian, byMean, of))
		among = among && of > 0 && byMedian <= amongBest
	}
	return []Claim{
		{
			Text:   "search ends nearer the best than random on every table, with as many measurements",
			Figure: strings.Join(slices.Concat([]string{fmt.Sprintf("%d of %d", ahead, ahead+len(behind))}, behind), "; "),
			Holds:  ahead > 0 && len(behind) == 0,
		},
		{
			Text:   fmt.Sprintf("its median rank is at most %d and its mean rank at most FLASH's on at least %d of %d tables", flashRank, flashEnough, len(flashTables())),
			Figure: fmt.Sprintf("%d; not %s", asFlash, strings.Join(notFlash, ", ")),
			Holds:  asFlash >= flashEnough,
		},
		{
			Text:   fmt.Sprintf("after %d measurements its median gap is within the best %d of the logged tuners", loggedMeasurements, amongBest),
			Figure: strings.Join(places, "; "),
			Holds:  among,
		},
	}
}
