package controller

import "time"

// idleTick is how often a quiet controller looks; the same limits are watched
// in quiet as in trials.
const idleTick = time.Second

// recordRetry is how long a broken journal keeps trials away at least.
const recordRetry = 10 * time.Second

// idle waits, watching the hard limits, and then proposes again.
func (c *Controller) idle(why string, d time.Duration) {
	c.quiet, c.quietFor = 0, d
	c.wait = max(c.cfg.Timing.Tick, min(idleTick, d))
	if c.phase != Idle { // else it goes on as it is
		c.epoch++
		c.watch.settle = c.cfg.Timing.Washout
	}
	c.enter(Idle, why)
}

func (c *Controller) stepIdle(in *Input) {
	if in.ObserveErr != "" && c.control != "" {
		return // what was not observed does not show that the limit holds
	}
	c.quiet += max(in.Sample.Over, c.wait)
	if in.ObserveErr == "" {
		c.seenSafe(&in.Sample, max(in.Sample.Over, c.wait))
	}
	// What a candidate left behind is not the safe setting's doing.
	if c.quiet > c.cfg.Timing.Washout {
		if b := c.breach(&in.Sample); b != "" {
			if c.control != "" {
				c.note("%s: the safe setting breaks the same limit: no strike against the candidate", c.control)
			}
			c.broken(b)
			return
		}
		c.slow.learn(in.Sample.Latency, nil, in.Sample.Over)
		if in.ObserveErr == "" {
			c.recent[0].take(&in.Sample, max(in.Sample.Over, c.wait))
		}
	}
	if c.control != "" && c.watchControl(&in.Sample) {
		return
	}
	if c.quiet < c.quietFor {
		return
	}
	if c.control != "" {
		c.strike(c.control)
		c.control = ""
	}
	if !c.watchGoals() {
		c.resume()
	}
}

// pause tries nothing until the cause is gone.
func (c *Controller) pause(cause pauseCause, why string) {
	c.paused = cause
	c.endTrial(Inconclusive, GuardTripped, why)
	c.withdraw(why)
}

// withdraw sees to it that the safe setting is in force, and then pauses.
func (c *Controller) withdraw(why string) {
	c.control = ""
	c.why = why
	if c.phase == Restoring || !c.inForce.Equal(c.state.Safe) {
		c.beginRestore(why)
		return
	}
	c.resume()
}

func (c *Controller) stepPaused(in *Input) {
	c.slow.learn(in.Sample.Latency, nil, in.Sample.Over)
	c.quiet += max(in.Sample.Over, c.wait)
	switch c.paused {
	case pausedByGuard:
		if in.ObserveErr != "" || c.breach(&in.Sample) != "" {
			c.quiet = 0
			c.stillBroken(max(in.Sample.Over, c.wait))
		}
	case pausedByJournal:
		// Ask for the records to be durable, to know whether they can be.
		c.durable = true
		if in.RecordErr != "" {
			c.quiet = 0
		}
		c.quietFor = recordRetry
	default:
		return // only the operator holds it
	}
	if c.quiet < c.quietFor {
		return
	}
	c.paused, c.why = notPaused, c.heldWhy()
	c.recordState()
	if !c.isHeld() {
		c.resume()
	}
}
