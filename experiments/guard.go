package experiments

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"autotune/controller"
	"autotune/internal/stats"
	"autotune/report"
	"autotune/simulate"
)

const (
	firstBlock = "aborted in the first block %"
	everGuard  = "aborted by the guard %"
	withdrawn  = "withdrawn %"
	untilAbort = "candidate seconds until aborted"
	blocksOf   = "candidate blocks"
	struck     = "with a strike %"
)

// guarded is a service with one switch under the guard that bets on slow
// requests, and no other.
type guarded struct {
	Tail   string
	Rate   float64
	Factor float64 // of latency under the candidate; 1 is none
	Upset  string  // what happens to everything, whoever is in force
}

// Guard asks how soon the guard sees a slow candidate, and how often it sees one
// that is not.
func Guard() Experiment {
	return Experiment{
		Name: "guard",
		Doc: "How surely and how soon does the guard that bets on slow requests abort a candidate within its block, and how often one that does nothing? " +
			"Every request is simulated; blocks of 5 s after a washout of 1 s. Drift has a standard deviation of 0.2 and a correlation time of a minute, " +
			"the short correlation one of 0.4.",
		Cells: guardCells,
		Measures: []Measure{
			{Name: firstBlock, Of: Rate, Format: "%.1f"},
			{Name: everGuard, Of: Rate},
			{Name: struck, Of: Rate},
			{Name: withdrawn, Of: Rate, Format: "%.1f"},
			{Name: untilAbort, Of: Median, Format: "%.2f", Better: report.Less},
			{Name: blocksOf, Of: Mean, Format: "%.1f"},
		},
		Tables: guardTables,
		Claims: guardClaims,
		Charts: guardCharts,
	}
}

var guardTails = []string{"lognormal", "lognormal 1.0", "pareto", "bimodal"}

// upsets are what happens to a service of itself.
var upsets = []string{"none", "drift", "0.5 s correlation", "stalls of 0.5 s each minute", "jumps"}

func (g guarded) scenario() string {
	return fmt.Sprintf("%s, %v/s, %.1fx, %s", g.Tail, g.Rate, g.Factor, g.Upset)
}

func guardCells(short bool) ([]Cell, error) {
	quiet, loud, rates := 400, 200, []float64{50, 500}
	if short {
		quiet, loud, rates = 8, 10, []float64{50}
	}
	var cells []Cell
	add := func(g guarded, n int) {
		cells = append(cells, Cell{Scenario: g.scenario(), Contender: autotune().name, Params: g, Trials: n, Batch: 10, Trial: g.play})
	}
	for _, tail := range guardTails {
		for _, rate := range rates {
			for _, upset := range upsets {
				add(guarded{tail, rate, 1, upset}, quiet)
			}
			for _, factor := range []float64{1.5, 2, 3, 10} {
				add(guarded{tail, rate, factor, "none"}, loud)
			}
		}
	}
	return cells, nil
}

func (g guarded) play(ctx context.Context, seed uint64, into *Tally) error {
	space, offered, initial := simulate.Switches(theSwitch)
	chance := rand.New(rand.NewPCG(seed, 31))
	cfg := simulate.ServiceConfig{Space: space, Initial: initial, Seed: seed, Rate: g.Rate}
	var err error
	if cfg.Tail, err = tail(g.Tail); err != nil {
		return err
	}
	stalls := false
	switch g.Upset {
	case "drift":
		cfg.Level = simulate.AR1(chance, time.Minute, 0.2)
	case "0.5 s correlation":
		cfg.Level = simulate.AR1(chance, 500*time.Millisecond, 0.4)
	case "jumps":
		cfg.Level = simulate.Jumps(chance, 2*time.Minute, 0.3)
	case "stalls of 0.5 s each minute":
		stalls = true
	}
	phase := time.Duration(chance.Int64N(int64(time.Minute)))
	latency := math.Log(g.Factor)
	cfg.Effect = func(m simulate.Moment) (e simulate.Effect) {
		e.Stalled = stalls && (m.Age+phase)%time.Minute < 500*time.Millisecond
		if m.Setting.On(theSwitch) {
			e.Latency = latency
		}
		return e
	}
	target, err := simulate.NewService(cfg)
	if err != nil {
		return err
	}
	core, err := autotune().core(play{
		space: space, offered: offered, seed: seed, openLoop: true, pairs: 20, until: simulate.Epoch().Add(24 * time.Hour),
		timing: controller.Timing{Washout: time.Second, Measure: 5 * time.Second, Tick: 250 * time.Millisecond},
		policy: func() controller.Policy { return flip{} },
	})
	if err != nil {
		return err
	}
	// Afterwards the safe setting is held against the same limits: a strike is for
	// what is the candidate's own doing.
	t, err := tryAndWait(ctx, target, core, 30*time.Second)
	if err != nil {
		return err
	}
	if c, ok := core.(*controller.Controller); ok {
		into.Count(struck, c.State().Memory[theSwitch].Strikes > 0)
	}
	guard := t.Reason == controller.GuardTripped
	blocks := float64(t.Pairs)
	if guard {
		blocks++
		into.Value(untilAbort, t.Requests/g.Rate-blocks*6+6)
	}
	into.Count(firstBlock, guard && t.Pairs == 0)
	into.Count(everGuard, guard)
	into.Count(withdrawn, t.Outcome != controller.Kept)
	into.Value(blocksOf, blocks)
	return nil
}

func guardTables(r *Results) []Table {
	m := Guard().Measures
	found := Table{
		Title: "A slow candidate",
		Head:  []string{"tail", "requests/s", "latency", "n", m[0].Name, m[1].Name, m[2].Name, m[3].Name, m[4].Name},
		Note: "Seconds are of the block in which it was aborted, the washout of 1 s included, by requests seen. What the guard does not see in a block, the next block or the pairs do: " +
			"withdrawn counts everything that was not kept.",
	}
	quiet := Table{
		Title: "A candidate that does nothing",
		Head:  []string{"tail", "requests/s", "what else", "n", "candidate blocks", "aborted, % of blocks", "strikes"},
		Note: "Where the level of everything jumps, with a standard deviation of 0.3 every two minutes, the guard cannot know whose doing it is, and ends the trial. " +
			"The safe setting is then held against the same limits, and a candidate whose limits it breaks too gets no strike.",
	}
	for i, c := range r.Cells {
		g, ok := c.Params.(guarded)
		t := &r.Tallies[i]
		switch {
		case !ok:
		case g.Factor == 1:
			k, blocks := t.Counts[everGuard], blocksIn(t)
			low, high := stats.Binomial(k, blocks, 0.99)
			quiet.Rows = append(quiet.Rows, []string{
				g.Tail, fmt.Sprint(g.Rate), g.Upset, fmt.Sprint(t.N), fmt.Sprint(blocks),
				Measure{Name: everGuard, Of: Rate}.Text(Estimate{Value: percent(k, blocks) / 100, Low: low, High: high}),
				fmt.Sprint(t.Counts[struck]),
			})
		default:
			found.Rows = append(found.Rows, append([]string{g.Tail, fmt.Sprint(g.Rate), fmt.Sprintf("%vx", g.Factor)}, figures(t, m[:5])...))
		}
	}
	return []Table{found, quiet}
}

// blocksIn is the number of candidate blocks of all trials.
func blocksIn(t *Tally) int {
	n := 0.0
	for _, b := range t.Values[blocksOf] {
		n += b
	}
	return int(n)
}

func guardClaims(r *Results) []Claim {
	falsely := func(upset string, most float64) Claim {
		k, n := 0, 0
		for i, c := range r.Cells {
			if g, ok := c.Params.(guarded); ok && g.Factor == 1 && g.Upset == upset {
				k, n = k+r.Tallies[i].Counts[everGuard], n+blocksIn(&r.Tallies[i])
			}
		}
		return Claim{
			Text:   fmt.Sprintf("at most %.1f %% of candidate blocks are aborted without a reason (what else happens: %s)", most, upset),
			Figure: fmt.Sprintf("%d of %d blocks", k, n), Holds: n > 0 && percent(k, n) <= most,
		}
	}
	caught, inBlock, all := 0, 0, 0
	slowest := 0.0
	kept := 0
	for i, c := range r.Cells {
		g, ok := c.Params.(guarded)
		if !ok || g.Factor < 3 {
			continue
		}
		t := &r.Tallies[i]
		kept += t.N - t.Counts[withdrawn]
		if g.Tail == "lognormal" {
			all, caught, inBlock = all+t.N, caught+t.Counts[everGuard], inBlock+t.Counts[firstBlock]
			if e, ok := (Measure{Name: untilAbort, Of: Median, Better: report.Less}).Take(t); ok {
				slowest = max(slowest, e.Value)
			}
		}
	}
	strikes, trials := 0, 0
	for i, c := range r.Cells {
		if g, ok := c.Params.(guarded); ok && g.Factor == 1 {
			strikes, trials = strikes+r.Tallies[i].Counts[struck], trials+r.Tallies[i].N
		}
	}
	return []Claim{
		{
			Text:   "a candidate that does nothing gets a strike in at most 0.5 % of trials, whatever happens to everything",
			Figure: fmt.Sprintf("%d of %d", strikes, trials), Holds: trials > 0 && percent(strikes, trials) <= 0.5,
		},
		falsely("none", 0.1), falsely("drift", 0.1), falsely("0.5 s correlation", 0.5), falsely("stalls of 0.5 s each minute", 2),
		{
			Text:   "3x and 10x on a lognormal tail are aborted in the first block in 99 %",
			Figure: fmt.Sprintf("%d of %d, median %.2f s in force at worst", inBlock, all, slowest), Holds: all > 0 && percent(inBlock, all) >= 99,
		},
		{Text: "3x and 10x are never kept, whatever the tail", Figure: fmt.Sprintf("%d kept", kept), Holds: all > 0 && kept == 0},
	}
}
