package experiments

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"autotune/controller"
	"autotune/internal/stats"
	"autotune/simulate"
)

// realSet is a collection of recorded series of software that did not change.
type realSet struct {
	name   string
	glob   string
	column []string // of values; each is a series
	group  []string
	blocks []int
}

func realSets() []realSet {
	forks := make([]string, 10)
	for i := range forks {
		forks[i] = fmt.Sprintf("fork_%d", i)
	}
	return []realSet{
		{name: "cloud machines, hourly for 483 days", glob: "azure_vm_noise/*long*.csv.gz", column: []string{"value"}, group: []string{"vm"}, blocks: []int{1, 3, 5}},
		{name: "cloud machines, a new one each time", glob: "azure_vm_noise/*short*.csv.gz", column: []string{"value"}, blocks: []int{1, 3, 5}},
		{name: "Java benchmarks", glob: "jmh/*.csv.gz", column: forks, blocks: []int{1, 3, 5}},
		{name: "Go benchmarks", glob: "go_microbench/*.csv.gz", column: []string{"ns_per_op"}, group: []string{"benchmark"}, blocks: []int{1}},
	}
}

// recorded is a series with the direction in which it is better.
type recorded struct {
	simulate.Recording
	maximize bool
}

// open reads the set from the data folder.
func (s *realSet) open(data string) ([]recorded, error) {
	files, err := filepath.Glob(filepath.Join(data, s.glob))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("%w: no %s", ErrNoData, filepath.Join(data, s.glob))
	}
	var out []recorded
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".csv.gz")
		more := strings.Contains(name, "TPS") || strings.Contains(name, "Bogo") || strings.Contains(name, "MiBsec")
		for _, column := range s.column {
			all, err := simulate.OpenSeries(path, column, s.group...)
			if err != nil {
				return nil, err
			}
			for _, r := range all {
				if r.Name = name + " " + r.Name; len(s.column) > 1 {
					r.Name += column
				}
				out = append(out, recorded{r, more})
			}
		}
	}
	return out, nil
}

// plannable says whether a change of 5 % can be planned within a trial, and
// within the series.
func (r recorded) plannable(block int) bool {
	pairs := stats.PlannedPairs(simulate.TrialsAlpha, r.Noise(block), gain)
	return pairs <= simulate.TrialsMaxPairs && simulate.LeastValues(block)+2*block*int(pairs) <= len(r.Values)
}

const (
	gain     = 0.05
	seriesOf = "series" // index, of each trial
	keptThen = "kept"   // 1 or 0, of each trial
)

// Real asks what the rules do on noise that nobody made up.
func Real() Experiment {
	return Experiment{
		Name: "real",
		Doc: "On recorded measurements of software that did not change, in their own order: how often is nothing kept, " +
			"and how often a change of 5 % for the better? A block is 1, 3 or 5 recorded values.",
		Cells:    realCells,
		Measures: []Measure{{Name: kept, Of: Rate}, {Name: worse, Of: Rate}, {Name: pairsOf, Of: Median, Format: "%.0f"}},
		Tables:   realTables,
		Claims:   realClaims,
		Charts:   realCharts,
	}
}

// realParams are what determines a trial besides the seed.
type realParams struct {
	Set    string
	Block  int
	Effect float64 // in the better direction
	Series []string
}

func realCells(short bool) ([]Cell, error) {
	data := os.Getenv("AUTOTUNE_DATA")
	if data == "" {
		return nil, ErrNoData
	}
	perSeries, least := 100, 4000
	if short {
		perSeries, least = 2, 200
	}
	var cells []Cell
	for _, set := range realSets() {
		all, err := set.open(data)
		if err != nil {
			return nil, err
		}
		for _, block := range set.blocks {
			if short && block == 3 {
				continue
			}
			var fit, quiet []recorded
			for _, r := range all {
				if ok, _ := simulate.Usable([]simulate.Recording{r.Recording}, block); len(ok) == 0 {
					continue
				}
				fit = append(fit, r)
				if r.plannable(block) {
					quiet = append(quiet, r)
				}
			}
			nothing := func(c string, trials int, one func(context.Context, recorded, uint64, *Tally) error) {
				cells = append(cells, realCell(realScenario(set.name, block, 0), c, set.name, block, 0, fit, trials, one))
			}
			judge := func(effect float64) func(context.Context, recorded, uint64, *Tally) error {
				return func(ctx context.Context, r recorded, seed uint64, into *Tally) error {
					return byController(ctx, r, block, effect, seed, into)
				}
			}
			nothing(autotune().name, max(least, perSeries*len(fit)), judge(0))
			if len(quiet) > 0 {
				cells = append(cells, realCell(realScenario(set.name, block, gain), autotune().name, set.name, block, gain, quiet,
					max(least/2, perSeries*len(quiet)/2), judge(gain)))
			}
			for _, rule := range []Rule{Window(), Welch(), Peeked(), FixedAlternation()} {
				nothing(rule.Name, max(least/4, perSeries/2*len(fit)), func(ctx context.Context, r recorded, seed uint64, into *Tally) error {
					return byRival(ctx, r, block, rule, seed, into)
				})
			}
		}
	}
	return cells, nil
}

func realScenario(set string, block int, effect float64) string {
	return fmt.Sprintf("%s, blocks of %d, %.0f %% better", set, block, 100*effect)
}

// realCell is a cell whose trials choose one of the series by their seeds.
func realCell(scenario, contender, set string, block int, effect float64, series []recorded, trials int,
	one func(context.Context, recorded, uint64, *Tally) error,
) Cell {
	p := realParams{Set: set, Block: block, Effect: effect}
	for _, s := range series {
		p.Series = append(p.Series, s.Name)
	}
	return Cell{
		Scenario: scenario, Contender: contender, Params: p, Trials: trials, Batch: 200,
		Trial: func(ctx context.Context, seed uint64, into *Tally) error {
			which := rand.New(rand.NewPCG(seed, 21)).IntN(len(series))
			into.Value(seriesOf, float64(which))
			return one(ctx, series[which], seed, into)
		},
	}
}

// tellReal adds a verdict to the tally.
func tellReal(t *controller.Trial, into *Tally) {
	was := 0.0
	if t.Outcome == controller.Kept {
		was = 1
	}
	into.Value(keptThen, was)
	into.Count(kept, was > 0)
	into.Count(worse, t.Reason == controller.Worse)
	into.Value(pairsOf, float64(t.Pairs))
}

func byController(ctx context.Context, r recorded, block int, effect float64, seed uint64, into *Tally) error {
	if !r.maximize {
		effect = -effect
	}
	got, err := simulate.Trials(ctx, []simulate.Recording{r.Recording}, simulate.TrialsConfig{
		N: 1, Block: block, Effect: effect, Maximize: r.maximize, Seed: seed, Workers: 1,
	})
	if err != nil {
		return err
	}
	tellReal(&got[0].Trial, into)
	return nil
}

// byRival lets a rule judge nothing, from a random place of the series on.
func byRival(ctx context.Context, r recorded, block int, rule Rule, seed uint64, into *Tally) error {
	places := max(1, len(r.Values)-1-2*rule.Blocks*block)
	start := rand.New(rand.NewPCG(seed, 22)).IntN(places)
	target := simulate.NewSeries(r.Values[start:], 0)
	p := play{
		space: target.Space(), goals: []controller.Goal{{Metric: simulate.SeriesValue, Maximize: r.maximize}},
		offered: []controller.Optimization{{
			Name: simulate.SeriesSwitch, Why: "it does nothing", Switch: simulate.SeriesSwitch, Equivalence: controller.Exact,
		}},
		timing: controller.Timing{Measure: time.Duration(block) * time.Second, Tick: time.Second},
		policy: func() controller.Policy { return flip{} }, until: simulate.Epoch().Add(time.Duration(len(r.Values)) * time.Hour), seed: seed,
	}
	t, err := tryOnce(ctx, target, newRival(rule, p))
	if err != nil {
		return err
	}
	if t.Outcome == controller.Errored && places > 1 {
		return errors.New("the series ended within a trial that fits")
	}
	tellReal(t, into)
	return nil
}

// bySeries counts keeps and trials of each series of a cell.
func bySeries(t *Tally) (keeps, trials map[int]int) {
	keeps, trials = map[int]int{}, map[int]int{}
	for i, s := range t.Values[seriesOf] {
		trials[int(s)]++
		keeps[int(s)] += int(t.Values[keptThen][i])
	}
	return keeps, trials
}

// ownCell is a cell of autotune with its parameters.
type ownCell struct {
	Cell
	realParams
	tally *Tally
}

// ownCells are autotune's cells with this effect.
func ownCells(r *Results, effect float64) []ownCell {
	var out []ownCell
	for i, c := range r.Cells {
		if p, ok := c.Params.(realParams); ok && p.Effect == effect && c.Contender == autotune().name {
			out = append(out, ownCell{c, p, &r.Tallies[i]})
		}
	}
	return out
}

func realTables(r *Results) []Table {
	nothing := Table{
		Title: "Nothing to find: false keeps",
		Head:  []string{"series", "block", "number", "n", kept, worse, "worst series: kept % (of n)"},
	}
	for _, c := range ownCells(r, 0) {
		keeps, trials := bySeries(c.tally)
		worst := -1
		for i := range c.Series {
			if trials[i] > 0 && (worst < 0 || keeps[i]*trials[worst] > keeps[worst]*trials[i]) {
				worst = i
			}
		}
		nothing.Rows = append(nothing.Rows, append([]string{c.Set, fmt.Sprint(c.Block), fmt.Sprint(len(c.Series))},
			append(figures(c.tally, Real().Measures[:2]),
				fmt.Sprintf("%.1f (%d), %s", percent(keeps[worst], trials[worst]), trials[worst], c.Series[worst]))...))
	}
	gains := Table{
		Title: "5 % better: keeps, on series where the plan fits in 120 pairs and in the series",
		Head:  []string{"series", "block", "number", "n", kept, worse, pairsOf, "kept in less than 80 % of at least 20 trials"},
	}
	for _, c := range ownCells(r, gain) {
		keeps, trials := bySeries(c.tally)
		var short []string
		for i, name := range c.Series {
			if trials[i] >= 20 && percent(keeps[i], trials[i]) < 80 {
				short = append(short, fmt.Sprintf("%s %.0f %%", name, percent(keeps[i], trials[i])))
			}
		}
		text := fmt.Sprintf("%d series", len(short))
		if len(short) > 0 {
			text += ": " + strings.Join(short[:min(4, len(short))], "; ")
		}
		gains.Rows = append(gains.Rows, append([]string{c.Set, fmt.Sprint(c.Block), fmt.Sprint(len(c.Series))},
			append(figures(c.tally, Real().Measures), text)...))
	}
	rivals := Table{
		Title: "Nothing to find, beside rival rules: kept % / called worse % (kept % of the worst series)",
		Head:  append([]string{"series, block"}, r.Contenders()...),
		Note:  "The worst of many series is above the average by chance alone; it is of those with at least 20 trials.",
	}
	for _, s := range r.Scenarios() {
		if !strings.HasSuffix(s, " 0 % better") {
			continue
		}
		row := []string{strings.TrimSuffix(s, ", 0 % better")}
		for _, c := range r.Contenders() {
			t := r.Of(s, c)
			keeps, trials := bySeries(t)
			worst := 0.0
			for i, n := range trials {
				if n >= 20 {
					worst = max(worst, percent(keeps[i], n))
				}
			}
			row = append(row, fmt.Sprintf("%.1f / %.1f (%.0f)", percent(t.Counts[kept], t.N), percent(t.Counts[worse], t.N), worst))
		}
		rivals.Rows = append(rivals.Rows, row)
	}
	return []Table{nothing, gains, rivals}
}

func realClaims(r *Results) []Claim {
	sum := func(effect float64) *Tally {
		all := &Tally{Counts: map[string]int{}}
		for _, c := range ownCells(r, effect) {
			all.add(c.tally)
		}
		return all
	}
	nothing, gains := sum(0), sum(gain)
	rate := func(text, what string) Claim {
		k := nothing.Counts[what]
		high := stats.BinomialUpper(k, max(nothing.N, 1), 0.99)
		return Claim{
			Text:   text,
			Figure: fmt.Sprintf("%d of %d, %.2f %%, at most %.2f %% with 99 %% confidence", k, nothing.N, percent(k, nothing.N), 100*high),
			Holds:  nothing.N > 0 && high <= atMost,
		}
	}
	// Each series may be above its rate by chance; the least that its rate can be counts.
	bad, all := []string{}, 0
	for _, c := range ownCells(r, 0) {
		keeps, trials := bySeries(c.tally)
		for _, i := range slices.Sorted(maps.Keys(trials)) {
			all++
			if low, _ := stats.Binomial(keeps[i], trials[i], 1-0.02/500); low > promised {
				bad = append(bad, fmt.Sprintf("%s (blocks of %d): %d of %d", c.Series[i], c.Block, keeps[i], trials[i]))
			}
		}
	}
	return []Claim{
		rate("false keeps ≤ 2.5 %, pooled", kept),
		rate("false aborts ≤ 2.5 %, pooled", worse),
		{
			Text:   "no series on which false keeps are shown to be above 2.5 %",
			Figure: fmt.Sprintf("%d of %d %s", len(bad), all, strings.Join(bad, "; ")), Holds: len(bad) == 0,
		},
		{
			Text:   "a change of 5 % for the better is kept in 80 % of trials, where it can be planned",
			Figure: fmt.Sprintf("%d of %d", gains.Counts[kept], gains.N), Holds: gains.N > 0 && percent(gains.Counts[kept], gains.N) >= 80,
		},
	}
}
