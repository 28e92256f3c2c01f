package simulate

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/controller"
	"autotune/internal/stats"
)

func TestSeries_readsInOrderAndEnds(t *testing.T) {
	ctx := context.Background()
	s := NewSeries([]float64{1, 2, 3}, -0.5)
	on := controller.SettingOf(map[string]float64{SeriesSwitch: 1})
	off := controller.SettingOf(map[string]float64{SeriesSwitch: 0})
	now, err := s.Current(ctx)
	require.NoError(t, err)
	require.True(t, now.Equal(off), "a first start moves nothing")
	for i, c := range []struct {
		set  controller.Setting
		want float64
	}{{off, 1}, {on, 1}, {off, 3}} {
		require.NoError(t, s.Apply(ctx, c.set))
		before, err := s.Observe(ctx, 0, 0)
		require.NoError(t, err, "no time reads no value")
		got, err := s.Observe(ctx, 0, time.Second)
		require.NoError(t, err)
		require.Equal(t, c.want, got.Gauges[SeriesValue], "value %d", i)
		require.Equal(t, time.Second, got.At.Sub(before.At))
	}
	last, err := s.Observe(ctx, 0, time.Second)
	require.ErrorIs(t, err, ErrSeriesEnded)
	require.False(t, last.At.IsZero())
}

// wander is a recording whose log wanders about, with noise: sd is of one value.
func wander(n int, seed uint64, sd float64) Recording {
	rng := rand.New(rand.NewPCG(seed, 1))
	values, level := make([]float64, n), 0.0
	for i := range values {
		level = 0.98*level + 0.02*rng.NormFloat64()
		values[i] = 100 * math.Exp(level+sd*rng.NormFloat64())
	}
	return Recording{Values: values}
}

// What the controller judged are the values of the series, in their order, block
// by block and none left out: the pairs in the trace are recomputed by hand.
func TestTrials_usesEachValueOnceInOrder(t *testing.T) {
	for _, block := range []int{1, 3} {
		const effect = 0.05
		values := wander(400, 5, 0.1).Values
		target := NewSeries(values, effect)
		core, err := seriesCore(target, len(values), TrialsConfig{Block: block, Effect: effect}, 9)
		require.NoError(t, err)
		var trace controller.Trace
		require.NoError(t, controller.Run(context.Background(), target, &firstVerdict{Controller: core}, controller.Loop{Record: &trace}))
		at := 1 + baselineBlocks*block
		mean := func() float64 {
			sum := 0.0
			for range block {
				sum += values[at]
				at++
			}
			return sum / float64(block)
		}
		pairs, candidateFirst := 0, false
		for _, r := range trace.Records {
			switch r.Kind {
			case controller.RecordCoin:
				candidateFirst = r.Coin.CandidateFirst
			case controller.RecordPair:
				pairs++
				first, second := mean(), mean()
				if candidateFirst {
					first, second = second, first
				}
				require.InEpsilon(t, first, r.Pair.Safe[SeriesValue], 1e-12)
				require.InEpsilon(t, second*(1+effect), r.Pair.Candidate[SeriesValue], 1e-12)
			}
		}
		require.GreaterOrEqual(t, pairs, 8)
		require.Equal(t, at, len(values)-len(target.values), "values read")
	}
}

func TestTrials_repeatWhateverTheNumberOfWorkers(t *testing.T) {
	series := []Recording{wander(300, 1, 0.1), wander(150, 2, 0.2), wander(90, 3, 0.1)}
	cfg := TrialsConfig{N: 20, Block: 1, Effect: -0.1, Seed: 7, Workers: 1}
	one, err := Trials(context.Background(), series, cfg)
	require.NoError(t, err)
	cfg.Workers = 5
	five, err := Trials(context.Background(), series, cfg)
	require.NoError(t, err)
	require.Equal(t, one, five)

	share := map[int]int{}
	starts := map[int]bool{}
	for _, r := range one {
		share[r.Series]++
		starts[r.Start] = true
		require.LessOrEqual(t, r.Start+LeastValues(1), len(series[r.Series].Values))
	}
	for i, n := range share {
		require.InDelta(t, 20.0/3, float64(n), 1, "series %d", i)
	}
	require.Greater(t, len(starts), 10)

	cfg.Seed = 8
	other, err := Trials(context.Background(), series, cfg)
	require.NoError(t, err)
	require.NotEqual(t, one, other)
}

// At α = 0.025 nothing is kept, or called worse, more often than that, in either
// direction and in blocks of any length; what is there is found.
func TestTrials_findsWhatIsThereAndNothingElse(t *testing.T) {
	n := 400
	if testing.Short() || raceEnabled {
		n = 60
	}
	series := []Recording{wander(2000, 1, 0.03), wander(700, 2, 0.1)}
	run := func(c TrialsConfig) TrialsSummary {
		c.N, c.Seed = n, 3
		got, err := Trials(context.Background(), series, c)
		require.NoError(t, err)
		s := Summarize(got)
		require.Equal(t, n, s.Kept+s.Reverted+s.Inconclusive)
		return s
	}
	for _, block := range []int{1, 4} {
		for _, maximize := range []bool{false, true} {
			nothing := run(TrialsConfig{Block: block, Maximize: maximize})
			low, _ := stats.Binomial(nothing.Kept, n, 0.98)
			require.LessOrEqual(t, low, 0.025, "false keeps: %+v", nothing)
			low, _ = stats.Binomial(nothing.Reverted, n, 0.98)
			require.LessOrEqual(t, low, 0.025, "false aborts: %+v", nothing)
			less := run(TrialsConfig{Block: block, Maximize: maximize, Effect: -0.2})
			more := run(TrialsConfig{Block: block, Maximize: maximize, Effect: 0.25})
			gain, loss := less, more
			if maximize {
				gain, loss = more, less
			}
			require.GreaterOrEqual(t, gain.KeepRate, 0.97, "%+v", gain)
			require.GreaterOrEqual(t, float64(loss.Reverted)/float64(n), 0.97, "%+v", loss)
		}
	}
}

// The shortest series that is taken is long enough to decide in, and a series
// that ends before a decision is undecided.
func TestTrials_endWithTheSeries(t *testing.T) {
	for _, block := range []int{1, 5} {
		least := LeastValues(block)
		short := Recording{Values: wander(least, 4, 0.01).Values}
		got, err := Trials(context.Background(), []Recording{short}, TrialsConfig{N: 20, Block: block, Effect: -0.5})
		require.NoError(t, err)
		for _, r := range got {
			require.Equal(t, controller.Kept, r.Outcome, r.Detail)
			require.Equal(t, leastPairs, r.Pairs)
			require.Zero(t, r.Start)
		}
		noisy := wander(least, 4, 0.5)
		got, err = Trials(context.Background(), []Recording{noisy}, TrialsConfig{N: 20, Block: block, Effect: -0.01})
		require.NoError(t, err)
		timeouts := 0
		for _, r := range got {
			if r.Reason == controller.Timeout {
				timeouts++
				require.Equal(t, controller.Inconclusive, r.Outcome)
				require.Equal(t, leastPairs, r.Pairs)
			}
		}
		require.GreaterOrEqual(t, timeouts, 15)
		short.Values = short.Values[1:]
		_, err = Trials(context.Background(), []Recording{short}, TrialsConfig{N: 20, Block: block})
		require.ErrorContains(t, err, "needs")
	}
}

func TestTrials_endedByTheContextAreThoseDone(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cfg := TrialsConfig{N: 1000, Block: 1, Seed: 1, Workers: 2, Progress: func(done int) {
		if done >= 5 {
			cancel()
		}
	}}
	got, err := Trials(ctx, []Recording{wander(400, 1, 0.1)}, cfg)
	require.ErrorIs(t, err, context.Canceled)
	require.GreaterOrEqual(t, len(got), 5)
	require.Less(t, len(got), 1000)
	for _, r := range got {
		require.NotZero(t, r.Outcome)
		require.NotEqual(t, controller.Stopped, r.Reason, "half a trial is none")
	}
}

func TestTrials_refuses(t *testing.T) {
	good := wander(100, 1, 0.1)
	constant := Recording{Name: "vm=1", Values: make([]float64, 100)}
	for i := range constant.Values {
		constant.Values[i] = 3
	}
	negative := Recording{Name: "vm=2", Values: append([]float64{-1}, good.Values...)}
	for want, c := range map[string]struct {
		series []Recording
		cfg    TrialsConfig
	}{
		"trials 0: must be at least 1":            {[]Recording{good}, TrialsConfig{}},
		"block -1: must be at least 1 value":      {[]Recording{good}, TrialsConfig{N: 1, Block: -1}},
		"workers -1: must be at least 1":          {[]Recording{good}, TrialsConfig{N: 1, Workers: -1}},
		"effect -1: must be finite and above -1":  {[]Recording{good}, TrialsConfig{N: 1, Effect: -1}},
		"effect NaN: must be finite and above -1": {[]Recording{good}, TrialsConfig{N: 1, Effect: math.NaN()}},
		"effect +Inf: must be finite":             {[]Recording{good}, TrialsConfig{N: 1, Effect: math.Inf(1)}},
		"must have at least one":                  {nil, TrialsConfig{N: 1}},
		"vm=1: all 100 values are 3":              {[]Recording{good, constant}, TrialsConfig{N: 1}},
		"vm=2: value 1 is -1: must be":            {[]Recording{negative}, TrialsConfig{N: 1}},
		"100 values: a trial in blocks of 3":      {[]Recording{good}, TrialsConfig{N: 1, Block: 3}},
	} {
		_, err := Trials(context.Background(), c.series, c.cfg)
		require.ErrorContains(t, err, want)
	}
}

func TestRecording_noiseIsThatOfItsBlocks(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var r Recording
	for range 40_000 {
		r.Values = append(r.Values, math.Exp(0.1*rng.NormFloat64()))
	}
	require.InEpsilon(t, 0.1*math.Sqrt2, r.Noise(1), 0.03)
	require.InEpsilon(t, 0.05*math.Sqrt2, r.Noise(4), 0.05)
}

func TestSummarize_ofNothing(t *testing.T) {
	require.Equal(t, TrialsSummary{Type: "trials", High: 1}, Summarize(nil))
}
