package diagnose

import (
	"fmt"
	"strings"
	"time"

	"autotune/controller"
)

// soonAfter a trial is while what broke without its candidate may have broken with
// it as well.
const soonAfter = 2 * time.Minute

// mostShown trials of a finding are told one by one.
const mostShown = 3

// regression is the guide's "Performance Regression After Enabling Optimizations":
// which optimization it was, from the trials. The guide turns all off and then on
// one by one; a journal has done that.
func regression(f *facts) (string, []Finding) {
	var found []Finding
	told := map[string]int{} // finding of an optimization's move, and kind, from 1
	for i := range f.trials {
		t := &f.trials[i]
		kind, what := f.harm(t)
		if kind == "" {
			continue
		}
		key := t.Optimization + " " + t.Move + " " + kind
		if told[key] == 0 {
			found = append(found, Finding{What: what, Cause: f.harmCause(t, kind), Next: f.harmNext(t, kind)})
			told[key] = len(found)
		}
		x := &found[told[key]-1]
		if x.Evidence = append(x.Evidence, f.verdictOf(t)...); len(x.Evidence) > 2*mostShown {
			x.Evidence = append(x.Evidence[:mostShown], x.Evidence[len(x.Evidence)-mostShown:]...)
		}
	}
	if x, ok := f.degraded(); ok {
		found = append(found, x)
	}
	looked := fmt.Sprintf("%s that ended", count(len(f.trials), "trial"))
	if len(f.trials) > 0 {
		by := map[controller.Outcome]int{}
		for i := range f.trials {
			by[f.trials[i].Outcome]++
		}
		var parts []string
		for o := controller.Kept; o <= controller.Errored; o++ {
			if by[o] > 0 {
				parts = append(parts, fmt.Sprintf("%d %v", by[o], o))
			}
		}
		looked += ": " + strings.Join(parts, ", ")
	}
	return looked + "; " + count(len(f.alerts), "alert"), found
}

// harm says which kind of harm a trial showed, if any, and what happened.
func (f *facts) harm(t *controller.Trial) (kind, what string) {
	does := t.Optimization + " " + t.Move
	top := f.goals()[0].Metric
	switch {
	case t.Audit != 0:
		return "audit", fmt.Sprintf("%s, which rolls back what trial %d kept, is better: the keep turned out worse, and was taken back", does, t.Audit)
	case t.Outcome == controller.Reverted && t.Reason == controller.Worse && f.enables(t):
		return "worse", fmt.Sprintf("%s made %s worse, and was put back", does, named(top))
	case t.Outcome == controller.Aborted && t.Reason == controller.GuardTripped:
		return "guard", fmt.Sprintf("%s tripped a guard, and was withdrawn at once", does)
	case t.Outcome == controller.Aborted && t.Reason == controller.Crashed:
		return "crash", fmt.Sprintf("the process died while %s was in force", does)
	case t.Outcome == controller.Kept && t.Move == controller.MoveOff:
		return "off", fmt.Sprintf("%s is kept: on, it made things worse", does)
	}
	return "", ""
}

// enables reports whether a trial turned something on. That off is worse, or
// another number, is what a search is for, and no harm.
func (f *facts) enables(t *controller.Trial) bool {
	o, _ := f.optimization(t.Optimization)
	return t.Move == controller.MoveOn || o.Switch == "" && t.Move != controller.MoveOff && len(o.Knobs) > 0
}

// harmCause is the guide's "consider workload mismatch", with the signal that
// speaks for it where one was measured.
func (f *facts) harmCause(t *controller.Trial, kind string) string {
	switch kind {
	case "guard":
		for _, b := range f.breaches {
			if after := b.at.Sub(t.Ended); after >= 0 && after < soonAfter {
				return "perhaps not the candidate: without it a hard limit broke too, soon after (" + sentence(b.what) + ")"
			}
		}
		for _, b := range f.excused {
			if after := b.at.Sub(t.Ended); after >= 0 && after < soonAfter {
				return "not the candidate: without it the service was as slow right after (" + b.what + "), so it has bursts of its own"
			}
		}
		return "the candidate itself: no guard tripped without it"
	case "crash":
		return "unknown: a journal cannot tell a crash that the candidate caused from one that met it. The careful side is taken"
	case "audit":
		return "the keep was a false one, or what it gained is gone: the load or the data changed since"
	}
	cause := "the workload does not suit " + t.Optimization
	if o, ok := f.optimization(t.Optimization); ok && o.Why != "" {
		cause += ", whose promise is: " + sentence(o.Why)
	}
	if s := signalFor(&f.safeSeen, t.Optimization); s != "" {
		cause += "; measured: " + s
	}
	return cause
}

func (f *facts) harmNext(t *controller.Trial, kind string) []string {
	o, _ := f.optimization(t.Optimization)
	leave := "nothing now: it is not in force"
	if kind == "off" {
		leave = fmt.Sprintf("set %s: false in the configuration, so that a start does not begin with it", o.Switch)
	} else if o.Switch != "" && f.on(o.Switch) && t.Move == controller.MoveOn {
		leave = fmt.Sprintf("%s is on all the same: a later trial kept it; its audits go on", o.Switch)
	}
	next := []string{leave}
	key := t.Optimization
	if f.state != nil {
		switch m := f.state.Memory[key]; {
		case m.Quarantined != "":
			next = append(next, "it is in quarantine and not tried again: "+sentence(m.Quarantined)+". A fresh journal folder is the way out, once the cause is mended")
		case m.CoolUntil.After(f.to):
			earlier := ""
			if m.EndsWithBuild() {
				earlier = ", or with another build"
			}
			next = append(next, "it is tried again after "+when(m.CoolUntil)+earlier+"; to rule that out, pin it (Config.Pinned)")
		}
	}
	if len(o.Knobs) > 0 && kind != "crash" {
		var numbers []string
		for _, name := range o.Knobs {
			if v, ok := f.now().Get(name); ok {
				numbers = append(numbers, name+" ("+f.setTo(name, v)+")")
			}
		}
		if len(numbers) > 0 {
			next = append(next, "if you want it nevertheless, adjust "+strings.Join(numbers, ", "))
		}
	}
	return next
}

// verdictOf is a trial as evidence: the effect on the goal that decided, or what
// ended it.
func (f *facts) verdictOf(t *controller.Trial) []Evidence {
	name := fmt.Sprintf("trial %d", t.ID)
	if t.Audit != 0 {
		name = fmt.Sprintf("audit %d of trial %d", t.ID, t.Audit)
	}
	var out []Evidence
	for _, e := range t.Effects {
		if t.Pairs == 0 {
			break
		}
		decided := t.Outcome == controller.Kept && e.Better >= e.BetterAt || e.WorseAt > 0 && e.Worse >= e.WorseAt || t.Audit != 0
		if decided || e.Low > 0 || e.High < 0 {
			out = append(out, Evidence{
				Text: fmt.Sprintf("%s: %s %s", name, named(e.Metric), between(e.Change, e.Low, e.High, t.Pairs)), At: t.Ended,
				Metric: e.Metric, Value: e.Change, Low: e.Low, High: e.High, Pairs: t.Pairs,
			})
		}
	}
	if len(out) == 0 {
		out = append(out, said(t.Ended, "%s, %v, after %s and %s: %s", name, t.Reason, count(t.Pairs, "pair"), clock(max(t.Ended.Sub(t.Started), 0)), sentence(t.Detail)))
	}
	return out[:min(len(out), mostShown)]
}

// degraded are the alerts that came soon after a keep: the one sort of regression
// that no trial shows.
func (f *facts) degraded() (Finding, bool) {
	var x Finding
	suspects := map[int]bool{}
	for i := range f.alerts {
		a := &f.alerts[i]
		if a.kept == 0 {
			continue
		}
		suspects[a.kept] = true
		x.Evidence = latest(x.Evidence, f.alertOf(a), mostShown)
	}
	if len(suspects) == 0 {
		return x, false
	}
	var names []string
	for i := range f.trials {
		if t := &f.trials[i]; suspects[t.ID] {
			names = append(names, fmt.Sprintf("%s %s (trial %d)", t.Optimization, t.Move, t.ID))
		}
	}
	x.What = "the goals got worse than expected soon after something was kept"
	x.Cause = "perhaps " + strings.Join(names, ", ") + "; as likely load, data or a neighbor: an alert compares with before, which no experiment does"
	x.Next = []string{
		"wait for the next trial of it: it was taken back, and is judged again at the new level",
		"if the goals stay worse without it, look outside: deployments, data, neighbors at that time",
	}
	return x, true
}

func (f *facts) alertOf(a *alert) Evidence {
	e := said(a.at, "%s %s over %s, %s expected: %s", named(a.Metric), figure(a.Metric, a.Value), clock(a.Over), figure(a.Metric, a.Expected), change(a.Value/a.Expected-1))
	e.Metric, e.Value, e.OverSeconds = a.Metric, a.Value, a.Over.Seconds()
	return e
}

// sentence is a text from a journal without the period at its end, on one line.
func sentence(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if s == "" {
		return "no reason was recorded"
	}
	return strings.TrimSuffix(s, ".")
}
