package simulate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"autotune/controller"
)

// TrialsConfig says which trials to draw from recorded series.
type TrialsConfig struct {
	// N trials, at least 1.
	N int
	// Block is how many values a block holds; its value is their mean. 1 by default.
	Block int
	// Effect of the candidate: its values are multiplied by 1+Effect. Above -1; 0
	// is a trial of nothing.
	Effect float64
	// Maximize: more is better. The default is that less is better.
	Maximize bool
	// Seed of every start and every coin. A trial depends on it, on its own
	// number and on the series, never on the number of workers.
	Seed uint64
	// Workers run trials side by side; as many as there are processors by default.
	Workers int
	// Progress, if not nil, is called after each trial with the number done so
	// far: 1, 2, 3 ..., one call at a time.
	Progress func(done int)
}

// SeriesTrial is one trial: where it started, and its verdict.
type SeriesTrial struct {
	// Series is the index of the recording, Start that of its first value.
	Series, Start int
	controller.Trial
}

func (c *TrialsConfig) setDefaults() {
	if c.Block == 0 {
		c.Block = 1
	}
	if c.Workers == 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
}

// Check reports the first field that is wrong, or nil.
func (c TrialsConfig) Check() error {
	c.setDefaults()
	switch {
	case c.N < 1:
		return fmt.Errorf("trials %d: must be at least 1", c.N)
	case c.Block < 1:
		return fmt.Errorf("block %d: must be at least 1 value", c.Block)
	case c.Workers < 1:
		return fmt.Errorf("workers %d: must be at least 1", c.Workers)
	case !(c.Effect > -1) || math.IsInf(c.Effect, 0):
		return fmt.Errorf("effect %v: must be finite and above -1", c.Effect)
	}
	return nil
}

const (
	// TrialsMaxPairs that a trial may take: the controller's default, written out
	// because what fits depends on it.
	TrialsMaxPairs = 120
	// TrialsAlpha is the error rate of a keep: that of a controller's first trial.
	TrialsAlpha = 0.025

	baselineBlocks = 22 // as TrialsMaxPairs
	leastPairs     = 7  // no verdict of kept or worse is possible in fewer
)

// LeastValues is how many values a series must have for a trial in blocks of
// that many: one to look, the baseline, and the least pairs that can decide.
func LeastValues(block int) int { return valuesFor(block, leastPairs) }

func valuesFor(block, pairs int) int { return 1 + block*(baselineBlocks+2*pairs) }

// places is how many starts a series has: those after which all pairs of a
// trial fit, or, in a series too short for that, half the pairs that it can
// hold, so that trials there are not all the same one.
func places(values, block int) int {
	can := (values - valuesFor(block, 0)) / (2 * block)
	return values - valuesFor(block, min(TrialsMaxPairs, max(leastPairs, can/2))) + 1
}

// Trials runs N trials on recorded series, each by a fresh controller, the
// shipped one, that ends at its first verdict. The series get equal numbers of
// trials, whatever their lengths, so that a rate over all is one over series; a
// start is uniform over the places of its series where a trial fits. A trial
// whose series ends before a decision is inconclusive, by timeout: its session
// was over.
//
// The results are in the order of the trials. When ctx ends, those done so far
// are returned with its error. An error otherwise is a series or a field that is
// wrong.
func Trials(ctx context.Context, series []Recording, cfg TrialsConfig) ([]SeriesTrial, error) {
	cfg.setDefaults()
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if len(series) == 0 {
		return nil, errors.New("series: there is none: must have at least one")
	}
	for _, s := range series {
		if why := s.unfit(cfg.Block); why != "" {
			return nil, fmt.Errorf("series %s: %s", s.Name, why)
		}
	}
	// So that few trials are a fair choice of many series.
	order := rand.New(rand.NewPCG(cfg.Seed, 0)).Perm(len(series))
	all := make([]*SeriesTrial, cfg.N)
	var errs []error
	next, done := 0, 0
	var mu sync.Mutex // of the three above
	take := func() int {
		mu.Lock()
		defer mu.Unlock()
		if next == cfg.N || ctx.Err() != nil || len(errs) > 0 {
			return -1
		}
		next++
		return next - 1
	}
	end := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			errs = append(errs, err)
			return
		}
		if done++; cfg.Progress != nil {
			cfg.Progress(done)
		}
	}
	var workers sync.WaitGroup
	for range min(cfg.Workers, cfg.N) {
		workers.Go(func() {
			for i := take(); i >= 0; i = take() {
				which := order[i%len(order)]
				t, err := seriesTrial(series[which].Values, which, i, cfg)
				all[i] = t
				end(err)
			}
		})
	}
	workers.Wait()
	var out []SeriesTrial
	for _, t := range all {
		if t != nil {
			out = append(out, *t)
		}
	}
	if len(errs) > 0 {
		return out, errs[0]
	}
	return out, ctx.Err()
}

// seriesTrial runs trial number i, to its end: half a trial is none.
func seriesTrial(values []float64, which, i int, cfg TrialsConfig) (*SeriesTrial, error) {
	chance := rand.New(rand.NewPCG(cfg.Seed, uint64(i)+1))
	start := chance.IntN(places(len(values), cfg.Block))
	values = values[start:]
	target := NewSeries(values, cfg.Effect)
	core, err := seriesCore(target, len(values), cfg, chance.Uint64())
	if err != nil {
		return nil, fmt.Errorf("trial %d: %w", i, err)
	}
	ended := &firstVerdict{Controller: core}
	if err := controller.Run(context.Background(), target, ended, controller.Loop{}); err != nil {
		return nil, fmt.Errorf("trial %d: %w", i, err)
	}
	if ended.verdict == nil {
		return nil, fmt.Errorf("trial %d: the session ended without a verdict", i)
	}
	return &SeriesTrial{Series: which, Start: start, Trial: *ended.verdict}, nil
}

// seriesCore is the shipped controller for a series of that many values.
func seriesCore(target *Series, values int, cfg TrialsConfig, seed uint64) (*controller.Controller, error) {
	return controller.New(controller.Config{
		Space: target.Space(),
		Offered: []controller.Optimization{{
			Name: SeriesSwitch, Why: "its effect is known", Switch: SeriesSwitch, Equivalence: controller.Exact,
		}},
		Goals:  []controller.Goal{{Metric: SeriesValue, Maximize: cfg.Maximize}},
		Policy: theCandidate{},
		Seed:   seed,
		Timing: controller.Timing{
			Washout: -1, Measure: time.Duration(cfg.Block) * seriesTick, Tick: seriesTick,
			MinRequests: -1, BaselineBlocks: baselineBlocks,
		},
		// The session ends with the series, and the controller knows it, as it
		// knows when a live one ends: no pair starts that cannot end.
		Budget: controller.Budget{MaxPairs: TrialsMaxPairs, Until: seriesStart.Add(time.Duration(values) * seriesTick)},
	})
}

// theCandidate is the policy that proposes to turn it on.
type theCandidate struct{}

func (theCandidate) Learn(controller.Trial) {}

func (theCandidate) Propose(controller.View) (controller.Proposal, bool) {
	return controller.Proposal{
		Optimization: SeriesSwitch, Move: controller.MoveOn,
		Change: map[string]float64{SeriesSwitch: 1}, Why: "there is nothing else",
	}, true
}

// firstVerdict ends the loop with it.
type firstVerdict struct {
	*controller.Controller
	verdict *controller.Trial
}

// Step ends with the first verdict.
func (f *firstVerdict) Step(in controller.Input) controller.Command {
	cmd := f.Controller.Step(in)
	for _, r := range cmd.Records {
		if r.Kind == controller.RecordVerdict {
			f.verdict, cmd.Done = r.Trial, true
		}
	}
	return cmd
}
