package rivals

import (
	"math"
	"math/rand/v2"
	"time"

	"autotune/controller"
)

// Home is a scenario in which a rival is at home.
type Home struct {
	// Name says what is at stake.
	Name string
	// Rivals that are at home there, by the names of their laws.
	Rivals []string
	// Doc says what happens.
	Doc string
	// Goal that measures what is at stake, as well as a window can.
	Goal controller.Goal
	// Last is how long a run of it is.
	Last time.Duration
	// Block is how long a window must be to measure it.
	Block time.Duration
	// New returns the plant, the same one for the same seed.
	New func(seed uint64) Plant
}

// Plant is a target that knows how well it was served.
type Plant interface {
	controller.Target
	// Age is how much virtual time has passed.
	Age() time.Duration
	// Earned is what the run was worth so far, without noise; more is better.
	Earned() float64
}

var (
	_ Plant = (*Pool)(nil)
	_ Plant = (*Cache)(nil)
)

// Homes are those of all rivals.
func Homes() []Home {
	return []Home{
		{
			Name: "threads, throughput peaks", Rivals: []string{DotNetName}, Last: 10 * time.Minute, Block: time.Second, New: busy,
			Goal: controller.Goal{Metric: controller.Completions + "_per_second", Maximize: true},
			Doc:  "A pool with always more work than threads, whose throughput peaks at 22 of them, at 8.6 times that of one. It starts with 4.",
		},
		{
			Name: "tickets of a store", Rivals: []string{MongoDBName}, Last: 10 * time.Minute, Block: time.Second, New: storage,
			Goal: controller.Goal{Metric: controller.Completions + "_per_second", Maximize: true},
			Doc:  "A store that serves 24 operations at once, of a millisecond each, for fifty clients in one minute and five in the next. It starts with 4.",
		},
		{
			Name: "a limit, latency rises with queueing", Rivals: []string{Gradient2Name}, Last: 20 * time.Minute, Block: time.Second, New: overloaded(20),
			Goal: controller.Goal{Metric: PowerGauge, Maximize: true},
			Doc: "A service of 50 servers of 10 ms each. It has forty clients most of the time and 400 in the last fifth of each two minutes, eight for each server. " +
				"What counts is throughput over latency. The limit starts at 20.",
		},
		{
			Name: "no limit, latency rises with queueing", Rivals: []string{EnvoyName}, Last: 20 * time.Minute, Block: time.Second, New: overloaded(400),
			Goal: controller.Goal{Metric: PowerGauge, Maximize: true},
			Doc:  "The same with a limit that starts at 400, which is none.",
		},
		{
			Name: "a cache with moods", Rivals: []string{CaffeineName}, Last: 32 * time.Second, Block: 250 * time.Millisecond, New: moods,
			Goal: controller.Goal{Metric: Hits + "_per_request", Maximize: true},
			Doc:  "A cache of 200 entries that is asked 10,000 times a second; every eight seconds a workload of recency and one of frequency take turns. Its window starts at 1 %.",
		},
	}
}

// worker is a knob from 1 to 64.
func worker() controller.Knob {
	return controller.Knob{Name: "n", Kind: controller.Int, Min: 1, Max: 64, Scale: controller.Log}
}

func steady[T any](v T) func(time.Duration) T { return func(time.Duration) T { return v } }

// busy is a pool of threads by the universal law.
func busy(seed uint64) Plant {
	return NewPool(PoolConfig{
		Knob: worker(), Initial: 4, Clients: steady(200.0), Curve: steady(Scalability(200, 0.03, 0.002)), Merit: Throughput, Seed: seed,
	})
}

// storage is a store whose clients come and go.
func storage(seed uint64) Plant {
	return NewPool(PoolConfig{
		Knob: worker(), Initial: 4, Curve: steady(Knee(24, time.Millisecond)), Merit: Throughput, Seed: seed,
		Clients: func(age time.Duration) float64 {
			if age%(2*time.Minute) < time.Minute {
				return 50
			}
			return 5
		},
	})
}

// overloaded is a service of 50 servers whose clients come in bursts.
func overloaded(initial float64) func(uint64) Plant {
	limit := controller.Knob{Name: "n", Kind: controller.Int, Min: 1, Max: 400, Scale: controller.Log}
	return func(seed uint64) Plant {
		return NewPool(PoolConfig{
			Knob: limit, Initial: initial, Merit: Power, Seed: seed, Curve: steady(Knee(50, 10*time.Millisecond)),
			Clients: func(age time.Duration) float64 {
				if age%(2*time.Minute) >= 96*time.Second {
					return 400
				}
				return 40
			},
		})
	}
}

// moods is a cache whose workload changes its mood.
func moods(seed uint64) Plant {
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
