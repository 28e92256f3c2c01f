package rivals

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"autotune/controller"
	"autotune/simulate"
)

// Curve is the throughput, in 1/s, of so many requests at work at once.
type Curve func(atWork float64) float64

// Scalability is Gunther's universal law: one at work does rate a second; sigma
// is the share that must wait for one another, kappa what agreeing costs each
// pair. It peaks at √((1-σ)/κ) (Gunther, Guerrilla Capacity Planning, 2007).
func Scalability(rate, sigma, kappa float64) Curve {
	return func(n float64) float64 { return rate * n / (1 + sigma*(n-1) + kappa*n*(n-1)) }
}

// Knee is a service of so many servers that takes alone seconds for one request:
// beyond them requests queue inside, and latency rises as throughput stands still.
// It turns smoothly, as queues at random do.
func Knee(servers float64, alone time.Duration) Curve {
	const sharpness = 4
	return func(n float64) float64 {
		return n / alone.Seconds() * math.Pow(1+math.Pow(n/servers, sharpness), -1/float64(sharpness))
	}
}

// Merit is what a pool is there for, from its throughput in 1/s and the latency
// inside in seconds. More is better.
type Merit func(throughput, latency float64) float64

// Throughput alone.
func Throughput(throughput, _ float64) float64 { return throughput }

// Power is throughput over latency: at its greatest where queueing begins
// (Kleinrock, "Power and deterministic rules of thumb", 1979).
func Power(throughput, latency float64) float64 { return throughput / latency }

// PowerGauge is the power of a window, from what was measured in it.
const PowerGauge controller.Metric = "power"

// PoolConfig describes a pool.
type PoolConfig struct {
	// Knob is how many may be at work at once, and Initial its value at first.
	Knob    controller.Knob
	Initial float64
	// Clients that each want one request at work all the time, at an age of the
	// run: where there are fewer than the knob allows, the pool is not exhausted.
	Clients func(age time.Duration) float64
	// Curve at an age of the run.
	Curve func(age time.Duration) Curve
	Merit Merit
	Seed  uint64
}

// Pool is a target with one number, where the rivals that turn one are at home:
// how many requests may be at work at once. Clients beyond it wait outside. By
// Little's law latency is the number at work over the throughput. Completions of
// a window are Poisson, and its mean and median latency as noisy as those of as
// many exponential draws. Not safe for concurrent use.
type Pool struct {
	cfg PoolConfig
	rng *rand.Rand
	now controller.Setting
	age time.Duration

	merit  float64 // integral over time
	sample controller.Sample
}

var _ controller.Target = (*Pool)(nil)

// NewPool returns a pool at age 0.
func NewPool(cfg PoolConfig) *Pool {
	return &Pool{
		cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 41)), now: controller.SettingOf(map[string]float64{cfg.Knob.Name: cfg.Initial}),
		sample: controller.Sample{Totals: map[controller.Metric]float64{}, Gauges: map[controller.Metric]float64{}},
	}
}

// Space has the one knob.
func (p *Pool) Space() controller.Space {
	return controller.Space{Knobs: []controller.Knob{p.cfg.Knob}}
}

// Current reads back.
func (p *Pool) Current(context.Context) (controller.Setting, error) { return p.now, nil }

// Apply puts a setting in force at once.
func (p *Pool) Apply(_ context.Context, s controller.Setting) error {
	if err := p.Space().CheckSetting(s); err != nil {
		return fmt.Errorf("apply %s: %w", s, err)
	}
	p.now = s
	return nil
}

// Observe lets d pass, as it is in its middle. The sample is valid until the
// next call.
func (p *Pool) Observe(_ context.Context, _ uint64, d time.Duration) (controller.Sample, error) {
	p.sample.Reset()
	if d > 0 {
		mid := p.age + d/2
		limit, _ := p.now.Get(p.cfg.Knob.Name)
		atWork := min(limit, p.cfg.Clients(mid))
		rate := p.cfg.Curve(mid)(atWork)
		latency := atWork / rate
		p.merit += p.cfg.Merit(rate, latency) * d.Seconds()
		n := p.poisson(rate * d.Seconds())
		t, g := p.sample.Totals, p.sample.Gauges
		t[controller.Requests], t[controller.Completions] = n, n
		g[controller.InFlight] = atWork
		if n > 0 {
			noise := p.rng.NormFloat64() / math.Sqrt(n)
			g[controller.LatencyMean] = latency * math.Exp(noise-1/(2*n))
			g[PowerGauge] = Power(n/d.Seconds(), g[controller.LatencyMean])
			g[controller.LatencyP50] = latency * math.Ln2 * math.Exp((noise+p.rng.NormFloat64()/math.Sqrt(n))/math.Sqrt2/math.Ln2-1/(2*n))
		}
		p.age += d
	}
	p.sample.At, p.sample.Over = simulate.Epoch().Add(p.age), max(d, 0)
	return p.sample, nil
}

// poisson draws a count, from the normal distribution where it is large.
func (p *Pool) poisson(mean float64) float64 {
	if mean > 50 {
		return max(0, math.Round(mean+math.Sqrt(mean)*p.rng.NormFloat64()))
	}
	n, left := 0.0, mean
	for left -= p.rng.ExpFloat64(); left > 0; left -= p.rng.ExpFloat64() {
		n++
	}
	return n
}

// Age is how much time has passed.
func (p *Pool) Age() time.Duration { return p.age }

// Earned is the merit over time so far, without noise.
func (p *Pool) Earned() float64 { return p.merit }
