package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"autotune"
	"autotune/controller"
	"autotune/executor"
	"autotune/sensors"
)

// Validating a configuration is the check at the end of a run, without the run:
// the service is loaded, and the two configurations take turns in randomized
// pairs of blocks. Nothing decides on the way, so that its intervals hold for
// however long it was asked to take.

// defaultPairs of a validation.
const defaultPairs = 20

// ValidateConfig says what to compare. Zero fields have the documented defaults.
type ValidateConfig struct {
	// Baseline and Candidate are configurations of the executor, by what names
	// people know them.
	Baseline, Candidate Named
	// Duration of it all; by default what Pairs take, and at least what 8 do.
	Duration time.Duration
	// Pairs to compare in; 20 if 0. With a Duration that says how many.
	Pairs int
	// Block is how long a block is measured, 1 s if 0; four times that where work
	// is put off.
	Block time.Duration
	// MinRequests that a block needs, the controller's own if 0.
	MinRequests int
	// Goals to compare; the usual three if empty.
	Goals []controller.Goal
	// Exporter takes the spans of the service's steps; nil: there are none.
	Exporter executor.Exporter
	// Rate, Items, Workload, Seed and LoadCommand as in RunConfig.
	Rate        float64
	Items       int
	Workload    string
	Seed        uint64
	LoadCommand []string
	// OnStage is told how it goes.
	OnStage func(name string, done, of int)
}

// Named is a configuration with its name.
type Named struct {
	Name   string
	Config executor.Config
}

// Validation is what came of it: the line of `autotune validate --json`.
type Validation struct {
	Type      string `json:"type"` // "validation"
	Baseline  string `json:"baseline"`
	Candidate string `json:"candidate"`
	// Verdict on the candidate, as autotune.Verdict has it of Check.
	Verdict  string `json:"verdict"`
	Workload string `json:"workload,omitempty"`
	Seed     uint64 `json:"seed"`
	// Changes from baseline to candidate, by field.
	Changes []executor.Difference `json:"changes"`
	// Check has one line a goal.
	Check []controller.Compared `json:"check"`
	// NotShown are fields that matter to what changes, and act more rarely than a
	// block lasts: what they do then, the blocks do not show.
	NotShown []string   `json:"not_shown,omitempty"`
	Seconds  float64    `json:"seconds"`
	Load     LoadReport `json:"load"`
}

// validation is one in progress.
type validation struct {
	cfg      ValidateConfig
	workload Workload
	ex       *executor.Executor
	service  *Service
	load     *loadProcess
	sensors  *sensors.Sensors
}

// Validate compares two configurations on the service, under load. An error is a
// configuration that is wrong, or, with ErrFailed, a validation that broke or
// was interrupted: half of one is none.
func Validate(ctx context.Context, cfg ValidateConfig) (_ *Validation, err error) {
	start := time.Now()
	v := &validation{cfg: cfg}
	out := &Validation{
		Type: "validation", Baseline: cfg.Baseline.Name, Candidate: cfg.Candidate.Name, Workload: cfg.Workload, Seed: cfg.Seed,
		Changes: append([]executor.Difference{}, executor.Diff(cfg.Baseline.Config, cfg.Candidate.Config)...),
	}
	plan, err := v.plan(out)
	if err != nil {
		return nil, errors.Join(err, v.close(out))
	}
	err = v.run(ctx, plan, out)
	if err = errors.Join(err, v.close(out)); err != nil {
		return nil, err
	}
	out.Verdict = autotune.Verdict(out.Check)
	out.Seconds = time.Since(start).Round(time.Millisecond).Seconds()
	return out, nil
}

// plan is the comparison to make, or what is wrong with the configuration.
func (v *validation) plan(out *Validation) (plan controller.ComparisonConfig, err error) {
	c := &v.cfg
	if c.OnStage == nil {
		c.OnStage = func(string, int, int) {}
	}
	c.Rate = cmp.Or(c.Rate, DefaultRate)
	if v.workload, err = WorkloadNamed(c.Workload); err != nil {
		return plan, err
	}
	candidate, err := executor.New(c.Candidate.Config)
	if err != nil {
		return plan, fmt.Errorf("candidate %s: %w", c.Candidate.Name, err)
	}
	defer candidate.Close() //nolint:errcheck // nothing ran in it
	if v.ex, err = executor.New(c.Baseline.Config, executor.WithExporter(c.Exporter)); err != nil {
		return plan, fmt.Errorf("baseline %s: %w", c.Baseline.Name, err)
	}
	plan = controller.ComparisonConfig{
		Space: controller.Space{Knobs: v.ex.Knobs()}, Baseline: v.ex.Setting(), Candidate: candidate.Setting(),
		Goals: c.Goals, Pairs: cmp.Or(c.Pairs, defaultPairs), Seed: c.Seed,
		Timing: controller.Timing{Washout: blockWashout, Measure: cmp.Or(c.Block, blockMeasure), MinRequests: c.MinRequests},
	}
	pair, err := plan.PairDuration()
	if err != nil {
		return plan, err
	}
	if c.Duration != 0 {
		plan.Pairs = int((c.Duration - warmUp - tidy) / pair)
	}
	if plan.Pairs < enoughPairs {
		return plan, fmt.Errorf("duration %v: must be at least %v: with fewer than %d pairs of blocks no difference can be shown",
			c.Duration, warmUp+tidy+enoughPairs*pair, enoughPairs)
	}
	out.NotShown = tooRare(plan)
	return plan, nil
}

// tooRare are the knobs that matter to a change and act more rarely than a block lasts.
func tooRare(plan controller.ComparisonConfig) []string {
	change := plan.Baseline.Diff(plan.Candidate)
	var names []string
	for _, k := range plan.Space.Knobs {
		_, moves := change[k.Name]
		_, switches := change[k.Needs]
		if k.Period > plan.Timing.Measure && (moves || switches) && (plan.Candidate.On(k.Needs) || plan.Baseline.On(k.Needs)) {
			names = append(names, k.Name)
		}
	}
	slices.Sort(names)
	return names
}

func (v *validation) run(ctx context.Context, plan controller.ComparisonConfig, out *Validation) error {
	c := &v.cfg
	c.OnStage("making the database", 0, 0)
	recorder := sensors.NewRecorder()
	var err error
	if v.service, err = Start(ctx, Config{Executor: v.ex, Recorder: recorder, Seed: c.Seed, Items: c.Items, Workload: v.workload}); err != nil {
		return broken(ctx, err)
	}
	if v.load, err = startLoad(c.LoadCommand, loadLine{URL: v.service.URL(), Rate: c.Rate, Seed: c.Seed, Items: c.Items, Workload: c.Workload}); err != nil {
		return broken(ctx, err)
	}
	if v.sensors, err = sensors.New(sensors.Options{Recorder: recorder}); err != nil {
		return broken(ctx, err)
	}
	target, err := autotune.NewTarget(v.ex, nil, v.sensors)
	if err != nil {
		return broken(ctx, err)
	}
	c.OnStage("warming up at "+v.service.URL(), 0, 0)
	select {
	case <-time.After(warmUp):
	case <-ctx.Done():
		return broken(ctx, ctx.Err())
	}
	out.Check, err = autotune.Validate(ctx, target, plan, func(done, of int) { c.OnStage("comparing", done, of) })
	if err != nil {
		return broken(ctx, err)
	}
	return nil
}

// broken is an error of a validation that was asked for rightly.
func broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: interrupted before the last pair: half a validation is none", ErrFailed)
	}
	return fmt.Errorf("%w: %w", ErrFailed, err)
}

// close ends every part, in reverse order, whatever was started.
func (v *validation) close(out *Validation) error {
	var errs []error
	if v.load != nil {
		report, err := v.load.stop()
		out.Load = report
		errs = append(errs, err)
	}
	if v.sensors != nil {
		errs = append(errs, v.sensors.Close())
	}
	if v.service != nil {
		errs = append(errs, v.service.Close())
	}
	if v.ex != nil {
		errs = append(errs, v.ex.Close())
	}
	return errors.Join(errs...)
}

// WriteText writes it for people.
func (v *Validation) WriteText(w io.Writer) error {
	var b strings.Builder
	workload := v.Workload
	if workload == "" {
		workload = "everyday"
	}
	fmt.Fprintf(&b, "baseline   %s\ncandidate  %s\nworkload   %s, seed %d, %.0f s, %d requests, %d failed, %d dropped\n\n",
		v.Baseline, v.Candidate, workload, v.Seed, v.Seconds, v.Load.Sent, v.Load.Failed, v.Load.Dropped)
	var changes []string
	for _, d := range v.Changes {
		changes = append(changes, d.String())
	}
	lines(&b, "Changes", changes)
	b.WriteString("\nCandidate against baseline, in randomized blocks\n")
	table(&b, func(row func(cells ...any)) {
		for _, c := range v.Check {
			row("  "+string(c.Metric), c.Verdict, interval(c.Effect, c.Low, c.High, c.Pairs), fmt.Sprintf("%d pairs", c.Pairs))
		}
	})
	if len(v.NotShown) > 0 {
		b.WriteString("\n")
		lines(&b, "Not shown", v.NotShown)
		b.WriteString("          (they act more rarely than a block lasts)\n")
	}
	fmt.Fprintf(&b, "\nThe candidate is %s.\n", map[string]string{
		"better": "better", "worse": "worse: a regression", "unclear": "not shown to be better or worse",
	}[v.Verdict])
	_, err := io.WriteString(w, b.String())
	return err
}
