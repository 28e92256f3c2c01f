package rivals

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/controller"
	"autotune/simulate"
)

// A rival that cannot win where it is at home is a straw man, and beating it
// shows nothing. Each is held against doing nothing, against chance, and against
// the best static setting, on a plant of the kind that it was made for.

// home is where a rival is at home. Score is to be as great as it can be.
type home struct {
	// plant is new each time, and the same for the same seed.
	plant func(seed uint64) scored
	law   func(b Bounds, seed uint64) Law
	last  time.Duration
	// near is the share of the oracle's score that it reaches.
	near float64
}

type scored interface {
	controller.Target
	Score() float64
}

// worker is a knob from 1 to 64.
var worker = controller.Knob{Name: "n", Kind: controller.Int, Min: 1, Max: 64}

func steady[T any](v T) func(time.Duration) T { return func(time.Duration) T { return v } }

// busy is a pool with always more work than threads, whose throughput peaks at
// 22 of them, at 8.6 times that of one.
func busy(seed uint64) scored {
	return NewPool(PoolConfig{
		Knob: worker, Initial: 4, Clients: steady(200.0), Curve: steady(Scalability(200, 0.03, 0.002)), Merit: Throughput, Seed: seed,
	})
}

// storage is a store that serves 24 operations at once, of a millisecond each,
// for fifty clients in one minute and five in the next.
func storage(seed uint64) scored {
	return NewPool(PoolConfig{
		Knob: worker, Initial: 4, Curve: steady(Knee(24, time.Millisecond)), Merit: Throughput, Seed: seed,
		Clients: func(age time.Duration) float64 {
			if age%(2*time.Minute) < time.Minute {
				return 50
			}
			return 5
		},
	})
}

// overloaded is a service of 50 servers of 10 ms each. It has so many clients
// most of the time, and 400 in the last fifth of each two minutes: without a
// limit they are eight for each server.
func overloaded(initial, clients float64) func(uint64) scored {
	limit := controller.Knob{Name: "n", Kind: controller.Int, Min: 1, Max: 400}
	return func(seed uint64) scored {
		return NewPool(PoolConfig{
			Knob: limit, Initial: initial, Merit: Power, Seed: seed, Curve: steady(Knee(50, 10*time.Millisecond)),
			Clients: func(age time.Duration) float64 {
				if age%(2*time.Minute) >= 96*time.Second {
					return 400
				}
				return clients
			},
		})
	}
}

// moods is a cache of 200 entries whose workload is first one of recency, then
// one of frequency.
func moods(seed uint64) scored {
	const entries, rate, phase = 200, 10_000, 80_000
	rng := rand.New(rand.NewPCG(seed, 1))
	zipf := newZipf(8_000, 0.9)
	asked := 0
	return NewCache(entries, rate, func() uint64 {
		asked++
		if asked%(2*phase) < phase { // a key is asked for some four times while it is new, and never again
			return 1<<40 + uint64(asked/4-rng.IntN(entries*3/5))
		}
		return zipf.draw(rng)
	})
}

// zipf draws ranks with a probability as rank^-s.
type zipf []float64

func newZipf(n int, s float64) zipf {
	z, sum := make(zipf, n), 0.0
	for i := range z {
		sum += math.Pow(float64(i+1), -s)
		z[i] = sum
	}
	for i := range z {
		z[i] /= sum
	}
	return z
}

func (z zipf) draw(rng *rand.Rand) uint64 {
	u := rng.Float64()
	low, high := 0, len(z)-1
	for low < high {
		if mid := (low + high) / 2; z[mid] < u {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return uint64(low)
}

func homes() map[string]home {
	return map[string]home{
		".NET":      {busy, func(b Bounds, seed uint64) Law { return NewDotNet(b, seed) }, 10 * time.Minute, 0.9},
		"MongoDB":   {storage, func(b Bounds, _ uint64) Law { return NewMongoDB(b) }, 10 * time.Minute, 0.9},
		"Gradient2": {overloaded(20, 40), func(b Bounds, _ uint64) Law { return NewGradient2(b) }, 20 * time.Minute, 0.8},
		"Envoy":     {overloaded(400, 40), func(b Bounds, seed uint64) Law { return NewEnvoy(b, seed) }, 20 * time.Minute, 0.8},
		"Caffeine":  {moods, func(b Bounds, _ uint64) Law { return NewCaffeine(b, 200) }, 32 * time.Second, 0.9},
	}
}

// play lets a core play on a target for the home's time.
func (h *home) play(t *testing.T, seed uint64, core func(controller.Space, time.Time) controller.Stepper) float64 {
	t.Helper()
	target := h.plant(seed)
	require.NoError(t, controller.Run(t.Context(), target, core(target.Space(), simulate.Epoch().Add(h.last)), controller.Loop{}))
	return target.Score()
}

func TestRivals_winAtHome(t *testing.T) {
	for name, h := range homes() {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(2) {
				static := h.play(t, seed, func(_ controller.Space, until time.Time) controller.Stepper {
					return NewStatic(controller.Setting{}, until)
				})
				random := h.play(t, seed, func(s controller.Space, until time.Time) controller.Stepper {
					return NewRandom(s, time.Second, until, seed)
				})
				rival := h.play(t, seed, func(s controller.Space, until time.Time) controller.Stepper {
					low, high := s.Knobs[0].Bounds()
					m, err := NewMover(s, s.Knobs[0].Name, h.law(Bounds{low, high}, seed), until)
					require.NoError(t, err)
					return m
				})
				var settings []controller.Setting
				k := h.plant(seed).Space().Knobs[0]
				low, high := k.Bounds()
				for i := range 9 {
					settings = append(settings, controller.SettingOf(map[string]float64{k.Name: k.Clamp(low + (high-low)*float64(i)/8)}))
				}
				_, cost, err := Best(t.Context(), settings, func(_ context.Context, s controller.Setting) (float64, error) {
					return -h.play(t, seed, func(_ controller.Space, until time.Time) controller.Stepper { return NewStatic(s, until) }), nil
				})
				require.NoError(t, err)
				t.Logf("seed %d: rival %.4g, static %.4g, random %.4g, oracle %.4g", seed, rival, static, random, -cost)
				require.Greater(t, rival, static, "better than doing nothing")
				require.Greater(t, rival, random, "better than chance")
				require.Greater(t, rival, h.near*-cost, "near the best static setting")
			}
		})
	}
}
