package table

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"autotune/controller"
)

// Value is the one metric of a Target, a gauge.
const Value controller.Metric = "value"

// draw is the virtual time that a draw lasts.
const draw = time.Second

var start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Target is a table in one run: the configuration in force, and a draw of its
// value for each Observe. Not safe for concurrent use.
type Target struct {
	table       *Table
	rng         *rand.Rand
	environment int
	config      int
	set         controller.Setting
	now         time.Time
	stride      time.Duration // that an Observe lasts
	order       Order
	next        map[int]int // of repeats in order, by configuration
	gauges      map[controller.Metric]float64
	draws       int
}

var _ controller.Target = (*Target)(nil)

// Order is how repeats are drawn.
type Order int

// Resampled draws with replacement. InOrder takes a configuration's repeats as they
// were measured, from a random one on and round again, with their drift. But that
// drift is each configuration's own: it was at other times than another's, so that
// the blocks of a pair do not share it, as they would live. On a table of GPU
// kernels that heat up (kerneltuner, convolution on an A4000; 20 seeds) the shipped
// controller keeps 21 of 155 that are truly worse in order, 1 of 96 resampled.
const (
	Resampled Order = iota + 1
	InOrder
)

// String returns the order for people.
func (o Order) String() string {
	return [...]string{"", "with replacement", "in order"}[o]
}

// NewTarget returns a target with configuration i in force, in the first
// environment.
func (t *Table) NewTarget(i int, order Order, seed uint64) *Target {
	return &Target{
		table: t, rng: rand.New(rand.NewPCG(seed, 0x7ab1e)), config: i, set: t.Setting(i), now: start, stride: draw,
		order: order, next: map[int]int{}, gauges: map[controller.Metric]float64{},
	}
}

// Space is the table's.
func (t *Target) Space() controller.Space { return t.table.space }

// Current returns the setting in force.
func (t *Target) Current(context.Context) (controller.Setting, error) { return t.set, nil }

// Apply puts a setting in force, if it is that of a configuration with a result.
func (t *Target) Apply(_ context.Context, s controller.Setting) error {
	i, err := t.table.Find(s)
	if err != nil {
		return err
	}
	t.config, t.set = i, s
	return nil
}

// Observe draws a value, however short d is; no time draws none. The sample is
// valid until the next call.
func (t *Target) Observe(_ context.Context, _ uint64, d time.Duration) (controller.Sample, error) {
	if d <= 0 {
		return controller.Sample{At: t.now}, nil
	}
	t.now = t.now.Add(t.stride)
	t.draws++
	t.gauges[Value] = t.draw()
	return controller.Sample{At: t.now, Over: t.stride, Gauges: t.gauges}, nil
}

// Switch goes to another environment: the same settings have other values.
func (t *Target) Switch(environment int) {
	t.environment = environment
	clear(t.next)
}

func (t *Target) draw() float64 {
	r := &t.table.environments[t.environment].results[t.config]
	switch n := len(r.repeats); {
	case n > 0 && t.order == Resampled:
		return r.repeats[t.rng.IntN(n)]
	case n > 0:
		at, ok := t.next[t.config]
		if !ok {
			at = t.rng.IntN(n)
		}
		t.next[t.config] = (at + 1) % n
		return r.repeats[at]
	case r.sd == 0:
		return r.value
	case r.value <= 0:
		return r.value + r.sd*t.rng.NormFloat64()
	}
	// Lognormal with that mean and standard deviation.
	variance := math.Log1p(r.sd * r.sd / (r.value * r.value))
	return r.value * math.Exp(math.Sqrt(variance)*t.rng.NormFloat64()-variance/2)
}
