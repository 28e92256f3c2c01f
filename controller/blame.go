package controller

import (
	"fmt"
	"time"
)

// What was kept can break a hard limit long after its trial: a leak, a queue
// that fills by night. Whose doing it is cannot be known then, but what can be
// undone is: the latest keep is taken back, and trials pause until the limit
// holds again. If it does not hold for long enough, the keep before that is next.
// With nothing kept there is nobody to blame. A keep that was blamed may be
// tried again after a cool-down; blamed twice it is in quarantine.
//
// The same holds for a process that dies again and again soon after it started.

// mostBlame is how often a keep may be taken back as to blame.
const mostBlame = 2

// mostDeaths in a row, each soon after the start, that a kept setting may see.
const mostDeaths = 3

// broken acts on a hard limit that the safe setting breaks.
func (c *Controller) broken(what string) {
	why := "the safe setting breaks a hard limit: " + what
	c.control = ""
	c.broke = 0
	c.endTrial(Inconclusive, GuardTripped, why)
	c.blame(why, mostBlame)
	c.pause(pausedByGuard, why)
}

// stillBroken counts the time for which a limit has not held although trials
// pause, and blames the next keep after some.
func (c *Controller) stillBroken(over time.Duration) {
	if c.broke += over; c.broke < patience*c.layoutOf(nil).pair() {
		return
	}
	c.broke = 0
	if c.blame("a hard limit is still broken", mostBlame) {
		c.withdraw(c.why)
	}
}

// blame takes the latest keep back that can be, and reports whether there was
// one. If it is to blame for the most-th time it goes into quarantine.
func (c *Controller) blame(why string, most int) bool {
	if c.isHeld() {
		return false
	}
	at := c.latestKeep(func(*Keep) bool { return true })
	if at < 0 {
		return false
	}
	k := c.state.Keeps[at]
	c.note("%s %s, kept by trial %d, is taken back: %s", k.Optimization, k.Move, k.Trial, why)
	c.state.Safe = c.state.Safe.With(k.Was)
	m := c.state.Memory[k.Key]
	m.fail(c.now, patience*c.layoutOf(k.Was).pair())
	m.Blamed++
	c.state.Memory[k.Key] = m
	if m.Blamed >= most {
		c.quarantine(k.Key, "taken back after it was kept: "+why)
	}
	c.giveUp(at)
	c.watch.expectAnew()
	c.recordState()
	return true
}

// countDeath takes down how the process before this one ended, and blames the
// latest keep for a crash loop.
func (c *Controller) countDeath(old *State) {
	if old.Proven || len(c.state.Keeps) == 0 {
		return
	}
	if c.state.Deaths = old.Deaths + 1; c.state.Deaths < mostDeaths {
		return
	}
	why := fmt.Sprintf("%d processes in a row died soon after they started", c.state.Deaths)
	if c.blame(why, 1) { // no second chance for what may end processes
		c.state.Deaths = 0
	}
}

// prove takes down that the process has lived for long enough not to count as
// one that died soon after its start.
func (c *Controller) prove() {
	if c.phase == Starting || c.state.Proven || c.now.Sub(c.started) < provenAfter {
		return
	}
	c.state.Proven, c.state.Deaths = true, 0
	c.recordState()
}

// provenAfter is how long a process must live not to count as a crash.
const provenAfter = 10 * time.Minute
