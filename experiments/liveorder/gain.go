package liveorder

import (
	"math"
	"slices"

	"autotune/controller"
)

// gainOf is the mean reduction of the goals, log units, in the middle of the pairs.
func gainOf(check []controller.Compared) float64 {
	sum := 0.0
	for _, c := range check {
		sum -= math.Log1p(c.Effect)
	}
	return sum / float64(max(len(check), 1))
}

// worthTiming is the least gain that is looked for, log units: what the controller
// takes as an effect worth having.
const worthTiming = 0.03

// enough is the share of the largest gain that is asked for.
const enough = 0.9

// bar is what a workload's yardstick came to.
type bar struct {
	best, least *Session // the largest gain, and the smallest setting with enough of it
}

// worth reports whether there is anything to gain: shown on some goal, worse on
// none, and large enough.
func (b bar) worth() bool {
	if b.best == nil || gainOf(b.best.Check) < worthTiming {
		return false
	}
	verdict := func(v string) bool {
		return slices.ContainsFunc(b.best.Check, func(c controller.Compared) bool { return c.Verdict == v })
	}
	return verdict("better") && !verdict("worse")
}

// switches that a setting turns on.
func (p *Plan) switches() []string { return switchesOn(controller.SettingOf(p.Values)) }

// barOf a workload, of its sessions.
func barOf(sessions []Session) bar {
	var b bar
	for i := range sessions {
		s := &sessions[i]
		if s.Plan.Arm == measure && (b.best == nil || gainOf(s.Check) > gainOf(b.best.Check)) {
			b.best = s
		}
	}
	if b.best == nil {
		return b
	}
	for i := range sessions {
		s := &sessions[i]
		if s.Plan.Arm != measure || gainOf(s.Check) < enough*gainOf(b.best.Check) {
			continue
		}
		if b.least == nil || len(s.Plan.switches()) < len(b.least.Plan.switches()) {
			b.least = s
		}
	}
	return b
}

// reached is when a session has all of these switches for good, and whether it has;
// if not, its whole length.
func (s *Session) reached(switches []string) (seconds float64, ok bool) {
	seconds = s.Plan.Seconds
	for _, m := range s.Moves {
		has := !slices.ContainsFunc(switches, func(name string) bool { return !slices.Contains(m.On, name) })
		switch {
		case has && !ok:
			seconds, ok = math.Min(m.Seconds, s.Plan.Seconds), true
		case !has: // it had it, and gave it back
			seconds, ok = s.Plan.Seconds, false
		}
	}
	return seconds, ok
}

// gains are the moves to more switches than before.
func (s *Session) gains() (n int) {
	for i := 1; i < len(s.Moves); i++ {
		if slices.ContainsFunc(s.Moves[i].On, func(name string) bool { return !slices.Contains(s.Moves[i-1].On, name) }) {
			n++
		}
	}
	return n
}
