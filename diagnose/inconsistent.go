package diagnose

import (
	"fmt"
	"math"
	"strings"

	"autotune/catalog"
	"autotune/controller"
)

const (
	// noisy is the scale of the differences between neighboring blocks, in log
	// units, from which a change of 10 % takes more than some thirty pairs.
	noisy = 0.25
	// leastDiffs without which no noise is told: the controller measures 21.
	leastDiffs = 7
	// byLoad is the share of that noise that arrivals must explain to be its cause.
	byLoad = 0.3
	// mostSteal is the share of time taken by other machines that disturbs.
	mostSteal = 0.02
	// mostUndecided is the share of trials without a decision that is too many.
	mostUndecided = 0.5
)

// inconsistent is the guide's "Inconsistent Performance".
func inconsistent(f *facts) (string, []Finding) {
	top := f.goals()[0].Metric
	var parts []string
	noise, n := f.track.noise(top)
	if n >= leastDiffs {
		parts = append(parts, fmt.Sprintf("%s of neighboring blocks of %s differs by %.3g %% (%s)", named(top), clock(f.track.length), 100*math.Expm1(noise), count(n, "difference")))
	} else {
		parts = append(parts, fmt.Sprintf("no noise, from %s of neighboring blocks", count(n, "difference")))
	}
	var found []Finding
	if x, ok := f.noise(top, noise, n); ok {
		found = append(found, x)
	}
	p, looked := f.track.period(top)
	if looked != "" {
		parts = append(parts, looked)
	}
	if p.found {
		found = append(found, f.periodic(top, p))
	}
	for _, check := range []func() (Finding, bool){f.changedOutside, f.restarts, f.worseWithoutCause, f.undecided} {
		if x, ok := check(); ok {
			found = append(found, x)
		}
	}
	parts = append(parts, count(len(f.outside), "change")+" from outside", count(f.starts, "start"))
	looked = strings.Join(parts, "; ")
	if n < leastDiffs && len(found) == 0 {
		looked = notKnown + looked
	}
	return looked, found
}

func (f *facts) noise(top controller.Metric, noise float64, n int) (Finding, bool) {
	if n < leastDiffs || noise < noisy {
		return Finding{}, false
	}
	x := Finding{
		What: fmt.Sprintf("%s varies much from one block to the next", named(top)),
		Evidence: []Evidence{{
			Text:   fmt.Sprintf("%s of neighboring blocks of %s differs by %.3g %% (1.48 times the median of %s)", named(top), clock(f.track.length), 100*math.Expm1(noise), count(n, "difference")),
			Metric: top, Value: math.Expm1(noise), OverSeconds: f.safeSeen.Over.Seconds(),
		}},
		Cause: "not known: nothing that was measured goes with it",
		Next:  []string{"compare longer blocks: Config.Timing.Measure above " + clock(f.track.length)},
	}
	if share := f.track.loadShare(top); share >= byLoad {
		x.Cause = fmt.Sprintf("load: arrivals explain %.0f %% of the differences", 100*share)
		if f.session != nil && !f.session.OpenLoop {
			x.Next = append([]string{"say Config.OpenLoop if clients do not wait for answers: then what load does is taken out"}, x.Next...)
		}
	}
	for _, c := range []struct {
		m     controller.Metric
		least float64
		cause string
	}{
		{hostSteal, mostSteal, "other machines on the same hardware"},
		{throttled, mostThrottled, "the container's CPU quota"},
		{hostCPU, busyHost, "a host whose processors are full"},
	} {
		if v, ok := f.value(c.m); ok && v >= c.least {
			x.Evidence = append(x.Evidence, f.measured(c.m, v, ""))
			x.Cause = c.cause
			break
		}
	}
	if rate, ok := f.value(controller.Requests + "_per_second"); ok {
		per := rate * f.track.length.Seconds()
		x.Evidence = append(x.Evidence, f.measured(controller.Requests+"_per_second", rate, fmt.Sprintf(": %.0f in a block", per)))
		if strings.HasPrefix(string(top), "latency_p9") && per < 400 {
			x.Next = append(x.Next, "or judge by a goal that few requests say more of: latency_mean_seconds, cpu_seconds_per_request")
		}
	}
	if b, ok := f.value(catalog.ErrorBursts); ok && b > 0 {
		x.Evidence = append(x.Evidence, f.measured(catalog.ErrorBursts, b, ""))
	}
	return x, true
}

func (f *facts) periodic(top controller.Metric, p period) Finding {
	x := Finding{
		What: fmt.Sprintf("%s goes up and down with a period of %s", named(top), clock(p.length)),
		Evidence: []Evidence{{
			Text: fmt.Sprintf("a wave of ±%.3g %% explains %.0f %% of the variance, over %.1f periods; by chance in %.2g of such series",
				100*math.Expm1(p.amplitude), 100*p.share, p.cycles, p.chance),
			Metric: top, Value: math.Expm1(p.amplitude), OverSeconds: p.cycles * p.length.Seconds(),
		}},
		Cause: "something that acts at that interval: a scheduled job, a cache that expires, a collector, or the load itself",
		Next:  []string{"find what runs every " + clock(p.length) + "; the autopilot's coins keep it out of decisions, not out of your latencies"},
	}
	for name, v := range f.now().All() {
		if k, ok := f.knob(name); ok && k.Kind == controller.Duration && v > 0 && math.Abs(math.Log(v/p.length.Seconds())) < 0.1 && (k.Needs == "" || f.on(k.Needs)) {
			x.Cause = fmt.Sprintf("perhaps %s, which is %s", name, f.setTo(name, v))
			x.Next = append([]string{fmt.Sprintf("move %s, and see whether the period moves with it", name)}, x.Next...)
		}
	}
	return x
}

func (f *facts) changedOutside() (Finding, bool) {
	if len(f.outside) == 0 {
		return Finding{}, false
	}
	x := Finding{
		What:  count(len(f.outside), "change") + " came from outside while the autopilot worked",
		Cause: "somebody or something else sets the same knobs: an operator, a deployment, another tuner",
		Next:  []string{"let one of them do it: pin those knobs (Config.Pinned), or stop the other", "what was changed is adopted and stays; trials that it met were given up"},
	}
	for _, o := range f.outside {
		x.Evidence = latest(x.Evidence, said(o.at, "set from outside: %s", f.values(o)), mostShown)
	}
	return x, true
}

// values are those of a change, for people.
func (f *facts) values(o outside) string {
	var out []string
	for _, name := range o.names() {
		out = append(out, name+" "+f.setTo(name, o.changed[name]))
	}
	return strings.Join(out, ", ")
}

// leastDeaths without which a process that was killed is no pattern.
const leastDeaths = 2

func (f *facts) restarts() (Finding, bool) {
	if len(f.deaths) < leastDeaths {
		return Finding{}, false
	}
	x := Finding{
		What:  "the process dies soon after its start",
		Cause: "not in a journal: look into the service's own log. After three such deaths in a row what was kept last is taken back",
		Next:  []string{"find out why it ends before tuning anything: a service that is just warming up is another one"},
	}
	for _, at := range f.deaths {
		x.Evidence = latest(x.Evidence, said(at, "heard of for the last time, less than ten minutes after its start"), mostShown)
	}
	x.Evidence = append(x.Evidence, Evidence{Text: fmt.Sprintf("%d of %s ended so", len(f.deaths), count(f.starts, "start"))})
	return x, true
}

// worseWithoutCause are alerts that no keep can be blamed for.
func (f *facts) worseWithoutCause() (Finding, bool) {
	var x Finding
	for i := range f.alerts {
		if a := &f.alerts[i]; a.kept == 0 {
			x.Evidence = latest(x.Evidence, f.alertOf(a), mostShown)
		}
	}
	if len(x.Evidence) == 0 {
		return x, false
	}
	x.What = "the goals got worse than expected, and nothing was kept shortly before"
	x.Cause = "outside of what the autopilot moves: load, data, a deployment, a neighbor"
	x.Next = []string{"look at what changed at that time", "if it is meant to stay, nothing: what is expected has been measured anew"}
	return x, true
}

// undecided are trials that took their pairs and ended without a decision.
func (f *facts) undecided() (Finding, bool) {
	var open []*controller.Trial
	trials, pairs := 0, 0
	for i := range f.trials {
		t := &f.trials[i]
		if t.Audit != 0 || t.Interrupted() {
			continue
		}
		trials++
		if t.Reason == controller.Undecidable || t.Reason == controller.Timeout {
			open = append(open, t)
			pairs += t.Pairs
		}
	}
	if len(open) < 2 || float64(len(open)) < mostUndecided*float64(trials) {
		return Finding{}, false
	}
	x := Finding{
		What:     fmt.Sprintf("%d of %s ended undecided", len(open), count(trials, "trial")),
		Evidence: []Evidence{{Text: fmt.Sprintf("%d of %s undecided, in %s", len(open), count(trials, "trial"), count(pairs, "pair"))}},
		Cause:    "too few pairs for this noise: effects as small as were looked for take more",
		Next:     []string{"give a trial more pairs (Config.Budget.MaxPairs), or the session more time (Budget.Until)", "or look for larger effects only: Goal.MinEffect"},
	}
	for _, t := range open[max(0, len(open)-mostShown):] {
		e := said(t.Ended, "trial %d, %s %s: %s of %d, planned for the smallest effect worth having: %d", t.ID, t.Optimization, t.Move, count(t.Pairs, "pair"), t.Cap, t.Planned)
		x.Evidence = append(x.Evidence, e)
	}
	return x, true
}
