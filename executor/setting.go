package executor

import (
	"context"
	"fmt"

	"autotune/catalog"
	"autotune/controller"
)

// Knobs returns what can be changed while the executor runs: a switch for each
// optimization and its numbers. Where a number trades something away, the
// owner's own value is the limit: a trial samples no fewer spans than the owner
// asked for in New, Apply or Update. The copies are the caller's.
func (ex *Executor) Knobs() []controller.Knob {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	knobs := make([]controller.Knob, len(ex.fields))
	for i, f := range ex.fields {
		own := f.get(&ex.owner)
		switch f.Limit {
		case catalog.AtLeast:
			f.Floor = &own
		case catalog.AtMost:
			f.Ceiling = &own
		case catalog.NoLimit:
		}
		knobs[i] = f.Knob
	}
	return knobs
}

// Setting reads back what is in force: the numbers from the parts that go by
// them (the cache's bound and TTL, the semaphore's limit), the switches from
// what executions look at. Only before the cache was on for the first time,
// when there is none, its numbers are those that it will have.
func (ex *Executor) Setting() controller.Setting {
	ex.mu.Lock() // a setting half applied is never read
	defer ex.mu.Unlock()
	inForce := ex.readBack()
	m := map[string]float64{}
	for _, f := range ex.fields {
		m[f.Name] = f.get(&inForce)
	}
	return controller.SettingOf(m)
}

// ApplySetting puts the knobs of a setting in force that are this executor's,
// and leaves all others as they are. Knobs that it does not own are ignored. On
// an error, which has every fault with field, value and rule, nothing has
// changed.
func (ex *Executor) ApplySetting(ctx context.Context, s controller.Setting) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("apply %v: %w", s, err)
	}
	ex.mu.Lock()
	defer ex.mu.Unlock()
	cfg := ex.current.Load().config
	var faults []*Fault
	for _, f := range ex.fields {
		v, ok := s.Get(f.Name)
		if !ok {
			continue
		}
		if fault := f.check(v); fault != nil {
			faults = append(faults, fault)
			continue
		}
		f.set(&cfg, v)
	}
	if len(faults) > 0 {
		return asError(faults)
	}
	return ex.apply(cfg)
}

// Optimizations returns the hypotheses of the catalog about this executor, but
// for enable_automatic_optimization, which is the autopilot's own switch, and,
// without an exporter, enable_optimized_telemetry, which then moves nothing. What
// the cache and sharing preserve depends on the steps that are bound so far:
// with Pure ones only both are Exact; a step that declares FreshFor(d) makes
// both Bounded, granted by its owner up to d. What else is Bounded is granted if
// the owner turned it on.
func (ex *Executor) Optimizations() []controller.Optimization {
	ex.mu.Lock()
	owner := ex.owner
	ex.mu.Unlock()
	on := map[string]bool{}
	for _, f := range ex.fields {
		on[f.Name] = f.get(&owner) != 0
	}
	var optimizations []controller.Optimization
	for _, o := range catalog.Optimizations() {
		if o.Switch == catalog.EnableAutomatic || o.Switch == catalog.EnableTelemetry && ex.telemetry.exporter == nil {
			continue
		}
		switch stale := ex.fresh.Load() > 0; {
		case o.Switch == catalog.EnableCache && !stale:
			o.Equivalence, o.MayDiffer = controller.Exact, ""
		case o.Switch == catalog.EnableStep && stale:
			o.Equivalence, o.Granted = controller.Bounded, true
			o.MayDiffer = "A request may take the result of an identical execution that began up to d before it, for steps that declare FreshFor(d)."
		case o.Equivalence == controller.Bounded && on[o.Switch]:
			o.Granted = true
		}
		optimizations = append(optimizations, o)
	}
	return optimizations
}
