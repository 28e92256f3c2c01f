package experiments

import (
	"context"
	"time"

	"autotune/catalog"
	"autotune/controller"
	"autotune/experiments/rivals"
	"autotune/simulate/plant"
)

// watched is a plant whose samples also count the lookups of its cache.
type watched struct {
	*plant.Service
	before plant.Counts
}

// Observe counts them.
func (w *watched) Observe(ctx context.Context, epoch uint64, d time.Duration) (controller.Sample, error) {
	s, err := w.Service.Observe(ctx, epoch, d)
	if err == nil {
		now := w.Counts()
		hits, misses := now.Hits-w.before.Hits, now.Misses-w.before.Misses
		s.Totals[rivals.Hits], s.Totals[rivals.Lookups] = float64(hits), float64(hits+misses)
		w.before = now
	}
	return s, err
}

// inside shows a law what a limiter of its origin sees, where requests beyond the
// limit wait for a permit: the latency without that wait, and no more in flight
// than the limit lets in.
type inside struct{ rivals.Law }

// Next takes the wait out.
func (i inside) Next(w *rivals.Window) rivals.Move {
	waited, ok := w.Totals[catalog.QueueWaitSeconds]
	mean, measured := w.Sample.Value(controller.LatencyMean)
	if !ok || !measured {
		return i.Law.Next(w)
	}
	all := mean * w.Totals[controller.Completions]
	share := 1.0
	if all > 0 {
		share = max(0, 1-waited/all)
	}
	p50, _ := w.Sample.Value(controller.LatencyP50)
	return i.Law.Next(&rivals.Window{Value: w.Value, Sample: &controller.Sample{
		At: w.At, Over: w.Over, Totals: w.Totals, Gauges: map[controller.Metric]float64{
			controller.InFlight: min(w.Gauges[controller.InFlight], w.Value), controller.LatencyMean: share * mean, controller.LatencyP50: share * p50,
		},
	}})
}
