package diagnose

import (
	"fmt"
	"math"
	"slices"

	"autotune/catalog"
	"autotune/controller"
)

// Signal is an opportunity signal: what an executor measured of itself that says
// whether an optimization could gain anything, before it is on.
type Signal struct {
	// Optimizations that it speaks about.
	Optimizations []string `json:"optimizations"`
	// Text is the figure with its unit and what it means.
	Text   string            `json:"text"`
	Metric controller.Metric `json:"metric"`
	Value  float64           `json:"value"`
}

// signalsOf are the signals in what was seen, in the guide's order of the
// optimizations. What was not measured is absent.
func signalsOf(s *controller.Sample) []Signal {
	var out []Signal
	per := func(total, of controller.Metric) (float64, bool) {
		v, ok := s.Totals[total]
		n := s.Totals[of]
		return v / n, ok && n > 0
	}
	add := func(m controller.Metric, v float64, ok bool, text string, optimizations ...string) {
		if ok && !math.IsNaN(v) && !math.IsInf(v, 0) {
			out = append(out, Signal{optimizations, text, m, v})
		}
	}
	v, ok := per(controller.AllocBytes, controller.Requests)
	add(controller.AllocBytes+"_per_request", v, ok, size(v)+" allocated a request", catalog.EnableObjectPool, catalog.EnableMemory)
	v, ok = per(catalog.StateCopiedBytes, catalog.Executions)
	add(catalog.StateCopiedBytes+"_per_execution", v, ok, size(v)+" of run state copied an execution", catalog.EnableContext)
	v, ok = per(catalog.SchedulerWaitSeconds, controller.Requests)
	add(catalog.SchedulerWaitSeconds+"_per_request", v, ok, span(v)+" a request ready to run with no processor free", catalog.EnableConcurrency)
	v, ok = per(catalog.QueueWaitSeconds, controller.Requests)
	add(catalog.QueueWaitSeconds+"_per_request", v, ok && v > 0, span(v)+" a request waiting for a permit", catalog.MaxConcurrentExecutions)
	v, ok = telemetryShare(s)
	add(catalog.TelemetrySeconds, v, ok, fmt.Sprintf("%.3g %% of CPU time in the exporter's calls", 100*v), catalog.EnableTelemetry)
	v, ok = per(catalog.FailedExecutions, catalog.Executions)
	bursts := s.Totals[catalog.ErrorBursts]
	add(catalog.FailedExecutions+"_ratio", v, ok, fmt.Sprintf("%.3g %% of executions failed, %s", 100*v, count(int(bursts), "burst")), catalog.EnableErrorHandling, catalog.EnableCircuitBreaker)
	v, ok = s.Gauges[catalog.DuplicateInputRatio]
	add(catalog.DuplicateInputRatio, v, ok, fmt.Sprintf("%.3g %% of declared executions repeat an input%s", 100*v, missCurve(s)), catalog.EnableCache)
	v, ok = s.Gauges[catalog.IdenticalInFlightRatio]
	add(catalog.IdenticalInFlightRatio, v, ok, fmt.Sprintf("%.3g %% of declared executions begin while an identical one is in flight", 100*v), catalog.EnableStep)
	return out
}

// signals are those that something can be gained by, as far as is known: not zero,
// and about what the policy sees something to act on in.
func (f *facts) signals() []Signal {
	if f.idleExecutor() {
		return nil
	}
	return slices.DeleteFunc(signalsOf(&f.safeSeen), func(s Signal) bool {
		return s.Value == 0 || !slices.ContainsFunc(s.Optimizations, f.hopeful)
	})
}

// hopeful: the policy does not rule an optimization out.
func (f *facts) hopeful(name string) bool {
	return f.outlook == nil || !slices.ContainsFunc(f.outlook.Prospects, func(p controller.Prospect) bool {
		return p.Optimization == name && p.Skip != ""
	})
}

// telemetryShare is the exporter's time over the process's CPU time. It errs to
// more: the exporter may wait without computing.
func telemetryShare(s *controller.Sample) (float64, bool) {
	t, ok := s.Totals[catalog.TelemetrySeconds]
	cpu := s.Totals[controller.CPUSeconds]
	if !ok || cpu <= 0 {
		return 0, false
	}
	return t / cpu, true
}

// missCurve says what caches of the known sizes would miss.
func missCurve(s *controller.Sample) string {
	text := ""
	for _, n := range catalog.MissRatioSizes() {
		if v, ok := s.Gauges[catalog.CacheMissRatio(n)]; ok {
			if text == "" {
				text = "; a cache would miss "
			} else {
				text += ", "
			}
			text += fmt.Sprintf("%.3g %% with %d entries", 100*v, n)
		}
	}
	return text
}

// signalFor is what the signals say of an optimization, or "".
func signalFor(s *controller.Sample, optimization string) string {
	for _, sig := range signalsOf(s) {
		for _, name := range sig.Optimizations {
			if name == optimization {
				return sig.Text
			}
		}
	}
	return ""
}
