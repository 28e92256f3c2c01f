package table

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"autotune/controller"
)

// Judge is who decides whether a candidate is kept.
type Judge int

// Sequential is the shipped controller, with randomized pairs of draws. Exact
// compares true values, without noise, so that what is found is the policy's doing
// alone.
const (
	Sequential Judge = iota + 1
	Exact
)

var judges = [...]string{"", "sequential", "exact"}

// String returns the judge's name.
func (j Judge) String() string { return judges[j] }

// JudgeNamed returns the judge of that name.
func JudgeNamed(name string) (Judge, error) {
	for i, known := range judges {
		if i > 0 && known == name {
			return Judge(i), nil
		}
	}
	return 0, fmt.Errorf("judge %q: must be one of sequential, exact", name)
}

// RunConfig is how a table is searched.
type RunConfig struct {
	// Policy that proposes; a run needs one of its own.
	Policy controller.Policy
	// Evaluations are the candidates that may be tried, at least 1. With several
	// environments each gets an equal share.
	Evaluations int
	// Judge of the candidates, Sequential by default.
	Judge Judge
	// Order of repeats, Resampled by default.
	Order Order
	// Seed of the start, the draws, the coins and the policy.
	Seed uint64
	// Start is the configuration in force at first; below 0 draws one.
	Start int
}

// Run is what came of one search: a line of autotune simulate --table.
type Run struct {
	Type string `json:"type"` // "run"
	Seed uint64 `json:"seed"`
	// Noise is where differences between draws come from, for people.
	Noise string `json:"noise"`
	// Evaluations are the candidates tried, Measurements the draws that it took:
	// baseline, trials, audits. Idle are those of a controller that waits for a
	// cool-down; each lasts sixteen others.
	Evaluations  int `json:"evaluations"`
	Measurements int `json:"measurements"`
	Idle         int `json:"idle"`
	// Final is the configuration in force at the end, in the columns of the file.
	Final map[string]any `json:"final"`
	// Values are true ones, in the last environment. Median is over all
	// configurations; Default is what was in force at the start.
	FinalValue   float64 `json:"final_value"`
	BestValue    float64 `json:"best_value"`
	DefaultValue float64 `json:"default_value"`
	MedianValue  float64 `json:"median_value"`
	// Gap is (final - best) / (median - best); absent where that is not defined.
	Gap *float64 `json:"gap"`
	// Rank is how many configurations are better than the final one.
	Rank int `json:"rank"`
	// Kept candidates; KeptWorse of them have a worse true value than what they
	// replaced. RolledBack were shown worse, in a trial or afterwards.
	Kept       int `json:"kept"`
	KeptWorse  int `json:"kept_worse"`
	RolledBack int `json:"rolled_back"`
	// Environments has what was reached at the end of each, if there are several.
	Environments []Reached `json:"environments,omitempty"`

	final, start int
}

// Reached is the setting in force at the end of an environment.
type Reached struct {
	At          string   `json:"at"`
	Evaluations int      `json:"evaluations"`
	FinalValue  float64  `json:"final_value"`
	BestValue   float64  `json:"best_value"`
	Default     float64  `json:"default_value"`
	MedianValue float64  `json:"median_value"`
	Gap         *float64 `json:"gap"`
	Rank        int      `json:"rank"`
}

// Check reports every fault at once, or nil.
func (c RunConfig) Check(t *Table) error {
	var errs []error
	if c.Policy == nil {
		errs = append(errs, errors.New("policy: missing: must say what to try"))
	}
	if n := len(t.environments); c.Evaluations < n {
		errs = append(errs, fmt.Errorf("evaluations %d: must be at least %d, one an environment", c.Evaluations, n))
	}
	if c.Start >= t.Len() {
		errs = append(errs, fmt.Errorf("start %d: must be one of %d configurations", c.Start, t.Len()))
	}
	if c.Judge != Exact {
		for _, e := range t.environments {
			if i, v, ok := e.notPositive(); ok {
				errs = append(errs, fmt.Errorf("value %v of configuration %d (%s): must be above 0, the sequential judge compares ratios; the exact one takes any", v, i, t.Setting(i)))
				break
			}
		}
	}
	return errors.Join(errs...)
}

func (e *environment) notPositive() (config int, value float64, found bool) {
	for i, r := range e.results {
		if !(r.value > 0) {
			return i, r.value, true
		}
		for _, v := range r.repeats {
			if !(v > 0) {
				return i, v, true
			}
		}
	}
	return 0, 0, false
}

// Run searches the table. The same configuration and seed give the same Run.
func (t *Table) Run(ctx context.Context, cfg RunConfig) (*Run, error) {
	if cfg.Judge == 0 {
		cfg.Judge = Sequential
	}
	if cfg.Order == 0 {
		cfg.Order = Resampled
	}
	if err := cfg.Check(t); err != nil {
		return nil, err
	}
	start := cfg.Start
	if start < 0 {
		start = rand.New(rand.NewPCG(cfg.Seed, 0x57a27)).IntN(t.Len())
	}
	run := &Run{Type: "run", Seed: cfg.Seed, Noise: t.noiseOf(cfg), start: start}
	s := &search{table: t, cfg: cfg, run: run}
	s.gate = &gate{Policy: cfg.Policy, table: t, refuse: func(int) string { return "" }}
	search := s.sequential
	if cfg.Judge == Exact {
		search = s.exact
	}
	if err := search(ctx); err != nil {
		return nil, err
	}
	last := len(t.environments) - 1
	reached := t.reached(last, run.final, start)
	run.Final = t.Row(run.final)
	run.FinalValue, run.BestValue, run.DefaultValue, run.MedianValue = reached.FinalValue, reached.BestValue, reached.Default, reached.MedianValue
	run.Gap, run.Rank = reached.Gap, reached.Rank
	if last == 0 {
		run.Environments = nil
	}
	return run, nil
}

// FinalConfiguration is the number of the configuration in force at the end.
func (r *Run) FinalConfiguration() int { return r.final }

func (t *Table) reached(environment, config, start int) Reached {
	r := Reached{
		At: t.environments[environment].name, FinalValue: t.Value(environment, config), BestValue: t.Best(environment),
		Default: t.Value(environment, start), MedianValue: t.Median(environment),
	}
	if gap := t.Gap(environment, r.FinalValue); !math.IsNaN(gap) && !math.IsInf(gap, 0) {
		r.Gap = &gap
	}
	r.Rank = t.Rank(environment, r.FinalValue)
	return r
}

// search is a run in progress.
type search struct {
	table       *Table
	cfg         RunConfig
	run         *Run
	gate        *gate
	environment int
	before      int // evaluations in the environments before
}

// used reports whether the environment's share of evaluations is used up.
func (s *search) used() bool {
	return s.run.Evaluations*len(s.table.environments) >= s.cfg.Evaluations*(s.environment+1)
}

// next ends an environment with that configuration in force, and goes to the next
// one. It reports whether there is one.
func (s *search) next(config int) bool {
	r := s.table.reached(s.environment, config, s.run.start)
	r.Evaluations = s.run.Evaluations - s.before
	s.run.Environments = append(s.run.Environments, r)
	s.before = s.run.Evaluations
	s.run.final = config
	if s.environment == len(s.table.environments)-1 {
		return false
	}
	s.environment++
	return true
}

// kept counts a candidate that took another's place.
func (s *search) kept(from, to int) {
	s.run.Kept++
	t := s.table
	if t.Better(t.Value(s.environment, from), t.Value(s.environment, to)) {
		s.run.KeptWorse++
	}
}
