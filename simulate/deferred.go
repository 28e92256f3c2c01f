package simulate

import (
	"context"
	"time"

	"autotune/controller"
)

// Deferred pays a share of the CPU cost of work later, whichever setting is in
// force then: batches that are sent, garbage that is collected. The share is
// that of the setting under which the work was done, 0..1. In sum nothing is
// gained or lost, which is what makes it a trap: a setting that defers looks
// cheap in its own block, and makes the next one look dear.
func Deferred(t controller.Target, share func(controller.Setting) float64, after time.Duration) controller.Target {
	return &deferred{Target: t, share: share, after: after}
}

type deferred struct {
	controller.Target
	share func(controller.Setting) float64
	after time.Duration
	age   time.Duration
	owed  []debt // by time ascending
}

type debt struct {
	due     time.Duration
	seconds float64
}

func (x *deferred) Observe(ctx context.Context, epoch uint64, d time.Duration) (controller.Sample, error) {
	setting, err := x.Target.Current(ctx)
	if err != nil {
		return controller.Sample{}, err
	}
	s, err := x.Target.Observe(ctx, epoch, d)
	if err != nil || d <= 0 {
		return s, err
	}
	x.age += d
	cost, ok := s.Totals[controller.CPUSeconds]
	if !ok {
		return s, nil
	}
	later := cost * x.share(setting)
	x.owed = append(x.owed, debt{x.age + x.after, later})
	paid, n := 0.0, 0
	for n < len(x.owed) && x.owed[n].due <= x.age {
		paid += x.owed[n].seconds
		n++
	}
	x.owed = append(x.owed[:0], x.owed[n:]...)
	s.Totals[controller.CPUSeconds] = cost - later + paid
	return s, nil
}
