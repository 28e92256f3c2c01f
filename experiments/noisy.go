package experiments

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"

	"autotune/controller"
	"autotune/internal/stats"
	"autotune/policies"
	"autotune/report"
	"autotune/simulate/table"
)

// pairsSpent is by name in tallies, beside those of other tables.
const pairsSpent = "pairs"

// Searchers of a program under its own noise.
const (
	ourJoint    = "autotune, joint changes allowed"
	noMemory    = "autotune, without what trials showed"
	randomOrder = "random order"
	randomJumps = "random settings"
	untested    = "greedy without a test"
)

// Noisy asks how far a search gets in a given number of measurements under the
// noise that was measured, and what its keeps are worth.
func Noisy() Experiment {
	return Experiment{
		Name: "noisy",
		Doc: fmt.Sprintf("On five programs of which every configuration was measured, with its noise: how far from the best does a session of %d measurements end "+
			"that starts at a configuration drawn at random, what did it spend, and how many of its keeps are truly worse than what they replaced? "+
			"Greedy without a test takes whatever one pair of measurements says. A gap of 100 %% is the median configuration.", lasting),
		Cells: noisyCells,
		Measures: []Measure{
			{Name: gapMedian, Of: Median, Format: "%.1f", Better: report.Less},
			{Name: gapMean, Of: Mean, Format: "%.1f", Better: report.Less},
			{Name: driftRegret, Of: Mean, Format: "%.2f", Better: report.Less},
			{Name: pairsSpent, Of: Median, Format: "%.0f"},
			{Name: keeps, Of: Mean, Format: "%.1f"},
			{Name: keptWorseOf, Of: Mean, Format: "%.2f", Better: report.Less},
		},
		Claims: noisyClaims,
	}
}

// noisyPrograms are programs of perfevolution at their last release.
func noisyPrograms() []evolved {
	return []evolved{
		{Name: "PostgreSQL", Every: lasting},
		{Name: "lrzip", Every: lasting},
		{Name: "OpenVPN", Every: lasting},
		{Name: "VP8", Every: lasting},
		{Name: "HSQLDB", Every: lasting},
	}
}

// released names the program at its last release.
func (p evolved) released() string { return p.Name + ", last release" }

func noisyTuners() []tuner {
	offline := func(name string) func(*table.Table) (controller.Policy, error) {
		return func(t *table.Table) (controller.Policy, error) {
			return policies.Offline(name, policies.Pool{Len: t.Len(), At: t.Setting})
		}
	}
	window := Window()
	return []tuner{
		{name: ourName, policy: offline("guide")},
		{name: ourJoint, policy: offline("guide"), joint: true},
		{name: noMemory, policy: plainGuide},
		{name: randomOrder, policy: offline("greedy")},
		{name: randomJumps, policy: offline("random")},
		{name: untested, policy: offline("greedy"), rule: &window},
	}
}

// plainGuide is the guide without experience.
func plainGuide(*table.Table) (controller.Policy, error) { return policies.NewGuide("") }

func noisyCells(short bool) ([]Cell, error) {
	data := os.Getenv("AUTOTUNE_DATA")
	if data == "" {
		return nil, ErrNoData
	}
	seeds := 20
	if short {
		seeds = 4
	}
	cells, err := tunerCells(data, noisyPrograms(), noisyTuners(), Cell{Trials: seeds, Batch: 4}, noisyTrial)
	for i := range cells {
		cells[i].Scenario = cells[i].Params.(evolved).released()
	}
	return cells, err
}

// noisyTrial is one session on the last release.
func noisyTrial(ctx context.Context, t *table.Table, u tuner, every int, seed uint64, into *Tally) error {
	last := len(t.Environments()) - 1
	begin := rand.New(rand.NewPCG(seed, 0x57a27)).IntN(t.Len())
	l, err := u.live(ctx, t, []int{last}, every, begin, seed)
	if err != nil {
		return err
	}
	end, err := l.target.inForce()
	if err != nil {
		return err
	}
	if gap := 100 * t.Gap(last, t.Value(last, end)); !math.IsNaN(gap) && !math.IsInf(gap, 0) {
		into.Value(gapMedian, gap)
		into.Value(gapMean, gap)
	}
	into.Value(driftRegret, 100*l.target.regrets[0]/float64(every))
	into.Value(pairsSpent, float64(l.pairs))
	into.Value(keeps, float64(l.kept))
	into.Value(keptWorseOf, float64(l.worse))
	return nil
}

// apart is the mean difference in a figure between two tuners that began alike, over
// all programs: below 0 the first has less.
func apart(r *Results, first, second, of string) Estimate {
	m := Measure{Name: of, Of: Mean}
	differences := Tally{Values: map[string][]float64{}}
	for _, p := range noisyPrograms() {
		a, b := r.Of(p.released(), first).Values[of], r.Of(p.released(), second).Values[of]
		for i := range min(len(a), len(b)) {
			differences.Value(of, a[i]-b[i])
		}
	}
	e, _ := m.Take(&differences)
	return e
}

func noisyClaims(r *Results) []Claim {
	var out []Claim
	without, of := worseKeeps(r, untested)
	for _, ours := range []string{ourName, ourJoint} {
		bad, n := worseKeeps(r, ours)
		low, high := stats.Binomial(int(bad), max(int(n), 1), 0.95)
		out = append(out, Claim{
			Text:   fmt.Sprintf("%s: at most %.0f %% of keeps are truly worse", ours, 100*mostWorse),
			Figure: fmt.Sprintf("%.0f of %.0f keeps, %.2f %% to %.2f %%; %s %.0f of %.0f", bad, n, 100*low, 100*high, untested, without, of),
			Holds:  n > 0 && bad <= mostWorse*n,
		})
	}
	for _, x := range []struct{ ours, rival, of, text string }{
		{ourName, randomOrder, pairsSpent, "fewer pairs than %s"},
		{ourName, randomJumps, pairsSpent, "fewer pairs than %s"},
		{ourName, randomJumps, driftRegret, "a session costs less than with %s, trials included"},
		{ourJoint, ourName, driftRegret, "a session costs less than with %s, trials included"},
		{ourJoint, ourName, gapMean, "ends nearer to the best than %s"},
		{ourJoint, noMemory, gapMean, "ends nearer to the best than %s"},
		{ourJoint, randomOrder, gapMean, "ends nearer to the best than %s"},
		{ourJoint, untested, gapMean, "ends nearer to the best than %s"},
	} {
		e := apart(r, x.ours, x.rival, x.of)
		out = append(out, Claim{
			Text:   fmt.Sprintf("%s: %s, on average of all programs", x.ours, fmt.Sprintf(x.text, x.rival)),
			Figure: fmt.Sprintf("%s %+.2f (%+.2f..%+.2f), n=%d", x.of, e.Value, e.Low, e.High, e.N),
			Holds:  e.High < 0 || r.Short && e.Value < 0,
		})
	}
	// One optimization at a time stops where no step is worth a trial.
	const most = 8
	e := apart(r, ourName, randomOrder, gapMean)
	return append(out, Claim{
		Text:   fmt.Sprintf("%s: ends further from the best than %s, which tries everything again, but by at most %d points, on average of all programs", ourName, randomOrder, most),
		Figure: fmt.Sprintf("%s %+.2f (%+.2f..%+.2f), n=%d", gapMean, e.Value, e.Low, e.High, e.N),
		Holds:  e.N > 0 && e.Value <= most,
	})
}
