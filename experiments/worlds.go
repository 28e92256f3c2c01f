package experiments

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"autotune/controller"
	"autotune/simulate"
)

// The switch that the grids are about.
const theSwitch = "candidate"

// world is a simulated service with one switch, as data: its text says all that
// there is to know about it.
type world struct {
	Drift  string  // of the latency level: see drift
	Tail   string  // of latencies: see tail
	Noise  float64 // standard deviation of the difference of two blocks, on top
	Rate   float64 // requests/s
	Block  time.Duration
	Effect float64 // of the candidate on latency, a ratio: 0.1 is 10 % more
	// Requests simulates each of them, with ticks, washout and guards; otherwise a
	// block is one draw of its statistics.
	Requests bool
	// Goals: 1 is p95 only, 3 are the default ones.
	Goals int
}

// goals of the world.
func (w world) goals() []controller.Goal {
	if w.Goals == 1 {
		return controller.DefaultGoals()[:1]
	}
	return controller.DefaultGoals()
}

// timing of its blocks.
func (w world) timing() controller.Timing {
	t := controller.Timing{Washout: -1, Measure: w.Block, Tick: w.Block, MinRequests: -1}
	if w.Requests {
		t = controller.Timing{} // as shipped
	}
	return t
}

// service returns the world, with chance of its own for each part.
func (w world) service(seed uint64) (*simulate.Service, error) {
	space, _, initial := simulate.Switches(theSwitch)
	latency := math.Log1p(w.Effect)
	load, level := drift(w.Drift, func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 101+n)) })
	if w.Noise > 0 {
		level = simulate.Sum(level, simulate.Noise(rand.New(rand.NewPCG(seed, 100)), w.Noise/math.Sqrt2))
	}
	cfg := simulate.ServiceConfig{
		Space: space, Initial: initial, Seed: seed, Rate: w.Rate, Load: load, Level: level,
		CPULevel: simulate.Scaled(level, 0.3), CPUNoise: 0.6, Blocks: !w.Requests,
	}
	var err error
	if cfg.Tail, err = tail(w.Tail); err != nil {
		return nil, err
	}
	if w.Effect != 0 {
		cfg.Effect = func(m simulate.Moment) simulate.Effect {
			if m.Setting.On(theSwitch) {
				return simulate.Effect{Latency: latency}
			}
			return simulate.Effect{}
		}
	}
	return simulate.NewService(cfg)
}

// play is what contenders get in the world.
func (w world) play(seed uint64) play {
	space, offered, _ := simulate.Switches(theSwitch)
	return play{
		space: space, offered: offered, goals: w.goals(), timing: w.timing(), seed: seed,
		policy: func() controller.Policy { return flip{} }, until: simulate.Epoch().Add(7 * 24 * time.Hour), openLoop: true,
	}
}

// drift returns signals of load and of latency by name. Where there is drift,
// load drifts too, and latency follows load a little.
func drift(kind string, chance func(n uint64) *rand.Rand) (load, level simulate.Signal) {
	switch kind {
	case "OU":
		level = simulate.AR1(chance(0), 2*time.Minute, 0.2)
	case "sinusoid":
		level = simulate.Oscillation(10*time.Minute, 0.3, 2*math.Pi*chance(0).Float64())
	case "jumps":
		level = simulate.Jumps(chance(0), 2*time.Minute, 0.3)
	case "ramp":
		level = simulate.Ramp(1)
	case "bursts": // drift of minutes, bursts of seconds
		level = simulate.Sum(simulate.AR1(chance(0), 2*time.Minute, 0.2), simulate.Jumps(chance(1), 20*time.Second, 0.05))
	default:
		return nil, nil
	}
	load = simulate.AR1(chance(2), 30*time.Second, 0.3)
	return load, simulate.Sum(level, simulate.Scaled(load, 0.1))
}

// Tails are tabulated once: they are immutable.
var (
	lognormal = sync.OnceValue(func() simulate.Tail { return simulate.Lognormal(0.6) })
	pareto    = sync.OnceValue(func() simulate.Tail { return simulate.Pareto(1.2) })
	restless  = sync.OnceValue(func() simulate.Tail { return simulate.Lognormal(1) })
	bimodal   = sync.OnceValue(func() simulate.Tail { return simulate.Bimodal(0.08, 6, 0.3) })
)

// tail of latencies by name.
func tail(kind string) (simulate.Tail, error) {
	switch kind {
	case "none":
		return simulate.Tail{}, nil
	case "lognormal":
		return lognormal(), nil
	case "lognormal 1.0":
		return restless(), nil
	case "pareto":
		return pareto(), nil
	case "bimodal":
		return bimodal(), nil
	}
	return simulate.Tail{}, fmt.Errorf("tail %q: unknown", kind)
}
