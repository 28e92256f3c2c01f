package terminal

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"autotune"
	"autotune/controller"
)

// Decision says in one line how a trial ended, and why: "kept
// enable_cache_optimization on: latency_p95_seconds -62 % (-71 % to -50 %)
// after 9 pairs".
func Decision(t controller.Trial) string {
	head := t.Outcome.String() + " " + name(&t)
	if t.Audit != 0 && t.Outcome == controller.Kept {
		head = fmt.Sprintf("rolled back what trial %d kept, %s", t.Audit, name(&t))
	}
	why := because(&t)
	effect := ""
	switch e, ok := deciding(&t); {
	case t.Pairs == 0:
	case !ok || !bounded(e.Low, e.High):
		effect = "after " + pairs(t.Pairs)
	default:
		effect = fmt.Sprintf("%s %s %s after %s", e.Metric, percent(e.Change), interval(e.Low, e.High), pairs(t.Pairs))
	}
	switch {
	case why == "" && effect == "":
		return clean(head)
	case why == "":
		return clean(head + ": " + effect)
	case effect == "":
		return clean(head + ": " + why)
	}
	return clean(head + ": " + why + "; " + effect)
}

// because is the reason in words, empty where the effect says it all.
func because(t *controller.Trial) string {
	words := ""
	switch t.Reason {
	case controller.Better:
		return ""
	case controller.Worse:
		return "worse"
	case controller.NoEffect:
		return "no effect worth having"
	case controller.Undecidable:
		return "the pairs left could not decide it"
	case controller.Timeout:
		return "not decided in its pairs"
	case controller.GuardTripped:
		words = "a guard"
	case controller.NoData:
		words = "too little to measure"
	case controller.ExternalChange:
		words = "a knob was changed from outside"
	case controller.ApplyFailed:
		words = "could not be set"
	case controller.ObserveFailed:
		words = "could not be observed"
	case controller.Stopped:
		words = "stopped"
	case controller.Pinned:
		words = "pinned by the operator"
	case controller.RecordFailed:
		words = "the journal could not be written"
	case controller.Crashed:
		words = "the process died while it was in force"
	case controller.Holds:
		words = "nothing speaks against what is kept"
	case controller.Degradation:
		words = "the goals got worse than expected"
	default:
		words = t.Reason.String()
	}
	if t.Detail != "" {
		words += " (" + t.Detail + ")"
	}
	return words
}

// deciding is the effect that a decision rests on: the goal shown better for
// what was kept, the one with most evidence for what an audit rolled back, else
// the top goal.
func deciding(t *controller.Trial) (controller.Effect, bool) {
	if len(t.Effects) == 0 {
		return controller.Effect{}, false
	}
	if t.Audit != 0 {
		return slices.MaxFunc(t.Effects, func(a, b controller.Effect) int { return cmp.Compare(a.Better, b.Better) }), true
	}
	if t.Outcome == controller.Kept {
		for _, e := range t.Effects {
			if e.BetterAt > 0 && e.Better >= e.BetterAt {
				return e, true
			}
		}
	}
	return t.Effects[0], true
}

// begins tells of a trial at its start.
func begins(t *controller.Trial) string {
	if t.Audit != 0 {
		return clean(fmt.Sprintf("audit of trial %d: %s, at most %s", t.Audit, name(t), pairs(t.Cap)))
	}
	text := fmt.Sprintf("trial %d: %s, at most %s", t.ID, name(t), pairs(t.Cap))
	if t.Why != "" {
		text += ": " + t.Why
	}
	return clean(text)
}

// advises tells what advice mode would try.
func advises(a *controller.Advice) string {
	text := "would try " + name(&controller.Trial{Optimization: a.Optimization, Move: a.Move}) + " (" + a.ID + ")"
	if a.Why != "" {
		text += ": " + a.Why
	}
	return clean(text)
}

// alarms says an alert; "" for one that is told as a decision or as a phase.
func alarms(a *autotune.Alert) string {
	switch a.Kind {
	case autotune.AlertGuard, autotune.AlertRollback, autotune.AlertPaused:
		return ""
	}
	return "alert: " + clean(string(a.Kind)) + ": " + clean(a.Message)
}

// state is the phase and why, without what the trial's own line says.
func state(s *controller.Status) string {
	text, why := s.Phase.String(), s.Why
	switch {
	case s.Phase == 0:
		return "starting"
	case s.Phase == controller.Measuring && why == "":
		why = "noise"
	case s.Trial != nil && (s.Phase == controller.Settling || s.Phase == controller.Trying):
		why = strings.TrimPrefix(why, fmt.Sprintf("trial %d, %s %s, ", s.Trial.ID, s.Trial.Optimization, s.Trial.Move))
	}
	if why != "" {
		text += ": " + why
	}
	return clean(text)
}

// standing tells how the controller is doing when there is no trial.
func standing(s *controller.Status) string {
	text := state(s)
	if s.Phase == controller.Measuring {
		text += fmt.Sprintf(" (%d of %d done)", s.Measured, s.MeasuredOf)
	}
	if s.Phase == controller.Idle && len(s.Audits) > 0 {
		next := slices.MinFunc(s.Audits, func(a, b controller.AuditStatus) int { return a.Due.Compare(b.Due) })
		text += fmt.Sprintf("; next of %d audits in %s", len(s.Audits), span(max(next.Due.Sub(s.At), 0)))
	}
	return text
}

// progress tells how a trial stands: the sign of life of a plain view.
func progress(t *controller.Trial) string {
	text := fmt.Sprintf("trial %d: %s, %d of %s", t.ID, name(t), t.Pairs, pairs(t.Cap))
	if t.Audit != 0 {
		text = fmt.Sprintf("audit of trial %d: %s, %d of %s", t.Audit, name(t), t.Pairs, pairs(t.Cap))
	}
	if len(t.Effects) == 0 || t.Pairs == 0 {
		return clean(text)
	}
	// The top goal, and another one if that is nearer to a keep.
	nearest := 0
	for i, e := range t.Effects {
		if near := t.Effects[nearest]; towards(e.Better, e.BetterAt) > towards(near.Better, near.BetterAt) {
			nearest = i
		}
	}
	for i, e := range t.Effects {
		if i != 0 && i != nearest {
			continue
		}
		text += fmt.Sprintf("; %s %s %s, evidence better %s of %s", e.Metric, percent(e.Change), interval(e.Low, e.High),
			evalue(e.Better), evalue(e.BetterAt))
		if e.WorseAt > 0 {
			text += fmt.Sprintf(", worse %s of %s", evalue(e.Worse), evalue(e.WorseAt))
		}
	}
	return clean(text)
}

// kept lists what differs between the initial setting and the last kept one.
// Knobs that are, or look like, switches are on or off.
func kept(s *controller.Status) []string {
	switches := map[string]bool{}
	note := func(t *controller.Trial) {
		if t.Move == controller.MoveOn || t.Move == controller.MoveOff {
			switches[t.Optimization] = true
		}
	}
	for i := range s.Ended {
		note(&s.Ended[i])
	}
	if s.Trial != nil {
		note(s.Trial)
	}
	var on, numbers []string
	diff := s.Initial.Diff(s.Safe)
	names := make([]string, 0, len(diff))
	for n := range diff {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		v := diff[n]
		switch {
		case (v == 0 || v == 1) && (switches[n] || strings.HasPrefix(n, "enable_")):
			on = append(on, clean(n)+map[float64]string{0: " off", 1: " on"}[v])
		default:
			text := fmt.Sprintf("%s %.6g", clean(n), v)
			if was, ok := s.Initial.Get(n); ok {
				text += fmt.Sprintf(" (was %.6g)", was)
			}
			numbers = append(numbers, text)
		}
	}
	return append(on, numbers...)
}

// tally counts outcomes: "4: 1 kept, 1 reverted, 2 inconclusive", and what
// audits rolled back.
func tally(ended []controller.Trial) string {
	by, back := map[controller.Outcome]int{}, 0
	for _, t := range ended {
		if t.Audit != 0 {
			back++
			continue
		}
		by[t.Outcome]++
	}
	var parts []string
	for o := controller.Kept; o <= controller.Errored; o++ {
		if by[o] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", by[o], o))
		}
	}
	if back > 0 {
		parts = append(parts, fmt.Sprintf("%d rolled back", back))
	}
	return fmt.Sprintf("%d: %s", len(ended)-back, strings.Join(parts, ", "))
}
