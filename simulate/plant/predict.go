package plant

import (
	"context"
	"fmt"
	"maps"
	"time"

	"autotune/catalog"
	"autotune/controller"
)

// Plan is how the effect of a switch is measured: two settings that differ in
// it alone take turns in randomized pairs of blocks, as on a live service.
type Plan struct {
	Switch string
	// Given are values that hold with and without the switch.
	Given map[string]float64
	// Pairs of blocks, each of Block after a washout of a quarter of a second.
	Pairs int
	Block time.Duration
	Goals []controller.Goal
	Seed  uint64
}

// The lengths of blocks: usual; of a switch that defers work, which are made
// longer by themselves; and where only outages show anything.
const (
	predictPairs   = 300
	predictWashout = 250 * time.Millisecond
	usualBlock     = 750 * time.Millisecond
	deferBlock     = 500 * time.Millisecond
	outageBlock    = 12 * time.Second
)

// PlanFor is how the live experiment measures a switch on this scenario: with the
// guide's numbers for the workload, else those with which a trial begins; memory
// optimization acting as often as it may, and identities with the cache on.
func (s Scenario) PlanFor(name string) (Plan, error) {
	p := Plan{Switch: name, Given: map[string]float64{}, Pairs: predictPairs, Block: usualBlock, Seed: 1, Goals: []controller.Goal{
		{Metric: controller.LatencyP95},
		{Metric: controller.LatencyMean},
		{Metric: controller.CPUPerRequest},
		{Metric: controller.RSSBytes},
		{Metric: controller.AllocBytes + "_per_request"},
	}}
	k, ok := s.Config.Space.Knob(name)
	if !ok || k.Kind != controller.Switch {
		near := ""
		if n := catalog.Nearest(name); n != "" {
			near = "; the nearest is " + n
		}
		return p, fmt.Errorf("switch %q: must be a switch of the catalog that can be tried%s", shorten(name), near)
	}
	cores := float64(max(s.Config.Cores, 1))
	for _, o := range s.Offered {
		if o.Switch != name {
			continue
		}
		maps.Copy(p.Given, o.Start)
		for _, preset := range catalog.Presets() {
			if preset.Name != s.Workload || preset.Values[name] == 0 {
				continue
			}
			for _, knob := range o.Knobs {
				if v, ok := preset.Values[knob]; ok {
					p.Given[knob] = v
				}
			}
			if _, ok := p.Given[catalog.MaxConcurrentExecutions]; ok {
				p.Given[catalog.MaxConcurrentExecutions] = 4 * cores // of the model, not of this machine
			}
		}
	}
	switch {
	case name == catalog.EnableMemory:
		p.Given[catalog.MemoryCleanupInterval], p.Given[catalog.MemoryThreshold] = 1, 0
	case name == catalog.EnableAlgorithm:
		p.Given[catalog.EnableCache], p.Given[catalog.CacheSize] = 1, 4096
	case s.Workload == "low-latency" && (name == catalog.EnableCircuitBreaker || name == catalog.EnableErrorHandling):
		p.Block, p.Pairs = outageBlock, predictPairs/3
	}
	if k.Defers {
		p.Block = deferBlock
	}
	return p, nil
}

// Predict is what the model says that a plan would measure: one line a goal, with
// the interval that is left by the luck of so many pairs. It is not fitted to any
// effect that was measured.
func (s Scenario) Predict(ctx context.Context, p Plan) ([]controller.Compared, error) {
	service, err := s.Start(p.Seed)
	if err != nil {
		return nil, err
	}
	without := s.Initial().With(p.Given)
	if err := service.Apply(ctx, without); err != nil {
		return nil, err
	}
	if _, err := service.Observe(ctx, 0, WarmUp); err != nil {
		return nil, err
	}
	core, err := controller.NewComparison(controller.ComparisonConfig{
		Space: service.Space(), Baseline: without, Candidate: without.With(map[string]float64{p.Switch: 1}),
		Goals: p.Goals, Pairs: p.Pairs, Seed: p.Seed, Timing: controller.Timing{Washout: predictWashout, Measure: p.Block},
	})
	if err != nil {
		return nil, err
	}
	if err := controller.Run(ctx, service, core, controller.Loop{}); err != nil {
		return nil, err
	}
	return core.Result()
}
