package live

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"autotune/catalog"
	"autotune/controller"
	"autotune/executor"
	"autotune/internal/demo"
)

// measure does one cell.
func (o *Options) measure(ctx context.Context, p Plan) (Result, error) {
	before, began := LoadAverage(), time.Now()
	var exporter executor.Exporter
	if o.Exporter != nil {
		var end func()
		exporter, end = o.Exporter()
		defer end()
	}
	r, err := Result{}, error(nil)
	if p.Switch == catalog.EnableAutomatic {
		r, err = o.autopilot(ctx, p, exporter)
	} else {
		r, err = o.compare(ctx, p, exporter)
	}
	if err != nil {
		return Result{}, err
	}
	r.Plan, r.Machine = p, ThisMachine(o.Commit)
	r.LoadBefore, r.LoadAfter = before, LoadAverage()
	r.Ended, r.Seconds = time.Now().UTC().Truncate(time.Second), time.Since(began).Round(time.Millisecond).Seconds()
	return r, nil
}

// compare takes turns with and without the switch.
func (o *Options) compare(ctx context.Context, p Plan, exporter executor.Exporter) (Result, error) {
	without, with, err := p.configurations(ctx)
	if err != nil {
		return Result{}, err
	}
	v, err := demo.Validate(ctx, demo.ValidateConfig{
		Baseline: demo.Named{Name: "without", Config: without}, Candidate: demo.Named{Name: "with", Config: with},
		Workload: p.Workload, Pairs: p.Pairs, Block: time.Duration(p.Block * float64(time.Second)), Goals: Goals(),
		Rate: p.Rate, Items: p.Items, Seed: p.Seed, LoadCommand: o.LoadCommand, Exporter: exporter,
	})
	if err != nil {
		return Result{}, err
	}
	return Result{
		Differences: differences(v.Check), NotShown: v.NotShown,
		Requests: v.Load.Sent, Failed: v.Load.Failed, Dropped: v.Load.Dropped,
	}, nil
}

func differences(compared []controller.Compared) map[controller.Metric][]float64 {
	out := map[controller.Metric][]float64{}
	for _, c := range compared {
		if len(c.Differences) > 0 {
			out[c.Metric] = c.Differences
		}
	}
	return out
}

// configurations differ in the switch and in nothing else; those of the control in nothing.
func (p Plan) configurations(ctx context.Context) (without, with executor.Config, err error) {
	if without, err = configuration(ctx, p.Given); err != nil {
		return without, with, err
	}
	if p.Switch == Control {
		return without, without, nil
	}
	on := maps.Clone(p.Given)
	on[p.Switch] = 1
	with, err = configuration(ctx, on)
	return without, with, err
}

// configuration is the baseline with these values.
func configuration(ctx context.Context, values map[string]float64) (executor.Config, error) {
	ex, err := executor.New(executor.Config{})
	if err != nil {
		return executor.Config{}, err
	}
	defer ex.Close() //nolint:errcheck // nothing ran in it
	if err := ex.ApplySetting(ctx, controller.SettingOf(values)); err != nil {
		return executor.Config{}, err
	}
	return ex.Config(), nil
}

// autopilot lets it work, and takes its independent check.
func (o *Options) autopilot(ctx context.Context, p Plan, exporter executor.Exporter) (Result, error) {
	offer := slices.DeleteFunc(Switches(), func(name string) bool {
		return name == catalog.EnableAutomatic || name == catalog.EnableTelemetry && exporter == nil
	})
	check := time.Duration(float64(2*p.Pairs) * (p.Block + 0.25) * float64(time.Second))
	s, err := demo.Run(ctx, demo.RunConfig{
		Duration: time.Duration(p.Autopilot*float64(time.Second)) + check, Partial: true, Offer: offer,
		Workload: p.Workload, Rate: p.Rate, Items: p.Items, Seed: p.Seed,
		CheckPairs: p.Pairs, CheckGoals: Goals(), LoadCommand: o.LoadCommand, Exporter: exporter,
	})
	switch {
	case err != nil:
		return Result{}, err
	case len(s.Check) == 0:
		return Result{}, fmt.Errorf("%w: there was no check", demo.ErrFailed)
	}
	return Result{
		Differences: differences(s.Check), Kept: s.Kept, AutopilotCPU: s.AutopilotCPU,
		Requests: s.Load.Sent, Failed: s.Load.Failed, Dropped: s.Load.Dropped,
	}, nil
}
