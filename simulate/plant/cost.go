package plant

import (
	"context"
	"fmt"
	"time"

	"autotune/controller"
)

// Cost is what a service costs under a setting that nobody changes: what an
// oracle knows, and no controller can.
type Cost struct {
	Requests float64
	// LatencyMean, P50, P95 and P99 of requests that were done, in seconds.
	LatencyMean, P50, P95, P99 float64
	// CPUPerRequest in seconds; GCRatio is the share of it that collection took.
	CPUPerRequest, GCRatio float64
	// ErrorRatio of requests that ended, rejected ones included.
	ErrorRatio float64
	// RSS is the mean resident memory, in bytes, and AllocPerRequest what a request allocates.
	RSS, AllocPerRequest float64
}

// Of returns the cost's value of a goal's metric, and whether it has one.
func (c Cost) Of(m controller.Metric) (float64, bool) {
	switch m {
	case controller.LatencyMean:
		return c.LatencyMean, true
	case controller.LatencyP50:
		return c.P50, true
	case controller.LatencyP95:
		return c.P95, true
	case controller.LatencyP99:
		return c.P99, true
	case controller.CPUPerRequest:
		return c.CPUPerRequest, true
	case controller.ErrorRatio:
		return c.ErrorRatio, true
	case controller.RSSBytes:
		return c.RSS, true
	case controller.GCCPURatio:
		return c.GCRatio, true
	}
	return 0, false
}

// WarmUp is how long a service runs before its cost is counted: caches fill, the
// heap finds its size.
const WarmUp = 30 * time.Second

// CostOf runs the configured service under a setting for WarmUp and then for d,
// and returns what the latter cost. The seed decides about requests and luck, not
// about what the setting makes of them: settings are compared under the same
// seed, and then differ by what they do (common random numbers). Of knobs that
// the setting lacks, the configured initial values hold.
func CostOf(cfg Config, setting controller.Setting, seed uint64, d time.Duration) (Cost, error) {
	if d <= 0 {
		return Cost{}, fmt.Errorf("duration %v: must be above 0", d)
	}
	cfg.Seed = seed
	initial := controller.SettingOf(cfg.Initial)
	for name := range setting.All() {
		if _, ok := initial.Get(name); !ok {
			return Cost{}, fmt.Errorf("setting: %s is an unknown knob", name)
		}
	}
	cfg.Initial = initial.With(setting.Map()).Map()
	s, err := New(cfg)
	if err != nil {
		return Cost{}, err
	}
	ctx := context.Background()
	if _, err := s.Observe(ctx, 0, WarmUp); err != nil {
		return Cost{}, err
	}
	var all controller.Sample
	for left := d; left > 0; {
		tick := min(time.Second, left)
		left -= tick
		one, err := s.Observe(ctx, 1, tick)
		if err != nil {
			return Cost{}, err
		}
		all.Merge(&one)
	}
	c := Cost{Requests: all.Totals[controller.Requests], RSS: all.Gauges[controller.RSSBytes], GCRatio: all.Gauges[controller.GCCPURatio]}
	for _, f := range []struct {
		into *float64
		m    controller.Metric
	}{
		{&c.LatencyMean, controller.LatencyMean},
		{&c.P50, controller.LatencyP50},
		{&c.P95, controller.LatencyP95},
		{&c.P99, controller.LatencyP99},
		{&c.CPUPerRequest, controller.CPUPerRequest},
		{&c.ErrorRatio, controller.ErrorRatio},
		{&c.AllocPerRequest, controller.AllocBytes + "_per_request"},
	} {
		*f.into, _ = all.Value(f.m)
	}
	return c, nil
}
