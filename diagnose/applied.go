package diagnose

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"autotune/catalog"
	"autotune/controller"
)

// applied is about a configuration that is asked for and not in force, or in force
// and without effect.
func applied(f *facts) (string, []Finding) {
	found := f.failing("apply", "a setting could not be applied", "an actuator refused it, or failed", "mend what the error names; trials of it end as apply-failed until then")
	if x, ok := f.panicked(); ok {
		found = append(found, x)
	}
	unread := f.failing("read back", "what is in force could not be read back", "an actuator's Get fails: without it no trial is sound", "mend what the error names")
	for i := range unread {
		if 2*f.fails["read back"].times > f.ticks {
			unread[i].What, unread[i].first = "no trial is possible: what is in force cannot be read back", true
		}
	}
	found = append(found, unread...)
	found = append(found, f.failing("record", "the journal could not be written", "the disk is full or broken, or another process holds the journal", "make room; trials go on by themselves, and the service was never held up")...)
	for _, check := range []func() (Finding, bool){f.deaf, f.notInForce, f.wonOver, f.withoutEffect, f.outOfBounds, f.held} {
		if x, ok := check(); ok {
			found = append(found, x)
		}
	}
	n := f.inForce.Len()
	if n == 0 {
		return notKnown + "no setting was read back yet", found
	}
	looked := fmt.Sprintf("%s read back", count(n, "knob"))
	if f.inForce.Equal(f.safe) {
		looked += ", all as asked for"
	}
	return looked, found
}

// panicked: the autopilot itself ended by a panic, of what it calls or of its own.
func (f *facts) panicked() (Finding, bool) {
	x := Finding{
		What: "the autopilot panicked and ended: the last kept setting was put back, and nothing is tried any more", first: true,
		Cause: "a knob's Get or Set, a policy, or the autopilot itself: the log has the stack at that moment",
		Next:  []string{"mend what the stack names, and restart the service: what was kept is in the journal"},
	}
	for _, p := range f.panics {
		x.Evidence = latest(x.Evidence, said(p.at, "panic: %s", sentence(p.what)), mostShown)
	}
	return x, len(x.Evidence) > 0
}

// deaf are candidates that were set and did not read back.
func (f *facts) deaf() (Finding, bool) {
	x := Finding{
		What: "what was tried did not take effect", Cause: "the actuator's Set does nothing, or its Get reads something else",
		Next: []string{"see that Get returns what is in force, not what was asked for, and that Set reaches the part that goes by it"},
	}
	for i := range f.trials {
		if t := &f.trials[i]; t.Reason == controller.ApplyFailed && !f.told(t.Detail) {
			x.Evidence = latest(x.Evidence, said(t.Ended, "trial %d, %s %s: %s", t.ID, t.Optimization, t.Move, sentence(t.Detail)), mostShown)
		}
	}
	return x, len(x.Evidence) > 0
}

// told reports whether a text is that of an error which has a finding of its own.
func (f *facts) told(text string) bool {
	for _, what := range []string{"apply", "read back"} {
		if x := f.fails[what]; x != nil && strings.Contains(text, x.text) {
			return true
		}
	}
	return false
}

// notInForce: at the end something else is in force than what was kept, and no
// trial explains it.
func (f *facts) notInForce() (Finding, bool) {
	advice := f.session != nil && f.session.Advise
	if f.running != nil || f.safe.IsZero() || f.inForce.IsZero() || advice {
		return Finding{}, false
	}
	var differ []string
	for name, v := range f.safe.All() {
		if now, ok := f.inForce.Get(name); ok && now != v {
			differ = append(differ, fmt.Sprintf("%s is %s instead of %s", name, f.setTo(name, now), f.setTo(name, v)))
		}
	}
	if len(differ) == 0 {
		return Finding{}, false
	}
	return Finding{
		What: "the kept setting is not in force", Evidence: []Evidence{said(f.to, "%s", strings.Join(differ, ", "))},
		Cause: "it is being put back, or an actuator does not do what it is told",
		Next:  []string{"if it lasts, mend the actuator of that knob: nothing is tried before the kept setting reads back"},
	}, true
}

// wonOver: the operator's configuration changed between two starts, and what was
// kept was not put back.
func (f *facts) wonOver() (Finding, bool) {
	x := Finding{
		What: "what was kept was not put back after a restart", Cause: "the configured values changed in between: then they win as a whole, since what was kept was shown against others",
		Next: []string{"nothing, if the change was meant: trials begin again from it", "to keep what was found, take it into the configuration: autotune config export JOURNAL"},
	}
	for _, o := range f.won {
		x.Evidence = latest(x.Evidence, said(o.at, "configured anew: %s", f.values(o)), mostShown)
	}
	return x, len(x.Evidence) > 0
}

// withoutEffect are numbers that the operator set whose switch is off.
func (f *facts) withoutEffect() (Finding, bool) {
	x := Finding{What: "numbers are configured that move nothing", Cause: "the switch that they belong to is off"}
	off := map[string]bool{}
	for name, v := range f.initial.All() {
		usual, ok := catalog.Default(name)
		k, known := f.knob(name)
		if !ok || !known || k.Needs == "" || v == usual || f.on(k.Needs) {
			continue
		}
		if _, there := f.knob(k.Needs); !there {
			continue
		}
		off[k.Needs] = true
		x.Evidence = append(x.Evidence, said(f.from, "%s is %s (default %s), and %s is off", name, f.setTo(name, v), f.setTo(name, usual), k.Needs))
	}
	if len(x.Evidence) == 0 {
		return x, false
	}
	if n := len(x.Evidence) - 2*mostShown; n > 0 {
		x.Evidence = append(x.Evidence[:2*mostShown], Evidence{Text: fmt.Sprintf("and %d more", n)})
	}
	x.Next = []string{"turn it on: " + strings.Join(slices.Sorted(maps.Keys(off)), ", ") + "; or let it be tried, which begins with the guide's numbers", "or leave the numbers out"}
	return x, true
}

// outOfBounds are knobs that no trial may move from the value that they have.
func (f *facts) outOfBounds() (Finding, bool) {
	x := Finding{
		What: "a knob is not tried: its value is outside its own bounds", Cause: "it was never limited, or its bounds are too narrow",
		Next: []string{"set a value within the bounds, in the service or by PinAt and Unpin, or offer the knob with others"},
	}
	if f.session == nil {
		return x, false
	}
	why := f.session.Stuck(f.safe)
	for _, name := range slices.Sorted(maps.Keys(why)) {
		x.Evidence = latest(x.Evidence, said(f.to, "%s %s", name, why[name]), 2*mostShown)
	}
	return x, len(x.Evidence) > 0
}

// held: nothing is tried because of who or what holds the autopilot.
func (f *facts) held() (Finding, bool) {
	x := Finding{What: "nothing is tried"}
	switch {
	case f.session != nil && f.session.Advise:
		x.Cause, x.Next = "advice mode: nothing is changed", []string{"start without Config.Advise to have it tried"}
		x.Evidence = []Evidence{said(f.to, "%s would be tried", count(len(f.advised), "change"))}
	case f.phase == controller.Paused:
		x.Evidence = []Evidence{said(f.to, "paused: %s", sentence(f.why))}
		switch {
		case len(f.breaches) > 0 && strings.HasPrefix(f.why, brokenLimit):
			x.Cause, x.Next = "a hard limit that the safe setting itself breaks: nobody to blame, and no room to try", []string{"bring the service below the limit, or set the limit (Config.Guards) where it belongs"}
		case f.byHand:
			x.Cause = "the operator: Pause, or enable_automatic_optimization off"
			x.Next = []string{"Resume, or set enable_automatic_optimization: true, live or in the configuration"}
		default:
			x.Cause, x.Next = "see above", []string{"it goes on by itself once the cause is gone"}
		}
	case f.nothingOffered() != "":
		x.Cause = "nothing that is offered may be tried"
		x.Evidence = []Evidence{said(f.to, "%s", f.nothingOffered())}
		x.Next = []string{"grant what may change results (Config.Grant), unpin, or offer more (Config.Offer)"}
	default:
		return x, false
	}
	return x, true
}

// nothingOffered says why nothing that is offered may be tried, or "".
func (f *facts) nothingOffered() string {
	if f.session == nil || len(f.trials) > 0 || f.running != nil || f.phase != controller.Idle && f.phase != controller.Ended {
		return ""
	}
	var barred []string
	for _, o := range f.session.Offered {
		switch {
		case slices.Contains(f.session.Pinned, o.Name), o.Switch != "" && slices.Contains(f.session.Pinned, o.Switch):
			barred = append(barred, o.Name+" is pinned")
		case o.Equivalence == controller.Bounded && !o.Granted:
			barred = append(barred, o.Name+" may change results and is not granted")
		case f.state != nil && f.state.Memory[o.Name].Quarantined != "":
			barred = append(barred, o.Name+" is in quarantine")
		default:
			return ""
		}
	}
	if len(barred) == 0 {
		return "nothing is offered"
	}
	return strings.Join(barred, "; ")
}
