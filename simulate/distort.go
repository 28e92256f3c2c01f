package simulate

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"autotune/controller"
)

// distortable are the metrics that Noisy and Drifting distort: what a tick says of
// latency and CPU. Counts stay counts.
func distortable() []controller.Metric {
	return []controller.Metric{
		controller.LatencyP50, controller.LatencyP95, controller.LatencyP99, controller.LatencyMean, controller.CPUSeconds,
	}
}

// Noisy adds noise to what is measured: in each tick, each of the metrics is
// multiplied by e to the power of a normal value with this standard deviation,
// drawn for each metric on its own. Without metrics they are the latency
// gauges and cpu_seconds. It distorts gauges and totals, so the latencies of a
// request-level service, which are histograms, stay as they are: give that one
// a Level instead.
func Noisy(t controller.Target, rng *rand.Rand, sd float64, metrics ...controller.Metric) controller.Target {
	return distort(t, func(time.Duration) func() float64 {
		return func() float64 { return math.Exp(sd * rng.NormFloat64()) }
	}, metrics)
}

// Drifting multiplies what is measured by e to the power of a signal, the same
// for all of the metrics. Which they are, and what is left alone, is as in Noisy.
func Drifting(t controller.Target, drift Signal, metrics ...controller.Metric) controller.Target {
	return distort(t, func(age time.Duration) func() float64 {
		factor := math.Exp(drift.At(age))
		return func() float64 { return factor }
	}, metrics)
}

type distorted struct {
	controller.Target
	age     time.Duration
	metrics []controller.Metric
	factor  func(age time.Duration) func() float64
}

func distort(t controller.Target, factor func(time.Duration) func() float64, metrics []controller.Metric) controller.Target {
	if len(metrics) == 0 {
		metrics = distortable()
	}
	return &distorted{Target: t, metrics: metrics, factor: factor}
}

func (x *distorted) Observe(ctx context.Context, epoch uint64, d time.Duration) (controller.Sample, error) {
	s, err := x.Target.Observe(ctx, epoch, d)
	if d <= 0 || err != nil {
		return s, err
	}
	x.age += d
	next := x.factor(x.age)
	for _, m := range x.metrics {
		for _, values := range []map[controller.Metric]float64{s.Gauges, s.Totals} {
			if v, ok := values[m]; ok {
				values[m] = v * next()
			}
		}
	}
	return s, nil
}
