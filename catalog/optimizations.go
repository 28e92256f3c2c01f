package catalog

import "autotune/controller"

// hypothesis is one optimization of the guide with its fields, the switch first.
type hypothesis struct {
	optimization controller.Optimization
	fields       []Field
}

// hypotheses are the twelve, in the guide's order. Each has a file of its own.
func hypotheses() []hypothesis {
	all := []hypothesis{
		objectPool(), contextCopies(), memory(), concurrency(), telemetry(), monitoring(),
		errorHandling(), circuitBreaker(), cache(), step(), algorithm(), automatic(),
	}
	for i := range all {
		h := &all[i]
		o := &h.optimization
		o.Switch = h.fields[0].Name
		o.Name = o.Switch
		for j := range h.fields[1:] {
			f := &h.fields[1+j]
			f.Needs = o.Switch
			o.Knobs = append(o.Knobs, f.Name)
		}
	}
	return all
}

// judged are the metrics without which no optimization can be judged, and more
// that one of them needs.
func judged(more ...controller.Metric) []controller.Metric {
	return append([]controller.Metric{controller.LatencyP95, controller.CPUPerRequest}, more...)
}

// Optimizations returns every optimization of the guide as a hypothesis. The
// copies are the caller's.
//
// What may be traded away belongs to the owner. The cache is Granted because its
// bound is given step by step: only a step whose owner declared FreshFor(d) may
// be served old, and by d at most. The other Bounded ones reject work or drop
// spans, which nobody has allowed until the owner turns them on or grants them.
//
// EnableAutomatic is among them, so that the list is the guide's; it is the
// autopilot's own switch, and never a candidate.
func Optimizations() []controller.Optimization {
	all := hypotheses()
	optimizations := make([]controller.Optimization, len(all))
	for i, h := range all {
		optimizations[i] = h.optimization
	}
	return optimizations
}
