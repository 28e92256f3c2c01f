package simulate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"autotune/controller"
	"autotune/simulate/internal/setting"
)

// Epoch is the virtual time at which every run begins.
func Epoch() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// ServiceConfig describes a simulated service. Signals are in log units and
// belong to this service alone.
type ServiceConfig struct {
	// Space of what may be changed; Initial has the value of each of its knobs.
	Space   controller.Space
	Initial map[string]float64
	// Seed of everything random but the signals, which bring their own.
	Seed uint64
	// Rate of arrivals, requests/s. They are a Poisson process, open loop, whose
	// rate at any time is Rate·exp(Load).
	Rate float64
	Load Signal
	// Median latency under the initial setting, 10 ms by default; each request
	// takes Median·exp(Level), times a draw from Tail, times exp(Effect.Latency).
	Median time.Duration
	Level  Signal
	Tail   Tail
	// CPU time of a request, 1 ms by default, times exp(CPULevel), times
	// exp(Effect.CPU). CPUNoise is the coefficient of variation from request to
	// request: that of a block of n is CPUNoise/√n, whatever its ticks. 0.6 is
	// what an HTTP service shows.
	CPU      time.Duration
	CPULevel Signal
	CPUNoise float64
	// Memory resident without any effect, 100 MB by default, and the limit that
	// memory_ratio is formed with; 0: no limit, no ratio.
	Memory      float64
	MemoryLimit float64
	// Effect of the setting in force; nil: none. It is asked more than once a
	// moment, so it must depend on nothing but the moment.
	Effect func(Moment) Effect
	// Blocks simulates whole ticks instead of requests: see the package comment.
	Blocks bool
	// Horizon is how long the run is meant to last, for the thirds of its Score;
	// 0: no thirds.
	Horizon time.Duration
}

// Check reports every fault of the configuration at once, or nil.
func (c *ServiceConfig) Check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	errs = append(errs, c.Space.Check())
	if len(c.Space.Knobs) == 0 {
		bad("space: has no knob: there must be something to change")
	}
	initial := controller.SettingOf(c.Initial)
	for _, k := range c.Space.Knobs {
		if _, ok := initial.Get(k.Name); !ok {
			bad("initial: %s is missing: must have a value for each knob", k.Name)
		}
	}
	for name := range initial.All() {
		if _, ok := c.Space.Knob(name); !ok {
			bad("initial: %s: unknown knob", name)
		}
	}
	for _, f := range []struct {
		name string
		v    float64
	}{
		{"rate", c.Rate},
		{"median", float64(c.Median)},
		{"cpu", float64(c.CPU)},
		{"cpu_noise", c.CPUNoise},
		{"memory", c.Memory},
		{"memory_limit", c.MemoryLimit},
		{"horizon", float64(c.Horizon)},
	} {
		if !(f.v >= 0) || math.IsInf(f.v, 0) {
			bad("%s %v: must be a finite number, and not negative", f.name, f.v)
		}
	}
	if c.Tail.t != nil && c.Tail.t.fault != nil {
		bad("tail: %w", c.Tail.t.fault)
	}
	return errors.Join(errs...)
}

// Service is a service in virtual time. It is not safe for concurrent use. It
// may be given to one run after the other: it goes on where it was, as a service
// whose autopilot was restarted.
type Service struct {
	cfg     ServiceConfig
	initial controller.Setting

	// Each has a stream of its own, so that what a setting does to latencies
	// does not change who arrives.
	arrivals, latencies, costs *rand.Rand

	age     time.Duration
	setting controller.Setting
	changed time.Duration // age at the last change
	changes int
	begun   bool
	epoch   uint64
	leaked  float64 // bytes

	requests requestLevel
	stuck    stuck
	sample   controller.Sample // overwritten by each Observe
	score    scoring
}

var _ controller.Target = (*Service)(nil)

// NewService returns a service at age 0 with the initial setting in force, or
// every fault of the configuration at once.
func NewService(cfg ServiceConfig) (*Service, error) {
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("simulated service: %w", err)
	}
	if cfg.Median == 0 {
		cfg.Median = 10 * time.Millisecond
	}
	if cfg.CPU == 0 {
		cfg.CPU = time.Millisecond
	}
	if cfg.Memory == 0 {
		cfg.Memory = 100e6
	}
	stream := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(cfg.Seed, n)) }
	s := &Service{
		cfg: cfg, initial: controller.SettingOf(cfg.Initial),
		arrivals: stream(1), latencies: stream(2), costs: stream(3),
		sample: controller.Sample{Totals: map[controller.Metric]float64{}, Gauges: map[controller.Metric]float64{}},
	}
	s.setting = s.initial
	s.score.begin(s.setting, cfg.Horizon)
	return s, nil
}

// Space says what may be changed.
func (s *Service) Space() controller.Space { return s.cfg.Space }

// Age is how much virtual time has passed.
func (s *Service) Age() time.Duration { return s.age }

// Setting is what is in force.
func (s *Service) Setting() controller.Setting { return s.setting }

// Current reads back what is in force.
func (s *Service) Current(context.Context) (controller.Setting, error) { return s.setting, nil }

// Apply puts a setting in force, at once. One that lacks a knob or has another
// is refused; any value is taken, as an operator may set what no trial would.
func (s *Service) Apply(_ context.Context, to controller.Setting) error {
	if to.Equal(s.setting) {
		return nil
	}
	if err := setting.Fits(to, s.initial); err != nil {
		return err
	}
	s.setting, s.changed = to, s.age
	s.changes++
	s.score.change(to)
	return nil
}

// Observe lets d of virtual time pass and returns what happened in it. The
// sample's maps and histogram are the service's own, and valid until the next
// call: whoever keeps a sample keeps a copy. Contexts have no part in virtual
// time.
func (s *Service) Observe(_ context.Context, epoch uint64, d time.Duration) (controller.Sample, error) {
	if !s.begun || epoch != s.epoch {
		s.begun, s.epoch = true, epoch
		s.requests.beginEpoch()
		s.stuck.beginEpoch()
	}
	s.sample.Reset()
	if d > 0 {
		if s.cfg.Blocks {
			s.block(d)
		} else {
			s.tick(d)
		}
	}
	s.sample.At, s.sample.Over = Epoch().Add(s.age), max(d, 0)
	return s.sample, nil
}

// weather is what holds in a stretch of time short enough to be even.
type weather struct {
	rate   float64 // arrivals, requests/s
	median float64 // of latencies, seconds
	tail   Tail
	cpu    float64 // of a request, seconds
	effect Effect
}

// ahead is the weather of the stretch of this length from now on, as it is in
// its middle. It also counts the stretch in the score.
func (s *Service) ahead(d time.Duration) weather {
	mid := s.age + d/2
	load := math.Exp(s.cfg.Load.At(mid))
	level, cpuLevel := s.cfg.Level.At(mid), s.cfg.CPULevel.At(mid)
	under := func(e Effect) weather {
		tail := s.cfg.Tail
		if e.Tail.t != nil {
			tail = e.Tail
		}
		return weather{
			rate: s.cfg.Rate * load, median: s.cfg.Median.Seconds() * math.Exp(level+e.Latency), tail: tail,
			cpu: s.cfg.CPU.Seconds() * math.Exp(cpuLevel+e.CPU), effect: e,
		}
	}
	if s.cfg.Effect == nil {
		w := under(Effect{})
		s.score.add(mid, d, w, w)
		return w
	}
	m := Moment{Age: mid, Since: mid - s.changed, Changes: s.changes, Setting: s.setting, Load: load}
	w := under(s.cfg.Effect(m))
	unchanged := w
	if s.changes > 0 {
		m.Since, m.Changes, m.Setting = mid, 0, s.initial
		unchanged = under(s.cfg.Effect(m))
	}
	s.score.add(mid, d, w, unchanged)
	s.leaked += w.effect.Leak * d.Seconds()
	return w
}

// spend draws the CPU time of n requests, each gamma distributed, so that the
// ticks of a block add up to the block.
func (s *Service) spend(n int, w *weather) float64 {
	cv := s.cfg.CPUNoise
	if cv == 0 || n == 0 {
		return float64(n) * w.cpu
	}
	return w.cpu * cv * cv * gamma(s.costs, float64(n)/(cv*cv))
}

// memory sets the gauges of memory.
func (s *Service) memory(e *Effect) {
	rss := s.cfg.Memory + e.Memory + s.leaked
	s.sample.Gauges[controller.RSSBytes] = rss
	if s.cfg.MemoryLimit > 0 {
		s.sample.Gauges[controller.MemoryRatio] = rss / s.cfg.MemoryLimit
	}
}
