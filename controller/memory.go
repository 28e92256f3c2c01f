package controller

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// memoryKey names what a trial's outcome is remembered under: the optimization
// for turning it on, the exact values for anything else. So a failed larger
// cache does not keep a smaller one from being tried.
func memoryKey(t *Trial) string {
	if t.Move == MoveOn {
		return t.Optimization
	}
	var key []byte
	for i, name := range slices.Sorted(maps.Keys(t.Change)) {
		if i > 0 {
			key = append(key, ' ')
		}
		key = append(append(key, name...), '=')
		key = strconv.AppendFloat(key, t.Change[name], 'g', -1, 64)
	}
	return string(key)
}

// BlockKey is the key of View.Blocked for a proposal.
func (p Proposal) BlockKey() string {
	return memoryKey(&Trial{Optimization: p.Optimization, Move: p.Move, Change: p.Change})
}

// The cool-down after failures in a row, in lengths of the trial that failed.
var coolDown = [...]time.Duration{16, 32, 64}

// remember updates the memory of what was tried by how it ended.
func (c *Controller) remember(t *Trial) {
	key := memoryKey(t)
	m := c.state.Memory[key]
	before := m.Tried
	m.Tried++
	length := max(t.Ended.Sub(t.Started), c.layoutOf(t.Change).pair())
	switch {
	case t.Outcome == Kept:
		m.Failures, m.Strikes, m.CoolUntil, m.LeftAlone = 0, 0, time.Time{}, false
		c.cool(c.wayBack(t), t.Ended.Add(coolDown[0]*length), false) // it was just shown worse
	case t.Interrupted():
		m.Tried-- // says nothing about the candidate
	default:
		m.fail(t.Ended, length)
		if t.Outcome != Aborted {
			m.Strikes = 0
		}
	}
	c.state.Memory[key] = m
	if key != t.Optimization { // it counts as tried by any of its moves
		o := c.state.Memory[t.Optimization]
		o.Tried += m.Tried - before
		c.state.Memory[t.Optimization] = o
	}
}

// fail begins a cool-down, longer after each failure in a row.
func (m *Memory) fail(at time.Time, length time.Duration) {
	m.CoolUntil, m.LeftAlone = at.Add(coolDown[min(m.Failures, len(coolDown)-1)]*length), false
	m.Failures++
}

// EndsWithBuild reports whether another build ends the cool-down: if it rests on what
// was measured. What broke a hard limit, and what somebody wants left alone, waits.
func (m Memory) EndsWithBuild() bool { return !m.LeftAlone && m.Strikes == 0 && m.Blamed == 0 }

// warmUp ends the cool-downs that rest on what was measured on another build. What is
// worth a trial again is the policy's to say, by what it believes of it now.
func (c *Controller) warmUp() {
	for key, m := range c.state.Memory {
		if m.EndsWithBuild() {
			m.CoolUntil = time.Time{}
			c.state.Memory[key] = m
		}
	}
}

// wayBack is the key of the opposite move of a switch, or "".
func (c *Controller) wayBack(t *Trial) string {
	for _, o := range c.cfg.Offered {
		switch {
		case o.Name != t.Optimization || o.Switch == "":
		case t.Move == MoveOn:
			return o.Switch + "=0"
		case t.Move == MoveOff:
			return o.Name
		}
	}
	return ""
}

// cool keeps a candidate from being tried before a time, on another build too if
// somebody wants it left alone.
func (c *Controller) cool(key string, until time.Time, leftAlone bool) {
	if key == "" {
		return
	}
	m := c.state.Memory[key]
	m.LeftAlone = leftAlone || m.LeftAlone && m.CoolUntil.After(c.now)
	if m.CoolUntil.Before(until) {
		m.CoolUntil = until
	}
	c.state.Memory[key] = m
}

// respect keeps switches that somebody outside moved as they are for as long as
// the longest cool-down: nobody wants to be undone at once. To keep one for
// good, it is pinned.
func (c *Controller) respect(changed map[string]float64) {
	until := c.untilForgotten()
	c.heedInPast(changed)
	for _, o := range c.cfg.Offered {
		if _, moved := changed[o.Switch]; moved {
			c.cool(o.Name, until, true)
			c.cool(o.Switch+"=0", until, true)
		}
	}
}

// strike counts a guard abort that the safe setting did not share. Two in a row
// quarantine the candidate: a crash is not a failed experiment.
func (c *Controller) strike(key string) {
	m := c.state.Memory[key]
	m.Strikes++
	c.state.Memory[key] = m
	if m.Strikes >= 2 {
		c.quarantine(key, fmt.Sprintf("broke a hard limit %d times in a row", m.Strikes))
	}
	c.recordState()
}

func (c *Controller) quarantine(key, why string) {
	m := c.state.Memory[key]
	m.Quarantined = why
	c.state.Memory[key] = m
	c.note("%s: quarantined: %s", key, why)
}

// blocked says why things may not be tried now, by memory key.
func (c *Controller) blocked() map[string]string {
	out := map[string]string{}
	for key, m := range c.state.Memory {
		switch {
		case m.Quarantined != "":
			out[key] = "quarantined: " + m.Quarantined
		case m.CoolUntil.After(c.now):
			out[key] = "cooling down until " + m.CoolUntil.Format(time.TimeOnly)
		}
	}
	maps.Copy(out, c.refused)
	c.blockDeclined(out)
	for _, o := range c.cfg.Offered {
		if why := c.unfit(o); why != "" {
			out[o.Name] = why
		}
	}
	return out
}

// unfit says why an optimization may not be tried at all now, or "".
func (c *Controller) unfit(o Optimization) string {
	if why := c.heldFrom(o); why != "" {
		return why
	}
	return c.unsuited(o)
}

// unsuited says why an optimization may not be tried in this session, or "".
func (c *Controller) unsuited(o Optimization) string {
	if c.pinned(o.Name) || c.pinned(o.Switch) || slices.ContainsFunc(o.Knobs, c.pinned) {
		return "pinned by the operator"
	}
	if o.Equivalence == Bounded && !o.Granted {
		return "may change results (" + o.MayDiffer + ") and is not granted by the owner: advised only"
	}
	if why := c.tooRare(o); why != "" {
		return why
	}
	if c.measured.done {
		for _, m := range o.Needs {
			if _, ok := c.baseline.Value(m); !ok {
				return fmt.Sprintf("%s is not measured here", m)
			}
		}
	}
	return ""
}

// untried counts the offered optimizations that were never tried and may be.
func (c *Controller) untried(blocked map[string]string) int {
	n := 0
	for _, o := range c.cfg.Offered {
		if c.isUntried(o, blocked) {
			n++
		}
	}
	return n
}

func (c *Controller) isUntried(o Optimization, blocked map[string]string) bool {
	return blocked[o.Name] == "" && c.unwanted[o.Name] == "" && c.state.Memory[o.Name].Tried == 0
}
