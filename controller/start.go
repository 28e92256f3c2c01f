package controller

import (
	"fmt"
	"slices"
	"strings"
)

// checkState refuses, with one line, a state that this code or this space
// cannot go on from. A knob that is gone but was never moved is no loss.
func checkState(s *State, space Space) error {
	if s.Version != StateVersion {
		return fmt.Errorf("journal state: version %d: this program reads version %d; start with an empty journal folder", s.Version, StateVersion)
	}
	for name, v := range s.Safe.All() {
		if _, ok := space.Knob(name); ok {
			continue
		}
		if was, ok := s.Initial.Get(name); !ok || was != v {
			return fmt.Errorf("journal state: knob %s: kept at %v, and this service has no such knob; offer it again or start with an empty journal folder", name, v)
		}
	}
	return nil
}

// CannotBeRead begins the note that nothing begins yet: why follows.
const CannotBeRead = "read the setting in force: "

// stepStarting waits for the first read-back. What is found in force is the
// initial setting: a first start moves nothing.
func (c *Controller) stepStarting(in *Input) {
	if in.Ask == Stop || in.Ask == StopToInitial {
		c.enter(Ended, "stopped before it started")
		return
	}
	switch in.Ask {
	case Pause:
		c.held = true
	case Resume:
		c.held = false
	}
	if in.ReadErr != "" || in.Current.IsZero() {
		if c.why == "" {
			c.note(CannotBeRead+"%s", in.ReadErr)
			c.why = "the setting in force cannot be read: " + in.ReadErr
		}
		return
	}
	c.started = c.now
	c.want, c.inForce = in.Current, in.Current
	c.state.Initial, c.state.Safe = in.Current, in.Current
	c.state.Regime.Build = c.cfg.Build
	if c.cfg.State != nil {
		c.takeUp(c.cfg.State, in.Current)
	}
	for _, t := range c.state.Trials {
		c.cfg.Policy.Learn(t)
	}
	c.tellStuck(c.state.Safe)
	c.recordState()
	if c.state.Safe.Equal(in.Current) {
		c.resume()
		return
	}
	c.beginRestore("the last kept setting, from the journal")
}

// takeUp goes on from an earlier run. The kept setting is put back, unless the
// operator's own configuration changed since: then that wins as a whole, since
// what was kept was shown against another configuration.
func (c *Controller) takeUp(old *State, current Setting) {
	c.state.Wealth, c.state.Stream, c.state.NextTrial = old.Wealth, old.Stream, max(old.NextTrial, 1)
	c.state.Trials = slices.Clone(old.Trials)
	c.state.Keeps, c.state.Past = cloneKeeps(old.Keeps), slices.Clone(old.Past)
	c.state.Wishes = old.Wishes.clone()
	for k, v := range old.Memory {
		c.state.Memory[k] = v
	}
	for k, v := range old.Spent {
		c.state.Spent[k] = v
	}
	// A target that outlives the process may still have the candidate in force.
	// That is nobody's wish: the operator's value is the one before.
	if old.Running != nil {
		back := map[string]float64{}
		for name, v := range old.Running.Change {
			if now, _ := current.Get(name); now == v {
				if was, ok := old.Initial.Get(name); ok {
					back[name] = was
				}
			}
		}
		current = current.With(back)
		c.state.Initial, c.state.Safe = current, current
	}
	var changed []string
	kept := map[string]float64{}
	for name, now := range current.All() {
		was, known := old.Initial.Get(name)
		if known && was != now {
			changed = append(changed, fmt.Sprintf("%s %v -> %v", name, was, now))
		}
		safe, known := old.Safe.Get(name)
		if !known || safe == now || c.pinned(name) {
			continue
		}
		knob, _ := c.cfg.Space.Knob(name)
		if !knob.mayBe(safe) {
			low, high := knob.Bounds()
			c.note("kept %s %v is outside the limits in force now, %v..%v, or no longer a value of the knob: the operator's value stays", name, safe, low, high)
			continue
		}
		kept[name] = safe
	}
	if c.cfg.Advise {
		c.onlyApproved(kept)
	}
	switch {
	case len(changed) > 0:
		c.note("the operator's configuration changed since the last start (%s): it wins over the kept setting", strings.Join(changed, ", "))
		c.state.Spent, c.state.Keeps, c.state.Past = map[Metric]float64{}, nil, nil
	case len(kept) > 0:
		c.state.Safe = current.With(kept)
	}
	c.takeUpPins(old, current)
	c.pruneKeeps()
	c.takeUpRegime(old)
	c.countDeath(old)
	if old.Running != nil {
		t := *old.Running
		if t.Audit == 0 { // else the old value was in force, which served before
			c.quarantine(memoryKey(&t), fmt.Sprintf("the process died while trial %d had it in force", t.ID))
		}
		c.closeTrial(&t, Aborted, Crashed, "the process died while the candidate was in force")
	}
}

func (c *Controller) pinned(name string) bool { return slices.Contains(c.cfg.Pinned, name) }

// resume goes to what is next when nothing is in the way.
func (c *Controller) resume() {
	switch {
	case c.stopping:
		c.end(c.why)
	case c.isPaused():
		c.quiet, c.quietFor = 0, c.cfg.Timing.Washout+c.cfg.Timing.Measure
		c.wait = max(c.cfg.Timing.Tick, idleTick)
		if c.paused == notPaused {
			c.why = c.heldWhy()
		}
		c.enter(Paused, c.why)
	case !c.measured.done:
		c.beginMeasure()
	default:
		c.propose()
	}
}

// end is the last phase. A restart is told that this one was meant.
func (c *Controller) end(why string) {
	c.enter(Ended, why)
	c.state.Proven, c.state.Deaths = true, 0
	c.recordState()
}

// stop withdraws what is being tried and ends, with the safe or the initial
// setting in force.
func (c *Controller) stop(ask Ask) {
	c.stopping = true
	c.endTrial(Inconclusive, Stopped, "the autopilot was stopped")
	why := "stopped: the last kept setting stays in force"
	if ask == StopToInitial {
		why = "stopped: the initial setting is in force"
		c.state.Safe = c.state.Initial
		c.state.Spent = map[Metric]float64{} // by what is not in force any more
		c.pruneKeeps()
		c.recordState()
	}
	c.beginRestore(why)
}
