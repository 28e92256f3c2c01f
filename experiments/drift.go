package experiments

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"autotune/controller"
	"autotune/policies"
	"autotune/report"
	"autotune/simulate/table"
)

// Of a session over releases, by name in tallies. Regret is what was in force,
// candidates too, against the best of each release, in percent, the mean over
// all draws: cumulative regret over the number of draws.
const (
	driftRegret = "mean regret %"
	driftMedian = "median regret %"
	driftLast   = "regret % in the last third of releases"
	changesOf   = "changes a release"
	mostChanges = "most changes in a release"
)

// Tuners of a session over releases.
const (
	keepsFirst = "keep the first optimum"
	retunes    = "re-tune at each release"
	ourName    = "autotune"
	ourUntold  = "autotune, told nothing"
)

// Drift asks whether what was tuned stays tuned while the software changes.
func Drift() Experiment {
	return Experiment{
		Name: "drift",
		Doc: "Every configuration of six programs was measured for each of 9 to 22 releases. A session begins at the best setting of the first one, " +
			"and each release lasts for a fixed number of measurements. What does it cost, what is tried included, against the best setting of each release? " +
			"Re-tuning begins anew at each; autotune goes on from its journal, as after a deploy, or is told nothing at all.",
		Cells: driftCells,
		Measures: []Measure{
			{Name: driftRegret, Of: Mean, Format: "%.2f", Better: report.Less},
			{Name: driftMedian, Of: Median, Format: "%.2f", Better: report.Less},
			{Name: driftLast, Of: Mean, Format: "%.2f", Better: report.Less},
			{Name: changesOf, Of: Mean, Format: "%.2f"},
			{Name: mostChanges, Of: Mean, Format: "%.1f"},
		},
		Claims: driftClaims,
	}
}

// evolved is a program that was measured at each of its releases.
type evolved struct {
	Name string
	// Moves: another setting is clearly best in some releases.
	Moves bool
	// Every is how many draws a release lasts.
	Every int
}

// lasting is how many draws a release lasts.
const lasting = 2000

func evolvedPrograms() []evolved {
	return []evolved{
		{Name: "lrzip", Moves: true, Every: lasting},
		{Name: "OpenVPN", Moves: true, Every: lasting},
		{Name: "VP8", Moves: true, Every: lasting},
		{Name: "PostgreSQL", Moves: true, Every: lasting},
		{Name: "HSQLDB", Every: lasting},
		{Name: "FastDownward", Every: lasting},
	}
}

// config of the table, with all releases.
func (p evolved) config() table.Config {
	return table.Config{Metrics: []string{"performance"}, RelativeSD: "rsd", Environment: "revision", Maximize: p.Name == "OpenVPN"}
}

func tuners() []tuner {
	guide := func(*table.Table) (controller.Policy, error) { return policies.Named("guide", "") }
	return []tuner{
		{name: keepsFirst},
		{name: retunes, policy: guide, deployed: true, forgets: true},
		{name: ourName, policy: guide, deployed: true},
		{name: ourUntold, policy: guide},
		{name: noMemory, policy: plainGuide, deployed: true},
	}
}

func driftCells(short bool) ([]Cell, error) {
	data := os.Getenv("AUTOTUNE_DATA")
	if data == "" {
		return nil, ErrNoData
	}
	seeds := 20
	if short {
		seeds = 2
	}
	all := tuners()
	if short {
		all = slices.DeleteFunc(all, func(u tuner) bool { return u.name != keepsFirst && u.name != retunes && u.name != ourName })
	}
	return tunerCells(data, evolvedPrograms(), all, Cell{Trials: seeds, Batch: 1}, driftTrial)
}

// tunerCells lets each tuner tune each program, in cells like one.
func tunerCells(data string, programs []evolved, all []tuner, like Cell, trial func(context.Context, *table.Table, tuner, int, uint64, *Tally) error) ([]Cell, error) {
	var cells []Cell
	for _, p := range programs {
		t, err := table.Open(filepath.Join(data, "perfevolution", p.Name+".csv.gz"), p.config())
		if err != nil {
			return nil, err
		}
		for _, u := range all {
			c := like
			c.Scenario, c.Contender, c.Params = p.Name, u.name, p
			c.Trial = func(ctx context.Context, seed uint64, into *Tally) error {
				return trial(ctx, t, u, p.Every, seed, into)
			}
			cells = append(cells, c)
		}
	}
	return cells, nil
}

// driftTrial is one session over all releases, from the best setting of the first.
func driftTrial(ctx context.Context, t *table.Table, u tuner, every int, seed uint64, into *Tally) error {
	order := make([]int, len(t.Environments()))
	for i := range order {
		order[i] = i
	}
	l, err := u.live(ctx, t, order, every, bestAt(t, 0), seed)
	if err != nil {
		return err
	}
	per := func(regrets []float64) float64 {
		sum := 0.0
		for _, r := range regrets {
			sum += r
		}
		return 100 * sum / float64(every*len(regrets))
	}
	regrets := l.target.regrets
	into.Value(driftRegret, per(regrets))
	into.Value(driftMedian, per(regrets))
	into.Value(driftLast, per(regrets[2*len(regrets)/3:]))
	changes := 0
	for _, n := range l.changes {
		changes += n
	}
	into.Value(changesOf, float64(changes)/float64(len(order)))
	into.Value(mostChanges, float64(slices.Max(l.changes)))
	return nil
}

func driftClaims(r *Results) []Claim {
	var out []Claim
	mean := Measure{Name: driftRegret, Of: Mean}
	for _, p := range evolvedPrograms() {
		ours, ok := mean.Take(r.Of(p.Name, ourName))
		if !ok {
			continue
		}
		if !p.Moves {
			most, _ := Measure{Name: changesOf, Of: Mean}.Take(r.Of(p.Name, ourName))
			out = append(out, Claim{
				Text:   p.Name + ", where the best setting stays: at most one change a release",
				Figure: fmt.Sprintf("%.2f (%.2f to %.2f), n=%d", most.Value, most.Low, most.High, most.N),
				Holds:  most.High <= 1,
			})
			continue
		}
		for _, rival := range []string{keepsFirst, retunes} {
			theirs, _ := mean.Take(r.Of(p.Name, rival))
			out = append(out, Claim{
				Text:   fmt.Sprintf("%s: less regret over all releases than %s", p.Name, rival),
				Figure: fmt.Sprintf("%.2f %% (%.2f to %.2f) and %.2f %% (%.2f to %.2f), n=%d", ours.Value, ours.Low, ours.High, theirs.Value, theirs.Low, theirs.High, ours.N),
				Holds:  ours.Value < theirs.Value,
			})
		}
	}
	return out
}
