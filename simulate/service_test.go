package simulate

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"

	"autotune/controller"
)

var ctx = context.Background()

// newService has one switch, x.
func newService(t testing.TB, cfg ServiceConfig) *Service {
	cfg.Space, _, cfg.Initial = Switches("x")
	s, err := NewService(cfg)
	require.NoError(t, err)
	return s
}

// whenOn is the effect of the switch x.
func whenOn(e Effect) func(Moment) Effect {
	return func(m Moment) Effect {
		if m.Setting.On("x") {
			return e
		}
		return Effect{}
	}
}

func turn(t testing.TB, target controller.Target, x float64) {
	require.NoError(t, target.Apply(ctx, controller.SettingOf(map[string]float64{"x": x})))
}

func observe(t testing.TB, target controller.Target, epoch uint64, d time.Duration) controller.Sample {
	s, err := target.Observe(ctx, epoch, d)
	require.NoError(t, err)
	return s
}

func value(t testing.TB, s controller.Sample, m controller.Metric) float64 {
	v, ok := s.Value(m)
	require.True(t, ok, "%s was not measured", m)
	return v
}

// both runs a test at block level and at request level.
func both(t *testing.T, test func(t *testing.T, blocks bool)) {
	for name, blocks := range map[string]bool{"blocks": true, "requests": false} {
		t.Run(name, func(t *testing.T) { test(t, blocks) })
	}
}

func TestNewService_reportsEveryFault(t *testing.T) {
	space, _, _ := Switches("a", "b")
	_, err := NewService(ServiceConfig{
		Space: space, Initial: map[string]float64{"a": 0, "c": 1}, Rate: math.NaN(), Median: -1, CPUNoise: math.Inf(1), Tail: Pareto(1),
	})
	for _, want := range []string{
		"initial: b is missing", "initial: c: unknown knob", "rate NaN", "median -1", "cpu_noise +Inf", "tail: pareto index 1",
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestNewService_needsAKnob(t *testing.T) {
	_, err := NewService(ServiceConfig{Rate: 10})
	require.ErrorContains(t, err, "space: has no knob")
}

func TestService_applyRefusesWhatItHasNot(t *testing.T) {
	s := newService(t, ServiceConfig{})
	require.ErrorContains(t, s.Apply(ctx, controller.SettingOf(map[string]float64{"y": 1})), "y is an unknown knob")
	require.ErrorContains(t, s.Apply(ctx, controller.Setting{}), "each of 1 knobs")
	require.False(t, s.Setting().On("x"))
	turn(t, s, 1)
	now, err := s.Current(ctx)
	require.NoError(t, err)
	require.True(t, now.On("x"))
}

// Arrivals are Poisson at Rate·exp(Load), whatever the ticks and whatever is in force.
func TestService_arrivals(t *testing.T) {
	both(t, func(t *testing.T, blocks bool) {
		const n, rate = 4000, 20.0
		counts := func(load Signal, x float64) []float64 {
			s := newService(t, ServiceConfig{Rate: rate, Load: load, Blocks: blocks, Effect: whenOn(Effect{Latency: 0.5}), Tail: Lognormal(1)})
			turn(t, s, x)
			out := make([]float64, n)
			for i := range out {
				out[i] = value(t, observe(t, s, 1, time.Second), controller.Requests)
			}
			return out
		}
		even := counts(nil, 0)
		mean, variance := stat.MeanVariance(even, nil)
		require.InDelta(t, rate, mean, 4*math.Sqrt(rate/n))
		require.InDelta(t, rate, variance, 4*math.Sqrt((rate+2*rate*rate)/n))
		require.InDelta(t, 0, stat.Correlation(even[1:], even[:n-1], nil), 4/math.Sqrt(n))
		require.Equal(t, even, counts(nil, 1), "what is in force does not change who arrives")
		doubled := counts(Step(n/2*time.Second, 0, math.Ln2), 0)
		require.InDelta(t, rate, stat.Mean(doubled[:n/2], nil), 4*math.Sqrt(rate*2/n))
		require.InDelta(t, 2*rate, stat.Mean(doubled[n/2:], nil), 4*math.Sqrt(2*rate*2/n))
	})
}

// The whole service at block level shows what it shows at request level: p95 of
// blocks of about 200 requests, for each tail. Each block is an epoch, so what
// is in flight at its end is unfinished at request level; that is part of it.
func TestService_levelsAgree(t *testing.T) {
	blocks := 2500
	if testing.Short() || raceEnabled {
		blocks = 600
	}
	for _, tail := range []Tail{Lognormal(0.6), Pareto(1.2), Bimodal(0.1, 8, 0.3)} {
		for _, errors := range []float64{0, 0.03} {
			logs := map[bool]map[controller.Metric][]float64{true: {}, false: {}}
			for level, got := range logs {
				s := newService(t, ServiceConfig{
					Rate: 50, Tail: tail, Blocks: level, Median: time.Millisecond, CPUNoise: 0.6,
					Effect: func(Moment) Effect { return Effect{Errors: errors} },
				})
				for i := range blocks {
					sample := observe(t, s, uint64(i), 4*time.Second)
					for _, m := range []controller.Metric{
						controller.LatencyP50, controller.LatencyP95, controller.LatencyP99, controller.LatencyMean, controller.CPUPerRequest,
					} {
						got[m] = append(got[m], math.Log(value(t, sample, m)))
					}
				}
			}
			for m, one := range logs[true] {
				if errors > 0 && (m == controller.LatencyP95 || m == controller.LatencyP99) {
					continue // either a latency or among the failures: its log has no moments worth the name
				}
				m1, s1 := stat.MeanStdDev(one, nil)
				m2, s2 := stat.MeanStdDev(logs[false][m], nil)
				t.Logf("%v, errors %v, %v: mean of log %.4f and %.4f, sd %.4f and %.4f", tail, errors, m, m1, m2, s1, s2)
				alike(t, one, logs[false][m], fmt.Sprintf("%v, errors %v, %s", tail, errors, m))
			}
		}
	}
}

// CPU per request varies as it should from block to block, whatever the ticks.
func TestService_cpu(t *testing.T) {
	both(t, func(t *testing.T, blocks bool) {
		for _, ticks := range []int{1, 5} {
			s := newService(t, ServiceConfig{Rate: 100, CPU: 2 * time.Millisecond, CPUNoise: 0.6, Blocks: blocks, Effect: whenOn(Effect{CPU: -0.1})})
			turn(t, s, 1)
			var logs []float64
			for range 3000 {
				var b controller.Sample
				for range ticks {
					o := observe(t, s, 1, time.Second/time.Duration(ticks))
					b.Merge(&o)
				}
				logs = append(logs, math.Log(value(t, b, controller.CPUPerRequest)))
			}
			mean, sd := stat.MeanStdDev(logs, nil)
			require.InDelta(t, math.Log(0.002)-0.1, mean, 4*0.06/math.Sqrt(3000)+0.002)
			require.InEpsilon(t, 0.06, sd, 0.06, "%d ticks", ticks)
		}
	})
}

// Same seed, same samples, to the bit; another seed, others.
func TestService_isDeterministic(t *testing.T) {
	both(t, func(t *testing.T, blocks bool) {
		run := func(seed uint64) string {
			s := newService(t, ServiceConfig{
				Seed: seed, Rate: 200, Tail: Pareto(1.2), CPUNoise: 0.6, Blocks: blocks,
				Level:  Sum(AR1(seeded(seed), time.Second, 0.2), Jumps(seeded(seed+1), time.Second, 0.2)),
				Effect: whenOn(Effect{Latency: -0.2, Errors: 0.1}),
			})
			var out []byte
			for i := range 50 {
				turn(t, s, float64(i/7%2))
				text, err := json.Marshal(observe(t, s, uint64(i/5), time.Duration(1+i%3)*300*time.Millisecond))
				require.NoError(t, err)
				out = append(out, text...)
			}
			text, err := json.Marshal(s.Score())
			require.NoError(t, err)
			return string(append(out, text...))
		}
		require.Equal(t, run(1), run(1))
		require.NotEqual(t, run(1), run(2))
	})
}

// Effects do what they say, relative to the level of the service.
func TestService_effects(t *testing.T) {
	both(t, func(t *testing.T, blocks bool) {
		at := func(e Effect, m controller.Metric) float64 {
			s := newService(t, ServiceConfig{
				Rate: 2000, Tail: Lognormal(0.6), Level: Constant(0.3), CPULevel: Constant(0.1), Blocks: blocks, Effect: whenOn(e), MemoryLimit: 1e9,
			})
			turn(t, s, 1)
			observe(t, s, 1, time.Second)
			return value(t, observe(t, s, 1, 10*time.Second), m)
		}
		for _, c := range []struct {
			e    Effect
			m    controller.Metric
			want float64
		}{
			{Effect{}, controller.LatencyP50, 0.010 * math.Exp(0.3)},
			{Effect{Latency: -0.2}, controller.LatencyP50, 0.010 * math.Exp(0.1)},
			{Effect{Latency: -0.2}, controller.LatencyMean, 0.010 * math.Exp(0.1+0.18)},
			{Effect{Tail: Lognormal(1)}, controller.LatencyP50, 0.010 * math.Exp(0.3)},
			{Effect{Tail: Lognormal(1)}, controller.LatencyP95, 0.010 * math.Exp(0.3+1.645)},
			{Effect{CPU: 0.5}, controller.CPUPerRequest, 0.001 * math.Exp(0.6)},
			{Effect{Errors: 0.3}, controller.ErrorRatio, 0.3},
			{Effect{Memory: 5e7}, controller.RSSBytes, 1.5e8},
			{Effect{Leak: 1e6}, controller.RSSBytes, 1e8 + 11e6},
			{Effect{Leak: 1e6}, controller.MemoryRatio, 0.111},
		} {
			require.InEpsilon(t, c.want, at(c.e, c.m), 0.03, "%+v: %s", c.e, c.m)
		}
	})
}

// What leaked stays; what was only in use is given back.
func TestService_memory(t *testing.T) {
	s := newService(t, ServiceConfig{Blocks: true, Memory: 1e8, Effect: whenOn(Effect{Memory: 2e7, Leak: 1e6})})
	turn(t, s, 1)
	require.InDelta(t, 1e8+2e7+5e6, value(t, observe(t, s, 1, 5*time.Second), controller.RSSBytes), 1)
	turn(t, s, 0)
	require.InDelta(t, 1e8+5e6, value(t, observe(t, s, 1, 5*time.Second), controller.RSSBytes), 1)
}

// In a stall requests keep arriving, and are seen at their age; when it is over
// they end, with the stall in their latency.
func TestService_stall(t *testing.T) {
	both(t, func(t *testing.T, blocks bool) {
		s := newService(t, ServiceConfig{Rate: 100, Tail: Lognormal(0.3), Blocks: blocks, Effect: whenOn(Effect{Stalled: true})})
		observe(t, s, 1, time.Second)
		turn(t, s, 1)
		var b controller.Sample
		for range 3 {
			o := observe(t, s, 2, time.Second)
			b.Merge(&o)
			require.Zero(t, value(t, o, controller.Completions))
		}
		require.InDelta(t, 300, b.Totals[controller.Requests], 60)
		o := observe(t, s, 2, 0)
		require.Empty(t, o.Totals, "no time, nothing observed")
		turn(t, s, 1) // changes nothing
		o = observe(t, s, 2, time.Second)
		require.InDelta(t, 400, value(t, o, controller.InFlight), 80)
		require.InDelta(t, 4, value(t, o, controller.OldestInFlight), 0.2)
		require.InDelta(t, 0.95*4, value(t, o, controller.LatencyP95), 0.3, "ages")
		require.Equal(t, 4*time.Second, s.Score().Whole.Stalled)

		turn(t, s, 0)
		o = observe(t, s, 2, time.Second)
		require.InDelta(t, 500, value(t, o, controller.Completions), 90)
		require.Less(t, value(t, o, controller.OldestInFlight), 0.2)
		if !blocks {
			require.InDelta(t, 3.8, value(t, o, controller.LatencyP95), 0.4, "the stall is in their latency")
		}
	})
}

// As the live sensors count: a request belongs to the epoch in which it started.
func TestService_epochs(t *testing.T) {
	s := newService(t, ServiceConfig{Rate: 1000, Median: time.Second})
	o := observe(t, s, 1, 500*time.Millisecond)
	require.Zero(t, value(t, o, controller.Completions), "all take a second")
	started := value(t, o, controller.Requests)
	require.Equal(t, started, value(t, o, controller.InFlight))
	require.EqualValues(t, started, o.Unfinished.Count())

	o = observe(t, s, 2, 900*time.Millisecond)
	require.Zero(t, o.Latency.Count(), "what ended began before")
	require.Zero(t, value(t, o, controller.Completions))
	require.Less(t, value(t, o, controller.InFlight), value(t, o, controller.Requests)+started, "and yet it ended")
	require.InDelta(t, 1, value(t, o, controller.OldestInFlight), 0.01)
	before := o.Unfinished.Count()
	require.Equal(t, value(t, o, controller.Requests), float64(before), "the older ones are not this epoch's")

	o = observe(t, s, 1, time.Second) // a number of before is a new epoch
	require.Zero(t, value(t, o, controller.Completions))
}

// A merged sample keeps the unfinished of its end: the next tick may not touch it.
func TestService_unfinishedIsNotUsedAgain(t *testing.T) {
	s := newService(t, ServiceConfig{Rate: 1000, Median: time.Second})
	o := observe(t, s, 1, 500*time.Millisecond)
	n := o.Unfinished.Count()
	observe(t, s, 1, 500*time.Millisecond)
	require.Equal(t, n, o.Unfinished.Count())
}

// A tick of a service with an effect, and a drifting load and level.
func busy(t testing.TB, blocks bool, rate float64, tail Tail) *Service {
	return newService(t, ServiceConfig{
		Rate: rate, Tail: tail, Blocks: blocks, CPUNoise: 0.6, Effect: whenOn(Effect{Latency: -0.1}),
		Level: AR1(seeded(1), time.Minute, 0.2), Load: Oscillation(time.Hour, 0.3, 0),
	})
}

func TestService_blockDoesNotAllocate(t *testing.T) {
	s := busy(t, true, 50, Pareto(1.2))
	require.Zero(t, testing.AllocsPerRun(1000, func() { observe(t, s, 1, 5*time.Second) }))
}

func BenchmarkService_block(b *testing.B) {
	for _, tail := range []Tail{Lognormal(0.6), Pareto(1.2)} {
		b.Run(tail.String(), func(b *testing.B) {
			s := busy(b, true, 50, tail)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = s.Observe(ctx, 1, 5*time.Second)
			}
		})
	}
}

func BenchmarkService_requests(b *testing.B) {
	for _, tail := range []Tail{Lognormal(0.6), Pareto(1.2)} {
		b.Run(tail.String(), func(b *testing.B) {
			s := busy(b, false, 500, tail)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = s.Observe(ctx, 1, time.Second)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(s.requests.arrived), "ns/request")
		})
	}
}
