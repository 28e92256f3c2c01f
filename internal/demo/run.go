package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"autotune"
	"autotune/controller"
	"autotune/executor"
	"autotune/sensors"
)

// The arithmetic that makes a run fit into four minutes: blocks of 1 s after a
// washout of 0.25 s, so that a pair takes 2.5 s; 22 baseline blocks once; 12
// pairs for the check at the end; at most 24 pairs a trial, and 8 kept in
// reserve for each optimization still untried.
const (
	blockWashout = 250 * time.Millisecond
	blockMeasure = time.Second
	checkPairs   = 12
	maxPairs     = 24
	// baselineBlocks in which the autopilot measures noise, trialPairs without
	// which it keeps nothing on three goals, and enoughPairs for a comparison.
	baselineBlocks = 22
	trialPairs     = 9
	enoughPairs    = 8
	warmUp         = 3 * time.Second
	// tidy is what stopping, a prolonged block or two and the summary may take.
	tidy = 5 * time.Second
	// idleEnough is how long the autopilot may find nothing to try before the
	// run goes on to its check.
	idleEnough = 8 * time.Second
	// leastDuration leaves time for the noise, one trial and the check.
	leastDuration = 100 * time.Second
	followEvery   = 100 * time.Millisecond
)

var timing = controller.Timing{Washout: blockWashout, Measure: blockMeasure}

// granted: the demonstration's owner allows what these may change: waiting too
// long is rejected, few spans are exported, hopeless attempts are left out.
var granted = []string{
	"enable_concurrency_optimization", telemetrySwitch, "enable_optimized_error_handling", "enable_circuit_breaker",
}

const telemetrySwitch = "enable_optimized_telemetry"

// grants are those that this run can offer.
func (c *RunConfig) grants() []string {
	return slices.DeleteFunc(slices.Clone(granted), func(name string) bool { return name == telemetrySwitch && c.Exporter == nil })
}

// DefaultOffer names what a run of DefaultDuration has the time to try.
func DefaultOffer() []string {
	return []string{
		"enable_cache_optimization", "enable_step_optimization", "enable_concurrency_optimization", placeboName, harmfulName,
	}
}

// DefaultDuration of a run.
const DefaultDuration = 228 * time.Second

// RunConfig says what run to make. Zero fields have the documented defaults.
type RunConfig struct {
	// Duration of the whole run, check included; DefaultDuration if 0, at least 100 s.
	Duration time.Duration
	// Rate is the mean request rate; DefaultRate if 0. Trace as in LoadConfig.
	Rate  float64
	Trace []float64
	Addr  string
	Items int
	// Workload is one of the guide's, by name: what is asked of the service, and
	// in which order the guide's policy tries things; empty is the everyday one.
	Workload string
	// Policy says what to try next; the guide's if nil.
	Policy controller.Policy
	// Offer names the optimizations to try; all if empty.
	Offer []string
	// Partial: a run that is too short for all that is offered tries what it has
	// the time for, instead of being refused; if it keeps what puts work off, its
	// check ends after Duration.
	Partial bool
	// MaxPairs a trial may take; 24 if 0.
	MaxPairs int
	// Instead, if not nil, steers the service in the autopilot's place, which is
	// closed before, until it returns or its context ends.
	Instead func(ctx context.Context, target controller.Target, offered []controller.Optimization) error
	// MinRequests that a block needs, the controller's own if 0: fewer where the rate
	// is low.
	MinRequests int
	// CheckPairs of the check at the end, 12 if 0, none if negative, and its
	// CheckGoals, the usual three if empty.
	CheckPairs int
	CheckGoals []controller.Goal
	// Exporter takes the spans of the service's steps. If it is nil there are
	// none, and enable_optimized_telemetry is not offered.
	Exporter executor.Exporter
	// Journal folder; a temporary one, removed at the end, if empty.
	Journal string
	Advise  bool
	Seed    uint64
	// LoadCommand starts the load generator: this program, calling ServeLoad.
	LoadCommand []string

	// Configure, if not nil, may change the autopilot's configuration, to log.
	Configure func(*autotune.Config)
	// OnStart, if not nil, is told of the autopilot and its journal before anything is
	// tried; an error ends the run. What it returns is called at the end.
	OnStart func(pilot *autotune.Autopilot, journal string) (end func(), err error)
	// OnStage and OnStatus are told how it goes, from Run's goroutine.
	OnStage  func(name string, done, of int)
	OnStatus func(autotune.Status)
	OnTrial  func(controller.Trial)
}

func (c *RunConfig) setDefaults() error {
	if c.Duration == 0 {
		c.Duration = DefaultDuration
	}
	if c.Rate == 0 {
		c.Rate = DefaultRate
	}
	if c.Items == 0 {
		c.Items = DefaultItems
	}
	c.MaxPairs = cmp.Or(c.MaxPairs, maxPairs)
	c.CheckPairs = cmp.Or(c.CheckPairs, checkPairs)
	if c.OnStage == nil {
		c.OnStage = func(string, int, int) {}
	}
	if c.OnStatus == nil {
		c.OnStatus = func(autotune.Status) {}
	}
	if c.OnTrial == nil {
		c.OnTrial = func(controller.Trial) {}
	}
	if c.Duration < leastDuration && !c.Advise {
		return fmt.Errorf("duration %v: must be at least %v: noise, a trial and the check need that long", c.Duration, leastDuration)
	}
	return nil
}

func (c *RunConfig) timing() controller.Timing {
	t := timing
	t.MinRequests = c.MinRequests
	return t
}

// needed is how long a run takes that gives each of these a first trial of
// trialPairs, and the pairs of a check of whatever is kept of them.
func needed(space controller.Space, initial controller.Setting, offered []controller.Optimization, checkPairs int) (all, check time.Duration, err error) {
	pairs := func(candidate controller.Setting, n int) (time.Duration, error) {
		pair, err := controller.ComparisonConfig{Space: space, Baseline: initial, Candidate: candidate, Pairs: 1, Timing: timing}.PairDuration()
		return time.Duration(n) * pair, err
	}
	all = warmUp + baselineBlocks*(blockWashout+blockMeasure) + tidy
	kept := initial
	for _, o := range offered {
		first := map[string]float64{}
		for name, value := range o.Start {
			if k, ok := space.Knob(name); ok && k.Period == 0 {
				first[name] = value
			}
		}
		if o.Switch != "" {
			first[o.Switch] = 1
		}
		trial, err := pairs(initial.With(first), trialPairs)
		if err != nil {
			return 0, 0, err
		}
		all += trial
		kept = kept.With(first)
	}
	check, err = pairs(kept, checkPairs)
	return all + check, check, err
}

// checkTime says how long the check may take, and refuses a run that is too
// short for all that it was asked to try. The usual offer may share a shorter
// one: who is first gets what can decide.
func (r *run) checkTime() (check time.Duration, err error) {
	ex, err := executor.New(executor.Config{}, executor.WithExporter(r.cfg.Exporter))
	if err != nil {
		return 0, err
	}
	defer ex.Close() //nolint:errcheck // nothing ran in it
	target, err := autotune.NewTarget(ex, r.controls.Knobs(), nil)
	if err != nil {
		return 0, err
	}
	initial, err := target.Current(context.Background())
	if err != nil {
		return 0, err
	}
	offered := r.offered(ex)
	least, check, err := needed(target.Space(), initial, offered, r.cfg.CheckPairs)
	switch {
	case err != nil || r.cfg.Advise:
		return check, err
	case r.cfg.Partial:
		return time.Duration(max(r.cfg.CheckPairs, 0)) * 2 * (blockWashout + blockMeasure), nil
	}
	if !slices.ContainsFunc(offered, func(o controller.Optimization) bool { return !slices.Contains(DefaultOffer(), o.Name) }) {
		return check, nil
	}
	if least = (least + time.Second - 1).Truncate(time.Second); r.cfg.Duration < least {
		return 0, fmt.Errorf("duration %v: must be at least %v to try the %d that are offered, or offer fewer", r.cfg.Duration, least, len(offered))
	}
	return check, nil
}

// run is one run in progress.
type run struct {
	cfg      RunConfig
	start    time.Time
	until    time.Time // of trials
	controls *Controls
	service  *Service
	load     *loadProcess
	pilot    *autotune.Autopilot
	ended    func() // of OnStart
	shown    int    // number of the last trial told of
	alerts   atomic.Int64
	summary  Summary

	tempJournal string // to remove; empty if the folder is the caller's
}

// ErrFailed marks an error of a run that was asked for rightly and broke.
var ErrFailed = errors.New("the run failed")

// Run starts the service, its load in another process, and the autopilot; lets
// it work; and checks what came of it. When ctx ends early the candidate is
// withdrawn and the summary says how far it got: that is no error. An error is
// a configuration that is wrong, or, with ErrFailed, a run that broke.
func Run(ctx context.Context, cfg RunConfig) (*Summary, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	r := &run{cfg: cfg, start: time.Now(), controls: NewControls()}
	r.summary = Summary{Type: "summary", Seed: cfg.Seed, Tried: []Tried{}, Kept: []string{}, Reverted: []string{}, Check: []controller.Compared{}}
	err := r.all(ctx)
	err = errors.Join(err, r.close())
	r.summary.Seconds = time.Since(r.start).Round(time.Millisecond).Seconds()
	if err != nil {
		return nil, err
	}
	return &r.summary, nil
}

func (r *run) all(ctx context.Context) error {
	switch err := r.begin(ctx); {
	case err != nil && ctx.Err() != nil: // interrupted before anything was tried
		r.summary.Interrupted = true
		return nil
	case err != nil:
		return err
	}
	steer := r.let
	if r.cfg.Instead != nil {
		steer = r.instead
	}
	err := steer(ctx)
	if err == nil && ctx.Err() == nil && !r.cfg.Advise && r.cfg.CheckPairs > 0 {
		err = r.check(ctx)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFailed, err)
	}
	return nil
}

// begin starts every part; the autopilot is held until the service is warm.
func (r *run) begin(ctx context.Context) error {
	c := &r.cfg
	workload, err := WorkloadNamed(c.Workload)
	if err != nil {
		return err
	}
	check, err := r.checkTime()
	if err != nil {
		return err
	}
	if c.Journal == "" {
		dir, err := os.MkdirTemp("", "autotune-journal-")
		if err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		c.Journal, r.tempJournal = dir, dir
	}
	r.until = r.start.Add(c.Duration - check - tidy)
	config := autotune.Config{
		Knobs: r.controls.Knobs(), Optimizations: r.controls.Optimizations(),
		Exporter: c.Exporter, Offer: c.Offer, Grant: c.grants(), Policy: c.Policy, Workload: c.Workload,
		Journal: c.Journal, Advise: c.Advise, Seed: c.Seed, OpenLoop: true, Timing: c.timing(),
		Budget:  controller.Budget{MaxPairs: c.MaxPairs, Until: r.until},
		OnAlert: func(autotune.Alert) { r.alerts.Add(1) },
	}
	if c.Configure != nil {
		c.Configure(&config)
	}
	if r.pilot, err = autotune.Start(context.WithoutCancel(ctx), config); err != nil {
		return err
	}
	if c.OnStart != nil {
		if r.ended, err = c.OnStart(r.pilot, c.Journal); err != nil {
			return err
		}
	}
	c.OnStage("making the database", 0, 0)
	if r.service, err = Start(ctx, Config{
		Addr: c.Addr, Executor: r.pilot.Executor(), Recorder: r.pilot.Recorder(), Controls: r.controls, Seed: c.Seed, Items: c.Items,
		Workload: workload,
	}); err != nil {
		return err
	}
	if r.load, err = startLoad(c.LoadCommand, loadLine{URL: r.service.URL(), Rate: c.Rate, Trace: c.Trace, Seed: c.Seed, Items: c.Items, Workload: c.Workload}); err != nil {
		return fmt.Errorf("%w: %w", ErrFailed, err)
	}
	c.OnStage("warming up at "+r.service.URL(), 0, 0)
	if err := r.sleep(ctx, warmUp); err != nil {
		return fmt.Errorf("%w: %w", ErrFailed, err)
	}
	return nil
}

// let lets the autopilot go, and follows it until its time is over, it has
// found nothing more to try for a while, or ctx ends.
func (r *run) let(ctx context.Context) error {
	on := func(c *executor.Config) { c.EnableAutomaticOptimization = true }
	if err := r.pilot.Executor().Update(on); err != nil {
		return err
	}
	cpu, began := processCPU(), time.Now()
	idle, released := time.Time{}, false
	for ended := false; !ended && ctx.Err() == nil; {
		if err := r.sleep(ctx, followEvery); err != nil {
			return err
		}
		s := r.pilot.Status()
		if s.Phase == controller.Paused && !released {
			continue // it was held until the service was warm, and has not ticked since
		}
		released = true
		r.follow(s)
		switch {
		case s.Phase != controller.Idle:
			idle = time.Time{}
		case idle.IsZero():
			idle = time.Now()
		}
		select {
		case <-r.pilot.Done():
			ended = true
		default:
			ended = !idle.IsZero() && time.Since(idle) > idleEnough
		}
	}
	err := r.pilot.Close()
	s := r.pilot.Status()
	r.follow(s)
	r.summary.Interrupted = ctx.Err() != nil
	r.summary.take(s, r.offered(r.pilot.Executor()))
	r.summary.AutopilotCPU = s.CPUSeconds / time.Since(began).Seconds()
	if used := processCPU() - cpu; used > 0 {
		r.summary.AutopilotShare = s.CPUSeconds / used
	}
	return errors.Join(err, r.pilot.Err())
}

// follow tells of the status, and of each trial that ended since.
func (r *run) follow(s autotune.Status) {
	for _, t := range s.Ended {
		if t.ID > r.shown {
			r.shown = t.ID
			r.cfg.OnTrial(t)
		}
	}
	r.cfg.OnStatus(s)
}

// instead lets another steer, until trials are over or the load is gone.
func (r *run) instead(ctx context.Context) (err error) {
	if err := r.pilot.Close(); err != nil {
		return err
	}
	target, s, err := r.target()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if r.summary.Initial, err = target.Current(ctx); err != nil {
		return err
	}
	over, cancel := context.WithDeadline(ctx, r.until)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- r.cfg.Instead(over, target, r.offered(r.pilot.Executor())) }()
	gone := r.sleep(over, time.Until(r.until))
	cancel()
	err = errors.Join(gone, <-ended)
	r.summary.Interrupted = ctx.Err() != nil
	if r.summary.Final, gone = target.Current(context.WithoutCancel(ctx)); gone != nil {
		return errors.Join(err, gone)
	}
	return err
}

// target is the service without the autopilot, and the sensors that it is seen by.
func (r *run) target() (*autotune.Target, *sensors.Sensors, error) {
	s, err := sensors.New(sensors.Options{Recorder: r.pilot.Recorder()})
	if err != nil {
		return nil, nil, err
	}
	target, err := autotune.NewTarget(r.pilot.Executor(), r.controls.Knobs(), s)
	if err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	return target, s, nil
}

// check judges the final setting against the initial one, with the autopilot gone.
func (r *run) check(ctx context.Context) error {
	target, s, err := r.target()
	if err != nil {
		return err
	}
	compared, err := autotune.Validate(ctx, target, controller.ComparisonConfig{
		Baseline: r.summary.Initial, Candidate: r.summary.Final, Final: r.summary.Final,
		Goals: r.cfg.CheckGoals, Pairs: r.cfg.CheckPairs, Seed: r.cfg.Seed, Timing: r.cfg.timing(),
	}, func(done, of int) { r.cfg.OnStage("checking final against initial setting", done, of) })
	err = errors.Join(err, s.Close())
	if ctx.Err() != nil {
		r.summary.Interrupted = true
		return nil
	}
	if err != nil {
		return err
	}
	r.summary.Check = compared
	return nil
}

// close ends every part, in reverse order, whatever was started.
func (r *run) close() error {
	var errs []error
	if r.load != nil {
		report, err := r.load.stop()
		r.summary.Load = report
		errs = append(errs, err)
	}
	if r.ended != nil {
		r.ended()
	}
	if r.pilot != nil {
		errs = append(errs, r.pilot.Close())
	}
	if r.service != nil {
		errs = append(errs, r.service.Close())
	}
	if r.pilot != nil {
		errs = append(errs, r.pilot.Executor().Close())
	}
	if r.tempJournal != "" {
		errs = append(errs, os.RemoveAll(r.tempJournal))
	}
	r.summary.Alerts = int(r.alerts.Load())
	return errors.Join(errs...)
}

// sleep waits, and fails if the load is gone: without it nothing means anything.
func (r *run) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-r.load.done:
		_, err := r.load.stop()
		r.load = nil // its end is told once
		return errors.Join(errors.New("load: the generator ended before the run did"), err)
	}
	return nil
}

// offered are the optimizations of this run, of an executor and the controls.
func (r *run) offered(ex *executor.Executor) []controller.Optimization {
	all := append(ex.Optimizations(), r.controls.Optimizations()...)
	return slices.DeleteFunc(all, func(o controller.Optimization) bool {
		return len(r.cfg.Offer) > 0 && !slices.Contains(r.cfg.Offer, o.Name)
	})
}
