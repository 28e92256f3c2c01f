package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"autotune/catalog"
	"autotune/controller"
)

// mostAbsent is the share of ticks in which a goal may be missing: a tick without
// a request has no latency, which is no fault.
const mostAbsent = 0.5

// metrics is about what decisions need and is not measured.
func metrics(f *facts) (string, []Finding) {
	if f.ticks == 0 {
		return notKnown + "no tick was observed under the safe setting", f.failing("observe", "nothing could be observed",
			"a sensor or the target's Observe fails", "mend what the error names; until then nothing is tried")
	}
	found := f.failing("observe", "observing the service failed", "a sensor or the target's Observe fails", "mend what the error names")
	if x, ok := f.missingGoals(); ok {
		found = append(found, x)
	}
	if x, ok := f.noRequests(); ok {
		found = append(found, x)
	}
	if x, ok := f.noExecutions(); ok {
		found = append(found, x)
	}
	if x, ok := f.unjudged(); ok {
		found = append(found, x)
	}
	var parts []string
	for _, g := range f.goals() {
		parts = append(parts, fmt.Sprintf("%s in %d of %s", g.Metric, f.present[g.Metric], count(f.ticks, "tick")))
	}
	return strings.Join(parts, ", "), found
}

// failing is a finding about something that fails again and again.
func (f *facts) failing(what, says, cause, next string) []Finding {
	x, ok := f.fails[what]
	if !ok {
		return nil
	}
	e := said(x.first, "%s failed: %s", what, sentence(x.text))
	if x.times > 1 {
		e = said(x.first, "%s failed %d times until %s, at last with: %s; first", what, x.times, when(x.last), sentence(x.text))
	}
	return []Finding{{What: says, Cause: cause, Next: []string{next}, Evidence: []Evidence{e}}}
}

// missingGoals are goals that were measured in few ticks, while there were requests.
func (f *facts) missingGoals() (Finding, bool) {
	x := Finding{What: "a goal is not measured: it takes no part in decisions"}
	var latency, cpu bool
	for _, g := range f.goals() {
		if n := f.present[g.Metric]; float64(n) < mostAbsent*float64(f.ticks) && !f.idle() {
			x.Evidence = append(x.Evidence, Evidence{Text: fmt.Sprintf("%s in %d of %s", g.Metric, n, count(f.ticks, "tick")), Metric: g.Metric, Value: float64(n)})
			latency = latency || strings.HasPrefix(string(g.Metric), "latency_")
			cpu = cpu || strings.HasPrefix(string(g.Metric), string(controller.CPUSeconds))
		}
	}
	if len(x.Evidence) == 0 {
		return x, false
	}
	x.Cause = "the target's samples do not have it"
	switch {
	case latency && f.present[controller.Requests] == 0:
		x.Cause = "no request is recorded: the service has no recorder"
		x.Next = []string{"wrap the service's handler in nethttp.Middleware(pilot.Recorder(), ...), or call the recorder yourself"}
	case latency:
		x.Cause = "requests begin, and their ends are not recorded"
		x.Next = []string{"see that whatever begins a request in the recorder ends it"}
	case cpu:
		x.Cause = "CPU time cannot be read on this system"
	}
	x.Next = append(x.Next, "or name goals that are measured: Config.Goals")
	return x, true
}

// idle reports whether hardly any tick had a request.
func (f *facts) idle() bool {
	rate, ok := f.value(controller.Requests + "_per_second")
	return ok && rate*f.safeSeen.Over.Seconds() < float64(f.ticks)/2
}

func (f *facts) noRequests() (Finding, bool) {
	if !f.idle() {
		return Finding{}, false
	}
	n := f.safeSeen.Totals[controller.Requests]
	return Finding{
		What: "hardly any requests come",
		Evidence: []Evidence{{
			Text: fmt.Sprintf("%.0f requests in %s", n, clock(f.safeSeen.Over)), Metric: controller.Requests, Value: n, OverSeconds: f.safeSeen.Over.Seconds(),
		}},
		Cause: "no load, or load that goes past the recorder",
		Next:  []string{"send the load that the service is to be tuned for", "if there is load, see that its handler is the one that nethttp.Middleware wraps"},
	}, true
}

// noExecutions: requests come, the executor runs nothing, and there is nothing else
// to try.
func (f *facts) noExecutions() (Finding, bool) {
	n, ok := f.safeSeen.Totals[catalog.Executions]
	requests := f.safeSeen.Totals[controller.Requests]
	if !ok || n > 0 || requests < 100 || f.idleExecutor() {
		return Finding{}, false
	}
	return Finding{
		What: "the executor runs nothing: its optimizations can change nothing",
		Evidence: []Evidence{{
			Text: fmt.Sprintf("0 executions in %.0f requests, over %s", requests, clock(f.safeSeen.Over)), Metric: catalog.Executions, OverSeconds: f.safeSeen.Over.Seconds(),
		}},
		Cause: "no step is bound to the autopilot's executor, or the handlers do not run it",
		Next:  []string{"bind the expensive parts of a request with executor.NewStep(pilot.Executor(), ...), and call their Run"},
	}, true
}

// unjudged are optimizations that need a metric which was never measured.
func (f *facts) unjudged() (Finding, bool) {
	if f.session == nil || f.idle() {
		return Finding{}, false
	}
	missing := map[controller.Metric][]string{}
	for _, o := range f.session.Offered {
		for _, m := range o.Needs {
			if _, ok := f.value(m); !ok {
				missing[m] = append(missing[m], o.Name)
			}
		}
	}
	if len(missing) == 0 {
		return Finding{}, false
	}
	x := Finding{
		What: "optimizations cannot be judged for want of a metric", Cause: "they need it to be judged, and no sample has it",
		Next: []string{"mend what should measure it, or offer without them: Config.Offer"},
	}
	names := make([]controller.Metric, 0, len(missing))
	for m := range missing {
		names = append(names, m)
	}
	slices.Sort(names)
	for _, m := range names {
		x.Evidence = append(x.Evidence, Evidence{Text: fmt.Sprintf("%s was never measured: %s", m, strings.Join(missing[m], ", ")), Metric: m})
	}
	return x, true
}
