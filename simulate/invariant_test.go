package simulate

import (
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"autotune/controller"
)

// Whatever is called in whatever order: time advances by what is asked and by
// nothing else, nothing is lost or counted twice, and what is in flight is what
// arrived and has not ended.
func TestService_invariants(t *testing.T) {
	tails := []Tail{{}, Lognormal(0.6), Pareto(1.2), Bimodal(0.1, 8, 0.3)}
	rapid.Check(t, func(rt *rapid.T) {
		blocks := rapid.Bool().Draw(rt, "blocks")
		stallEvery := rapid.IntRange(2, 20).Draw(rt, "stall every")
		s := newService(t, ServiceConfig{
			Seed: rapid.Uint64().Draw(rt, "seed"), Blocks: blocks,
			Rate:   rapid.SampledFrom([]float64{0, 0.5, 20, 400}).Draw(rt, "rate"),
			Median: rapid.SampledFrom([]time.Duration{time.Millisecond, 300 * time.Millisecond, 5 * time.Second}).Draw(rt, "median"),
			Tail:   rapid.SampledFrom(tails).Draw(rt, "tail"),
			Level:  AR1(seeded(1), time.Second, 0.5), Load: Jumps(seeded(2), time.Second, 0.5), CPUNoise: 0.6,
			Effect: func(m Moment) Effect {
				e := Effect{Errors: 0.1}
				if m.Setting.On("x") {
					e = Effect{Latency: 0.4, Leak: 10, Errors: 1, Stalled: int(m.Age.Seconds())%stallEvery == 0}
				}
				return e
			},
		})
		var asked time.Duration
		var requests, ended, over float64 // of all ticks
		epoch, epochRequests, epochEnded := uint64(0), 0.0, 0.0
		rt.Repeat(map[string]func(*rapid.T){
			"apply": func(rt *rapid.T) {
				to := rapid.SampledFrom([]float64{0, 1}).Draw(rt, "x")
				turn(t, s, to)
				now, err := s.Current(ctx)
				require.NoError(rt, err)
				require.Equal(rt, to == 1, now.On("x"))
			},
			"epoch": func(rt *rapid.T) {
				epoch = rapid.Uint64Range(epoch+1, epoch+3).Draw(rt, "epoch")
				epochRequests, epochEnded = 0, 0
			},
			"observe": func(rt *rapid.T) {
				d := time.Duration(rapid.Int64Range(-1e8, 3e9).Draw(rt, "ns"))
				o := observe(t, s, epoch, d)
				asked += max(d, 0)
				require.Equal(rt, asked, s.Age())
				require.True(rt, Epoch().Add(asked).Equal(o.At))
				require.Equal(rt, max(d, 0), o.Over)
				if d <= 0 {
					require.Empty(rt, o.Totals)
					return
				}
				n, done, failed := value(t, o, controller.Requests), value(t, o, controller.Completions), value(t, o, controller.Errors)
				requests += n
				ended += done
				over += o.Over.Seconds()
				epochRequests += n
				epochEnded += done
				require.LessOrEqual(rt, epochEnded, epochRequests, "completions of an epoch")
				require.LessOrEqual(rt, failed, done)
				inFlight, oldest := value(t, o, controller.InFlight), value(t, o, controller.OldestInFlight)
				require.LessOrEqual(rt, oldest, asked.Seconds())
				require.Equal(rt, inFlight == 0, oldest == 0)
				for m, v := range o.Totals {
					require.True(rt, v >= 0 && !math.IsInf(v, 0), "%s %v", m, v)
				}
				for m, v := range o.Gauges {
					require.True(rt, v >= 0 && !math.IsInf(v, 0), "%s %v", m, v)
				}
				if done > failed {
					p50, p95, p99 := value(t, o, controller.LatencyP50), value(t, o, controller.LatencyP95), value(t, o, controller.LatencyP99)
					require.True(rt, p50 <= p95 && p95 <= p99, "%v %v %v", p50, p95, p99)
				}
				if blocks {
					return
				}
				require.EqualValues(rt, requests, s.requests.arrived)
				require.EqualValues(rt, inFlight, s.requests.arrived-s.requests.ended, "in flight is what arrived and did not end")
				require.LessOrEqual(rt, ended, float64(s.requests.ended))
				require.EqualValues(rt, epochRequests-epochEnded, o.Unfinished.Count(), "of an epoch, what did not end is unfinished")
				require.EqualValues(rt, done-failed, o.Latency.Count())
				require.EqualValues(rt, failed, o.Latency.Failures())
			},
			"": func(rt *rapid.T) {
				w := s.Score().Whole
				require.Equal(rt, s.Age(), w.Over)
				total := time.Duration(0)
				for _, x := range s.Score().Settings {
					total += x.Time
				}
				require.Equal(rt, s.Age(), total)
			},
		})
	})
}

// Decorators on each other, in any order, lose no time and no request.
func TestDecorators_compose(t *testing.T) {
	wrap := map[string]func(controller.Target) controller.Target{
		"noisy":    func(t controller.Target) controller.Target { return Noisy(t, seeded(1), 0.1) },
		"drifting": func(t controller.Target) controller.Target { return Drifting(t, Ramp(1)) },
		"lagged":   func(t controller.Target) controller.Target { return Lagged(t, 700*time.Millisecond) },
		"deferred": func(t controller.Target) controller.Target {
			return Deferred(t, func(controller.Setting) float64 { return 0.1 }, 1300*time.Millisecond)
		},
		"rounding": func(t controller.Target) controller.Target {
			return Rounding(t, func(s controller.Setting) controller.Setting { return s })
		},
		"deaf": func(t controller.Target) controller.Target { return Deaf(t, "y") },
		"outside": func(t controller.Target) controller.Target {
			return Outside(t, Change{3 * time.Second, map[string]float64{"x": 1}}, Change{5 * time.Second, map[string]float64{"x": 0}})
		},
		"faulty": func(t controller.Target) controller.Target {
			return Faulty(t, func(Call, int, time.Duration) error { return nil })
		},
	}
	names := slices.Sorted(maps.Keys(wrap))
	rapid.Check(t, func(rt *rapid.T) {
		service := newService(t, ServiceConfig{
			Seed: rapid.Uint64().Draw(rt, "seed"), Rate: 300, Tail: Lognormal(0.6), Blocks: rapid.Bool().Draw(rt, "blocks"),
			Effect: whenOn(Effect{Latency: 0.3}),
		})
		var target controller.Target = service
		for _, name := range rapid.SliceOfN(rapid.SampledFrom(names), 0, 5).Draw(rt, "decorators") {
			target = wrap[name](target)
		}
		requests, completions := 0.0, 0.0
		for i, d := range rapid.SliceOfN(rapid.Int64Range(0, 2e9), 1, 20).Draw(rt, "ticks") {
			turn(t, target, float64(i/3%2))
			before := service.Age()
			o := observe(t, target, 1, time.Duration(d))
			require.Equal(rt, time.Duration(d), o.Over)
			require.Equal(rt, time.Duration(d), service.Age()-before)
			require.True(rt, Epoch().Add(service.Age()).Equal(o.At))
			requests += o.Totals[controller.Requests]
			completions += o.Totals[controller.Completions]
			if !service.cfg.Blocks {
				require.EqualValues(rt, service.requests.arrived, requests)
				require.EqualValues(rt, service.requests.ended, completions)
				if d > 0 {
					require.EqualValues(rt, requests-completions, o.Unfinished.Count())
				}
			}
		}
	})
}
