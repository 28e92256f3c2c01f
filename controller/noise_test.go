package controller_test

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
	"autotune/internal/stats"
)

// noise makes the log of a gauge without a change, tick by tick.
type noise func(rng *rand.Rand) func() float64

// pairSD is white noise for which the difference of two one-tick blocks has
// this standard deviation: the "pair noise" of EXPERIMENT.md.
func pairSD(sd float64) noise {
	return func(rng *rand.Rand) func() float64 {
		return func() float64 { return sd / math.Sqrt2 * rng.NormFloat64() }
	}
}

// autoregressive noise with a slow ramp: load that drifts.
func autoregressive(phi, sd, ramp float64) noise {
	return func(rng *rand.Rand) func() float64 {
		level, trend := 0.0, 0.0
		return func() float64 {
			level = phi*level + sd*rng.NormFloat64()
			trend += ramp
			return level + trend + 0.03*rng.NormFloat64()
		}
	}
}

// pareto noise has infinite variance even in the log's exponent: tail index 1.2.
func pareto(rng *rand.Rand) func() float64 {
	return func() float64 { return 0.05 * math.Pow(1-rng.Float64(), -1/1.2) }
}

// bimodal is a service that answers from one of two machines.
func bimodal(rng *rand.Rand) func() float64 {
	return func() float64 { return 0.5*float64(rng.IntN(2)) + 0.02*rng.NormFloat64() }
}

// jumps of the level, about one in forty ticks.
func jumps(rng *rand.Rand) func() float64 {
	level := 0.0
	return func() float64 {
		if rng.IntN(40) == 0 {
			level = rng.NormFloat64() * 0.5
		}
		return level + 0.05*rng.NormFloat64()
	}
}

// periodic noise that is locked to the blocks: what defeats a fixed ABAB order.
func periodic(rng *rand.Rand) func() float64 {
	k := 0
	return func() float64 {
		k++
		return 0.3*math.Sin(math.Pi*float64(k)/2+0.4) + 0.03*rng.NormFloat64()
	}
}

// gauges is a target whose goals are gauges, each with a noise of its own, and
// one switch that changes them. It is quick: thousands of trials are run on it.
type gauges struct {
	now    time.Time
	set    Setting
	space  Space
	goals  []Goal
	next   []func() float64
	effect []float64 // of the switch, log units
	sample Sample
}

func (g *gauges) Space() Space                             { return g.space }
func (g *gauges) Current(context.Context) (Setting, error) { return g.set, nil }

func (g *gauges) Apply(_ context.Context, s Setting) error {
	g.set = s
	return nil
}

func (g *gauges) Observe(_ context.Context, _ uint64, d time.Duration) (Sample, error) {
	g.now = g.now.Add(d)
	g.sample.At, g.sample.Over = g.now, d
	for i, goal := range g.goals {
		y := g.next[i]()
		if g.set.On("x") {
			y += g.effect[i]
		}
		g.sample.Gauges[goal.Metric] = math.Exp(y)
	}
	return g.sample, nil
}

// trialOf runs a controller until its first trial ended, with everything that
// can end one in play, and returns the verdict.
func trialOf(t testing.TB, seed uint64, timing Timing, noises []noise, effects []float64) Trial {
	space, offered, initial := switches("x")
	metrics := []Metric{"first", "second", "third"}
	g := &gauges{now: epochZero, set: SettingOf(initial), space: space, effect: effects, sample: Sample{Gauges: map[Metric]float64{}}}
	for i, n := range noises {
		g.goals = append(g.goals, Goal{Metric: metrics[i]})
		g.next = append(g.next, n(rand.New(rand.NewPCG(seed, uint64(i)))))
	}
	c, err := New(Config{Space: space, Offered: offered, Goals: g.goals, Policy: &eachOnce{}, Seed: seed, Timing: timing})
	if err != nil {
		t.Fatal(err)
	}
	ended := &untilVerdict{Controller: c}
	if err := Run(context.Background(), g, ended, Loop{}); err != nil || ended.verdict == nil {
		t.Fatal(err, "no verdict")
	}
	return *ended.verdict
}

// untilVerdict ends the loop with the first verdict.
type untilVerdict struct {
	*Controller
	verdict *Trial
}

func (u *untilVerdict) Step(in Input) Command {
	cmd := u.Controller.Step(in)
	for _, r := range cmd.Records {
		if r.Kind == RecordVerdict {
			u.verdict = r.Trial
			cmd.Done = true
		}
	}
	return cmd
}

// trials runs n of them on all cores, each with a seed of its own.
func trials(t testing.TB, n int, timing Timing, noises []noise, effects []float64) []Trial {
	out := make([]Trial, n)
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				out[i] = trialOf(t, uint64(1000+i), timing, noises, effects)
			}
		})
	}
	wg.Wait()
	return out
}

// upperBound is the Clopper-Pearson bound: with 99 % confidence, the rate behind
// k of n is at most this.
func upperBound(k, n int) float64 {
	return stats.BinomialUpper(k, n, 0.99)
}

func count(all []Trial, is func(Trial) bool) int {
	n := 0
	for _, t := range all {
		if is(t) {
			n++
		}
	}
	return n
}

func kept(t Trial) bool  { return t.Outcome == Kept }
func worse(t Trial) bool { return t.Reason == Worse }

// lowerBound is the other one: with 99 % confidence, the rate is at least this.
func lowerBound(k, n int) float64 {
	low, _ := stats.Binomial(k, n, 0.98) // two-sided: 1 % on each side
	return low
}

func medianPairs(all []Trial) int {
	pairs := make([]int, len(all))
	for i, t := range all {
		pairs[i] = t.Pairs
	}
	slices.Sort(pairs)
	return pairs[len(pairs)/2]
}
