package autotune

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"autotune/controller"
	"autotune/sensors"
)

// Measuring a function is the experiment of the autopilot on a smaller service:
// its only knob is which of two functions is called, one after the other, by
// one caller. Blocks are short because nothing has to settle, and come in pairs
// in an order that a coin decides, so that a machine that becomes slower, a
// neighbor, or a clock that is scaled down falls on both alike.

// MeasureConfig says how long to measure. Zero fields have the documented defaults.
type MeasureConfig struct {
	// Pairs of blocks, 20 by default, at least 8: with fewer no effect, however
	// large, is shown with 95 % confidence.
	Pairs int
	// Block is how long each function is called in a block, 100 ms by default, at
	// least 1 ms; a tenth more goes before it, uncounted. A function that takes
	// longer is called once a block.
	Block time.Duration
	// Seed of the coins; a random one if 0.
	Seed uint64
	// Progress is told of the pairs done, if it is not nil.
	Progress func(done, of int)
}

// Measurement is what came of Measure.
type Measurement struct {
	// Verdict on the candidate, as Verdict has it of Effects.
	Verdict string `json:"verdict"`
	// Effects are the relative changes from baseline to candidate, each with its
	// interval: time a call, CPU time a call, and bytes allocated a call. To the
	// last one byte is added, so that from nothing to something is a ratio too.
	Effects []controller.Compared `json:"effects"`
	// Baseline and Candidate are what the calls of each cost.
	Baseline  Cost `json:"baseline"`
	Candidate Cost `json:"candidate"`
	// Seed with which the blocks are in the same order again.
	Seed uint64 `json:"seed"`
}

// Cost is the mean over all calls of a function.
type Cost struct {
	Calls      uint64  `json:"calls"`
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds"` // 0 where it cannot be read
	AllocBytes float64 `json:"alloc_bytes"`
	Allocs     float64 `json:"allocs"`
}

// allocsPerCall is the goal for memory.
const allocsPerCall = controller.AllocBytes + "_per_request"

const (
	leastPairs = 8
	leastBlock = time.Millisecond
	// worthTiming is how long calls take together, at least, between two looks at
	// the clock, which costs some 50 ns.
	worthTiming = 20 * time.Microsecond
)

func (c *MeasureConfig) setDefaults() error {
	if c.Pairs == 0 {
		c.Pairs = 20
	}
	if c.Block == 0 {
		c.Block = 100 * time.Millisecond
	}
	for c.Seed == 0 {
		c.Seed = rand.Uint64()
	}
	var errs []error
	if c.Pairs < leastPairs {
		errs = append(errs, fmt.Errorf("measure: pairs %d: must be at least %d", c.Pairs, leastPairs))
	}
	if c.Block < leastBlock {
		errs = append(errs, fmt.Errorf("measure: block %v: must be at least %v", c.Block, leastBlock))
	}
	return errors.Join(errs...)
}

// Measure calls two functions in randomized pairs of short blocks, and says
// whether the candidate is better than the baseline, worse, or not shown to be
// either. By default it takes some five seconds.
//
// The functions are called by one goroutine. CPU time and allocations are those
// of the whole process: what else runs in it adds noise, but favors neither.
// The garbage collector runs before each block, so that neither function pays
// for what the other has left.
//
// An error is a configuration that is wrong, the first error of either
// function, or that of ctx: half a measurement is none.
func Measure(ctx context.Context, baseline, candidate func(context.Context) error, cfg MeasureConfig) (*Measurement, error) {
	return measure(ctx, baseline, candidate, cfg, meter{
		now: time.Now, cpu: sensors.ProcessCPU, collect: runtime.GC,
		heap: func() (bytes, objects uint64) {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.TotalAlloc, m.Mallocs
		},
	})
}

// meter reads what has been used so far.
type meter struct {
	now     func() time.Time
	cpu     func() (seconds float64, ok bool)
	heap    func() (bytes, objects uint64)
	collect func()
}

func measure(ctx context.Context, baseline, candidate func(context.Context) error, cfg MeasureConfig, m meter) (*Measurement, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	if baseline == nil || candidate == nil {
		return nil, errors.New("measure: a function is missing: there must be a baseline and a candidate")
	}
	c := &calls{meter: m, arms: [2]arm{{name: "baseline", f: baseline}, {name: "candidate", f: candidate}}}
	comparison, err := controller.NewComparison(controller.ComparisonConfig{
		Space: c.Space(), Baseline: which(0), Candidate: which(1), Pairs: cfg.Pairs, Seed: cfg.Seed,
		Goals:  []controller.Goal{{Metric: controller.LatencyMean}, {Metric: controller.CPUPerRequest}, {Metric: allocsPerCall}},
		Timing: controller.Timing{Washout: cfg.Block / 10, Measure: cfg.Block, Tick: cfg.Block, MinRequests: -1},
	})
	if err != nil {
		return nil, fmt.Errorf("measure: %w", err)
	}
	err = controller.Run(ctx, c, comparison, controller.Loop{Stepped: func(controller.Input, controller.Command) {
		if cfg.Progress != nil {
			cfg.Progress(comparison.Pairs())
		}
	}})
	if c.err != nil {
		err = c.err
	}
	if err != nil {
		return nil, fmt.Errorf("measure: %w", err)
	}
	effects, err := comparison.Result()
	if err != nil {
		return nil, fmt.Errorf("measure: %w", err)
	}
	return &Measurement{
		Verdict: Verdict(effects), Effects: effects, Seed: cfg.Seed,
		Baseline: c.arms[0].mean(), Candidate: c.arms[1].mean(),
	}, nil
}

// calls is two functions as a target: its knob says which is called.
type calls struct {
	meter meter
	arms  [2]arm
	on    int   // the arm that is called
	err   error // of a function, or of the context: nothing is called any more
}

var _ controller.Target = (*calls)(nil)

// arm is one of the functions, and what its calls have used together.
type arm struct {
	name  string
	f     func(context.Context) error
	batch int // calls between two looks at the clock
	used  Cost
}

const candidateKnob = "candidate"

func which(arm int) controller.Setting {
	return controller.SettingOf(map[string]float64{candidateKnob: float64(arm)})
}

// Space has one switch.
func (c *calls) Space() controller.Space {
	return controller.Space{Knobs: []controller.Knob{{Name: candidateKnob, Kind: controller.Switch}}}
}

// Current says which function is called.
func (c *calls) Current(context.Context) (controller.Setting, error) { return which(c.on), nil }

// Apply changes it.
func (c *calls) Apply(_ context.Context, s controller.Setting) error {
	c.on = 0
	if s.On(candidateKnob) {
		c.on = 1
	}
	if c.err == nil {
		c.meter.collect()
	}
	return nil
}

// Observe calls the function for a time, at least once.
func (c *calls) Observe(ctx context.Context, _ uint64, d time.Duration) (controller.Sample, error) {
	if c.err == nil {
		c.err = ctx.Err()
	}
	if c.err != nil || d <= 0 {
		return controller.Sample{At: c.meter.now(), Over: d}, nil
	}
	a := &c.arms[c.on]
	bytes, objects := c.meter.heap()
	cpu, _ := c.meter.cpu()
	began := c.meter.now()
	n, err := a.call(ctx, c.meter.now, began.Add(d))
	over := c.meter.now().Sub(began)
	cpuAfter, cpuKnown := c.meter.cpu()
	bytesAfter, objectsAfter := c.meter.heap()
	if err != nil {
		c.err = fmt.Errorf("%s: %w", a.name, err)
		return controller.Sample{}, c.err
	}
	used := Cost{
		Calls: n, Seconds: over.Seconds(), CPUSeconds: cpuAfter - cpu,
		AllocBytes: float64(bytesAfter - bytes), Allocs: float64(objectsAfter - objects),
	}
	a.used.add(used)
	s := controller.Sample{
		At: began.Add(over), Over: over,
		Totals: map[controller.Metric]float64{
			controller.Requests: float64(n), controller.AllocBytes: used.AllocBytes + float64(n),
		},
		Gauges: map[controller.Metric]float64{controller.LatencyMean: used.Seconds / float64(n)},
	}
	if cpuKnown {
		s.Totals[controller.CPUSeconds] = used.CPUSeconds
	}
	return s, nil
}

// call calls the function until a time, and returns how often.
func (a *arm) call(ctx context.Context, now func() time.Time, until time.Time) (n uint64, err error) {
	a.batch = max(a.batch, 1)
	for last := now(); ; {
		for range a.batch {
			if err := a.f(ctx); err != nil {
				return n, err
			}
			n++
		}
		t := now()
		if t.Sub(last) < worthTiming {
			a.batch *= 2
		}
		if last = t; !t.Before(until) || ctx.Err() != nil {
			return n, nil
		}
	}
}

func (c *Cost) add(o Cost) {
	c.Calls += o.Calls
	c.Seconds += o.Seconds
	c.CPUSeconds += o.CPUSeconds
	c.AllocBytes += o.AllocBytes
	c.Allocs += o.Allocs
}

// mean is what the calls have used, over their number.
func (a *arm) mean() Cost {
	n := float64(max(a.used.Calls, 1))
	return Cost{
		Calls: a.used.Calls, Seconds: a.used.Seconds / n, CPUSeconds: a.used.CPUSeconds / n,
		AllocBytes: a.used.AllocBytes / n, Allocs: a.used.Allocs / n,
	}
}
