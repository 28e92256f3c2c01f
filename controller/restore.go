package controller

import "time"

// Restoring asks for the safe setting until it reads back. It never gives up,
// since there is nothing better to do, but asks more and more rarely. While it
// is on, a setting that reads back otherwise is a restore that has not worked
// yet, never a change from outside: taking it for one would adopt a rejected
// candidate.
type restoring struct {
	why      string
	attempts int
	resting  bool // the last command waited only
}

const (
	slowestRestore = 5 * time.Second
	// alarmAfter is how many attempts go by before the journal says so.
	alarmAfter = 3
	// giveUpAfter ends a Stop whose restore does not read back; the record says
	// that the setting in force is not known.
	giveUpAfter = 20
)

// beginRestore makes the safe setting the one that must be in force.
func (c *Controller) beginRestore(why string) {
	if c.cfg.Advise && c.inForce.Equal(c.state.Safe) { // as ever, where nothing was approved
		c.why = why
		c.resume()
		return
	}
	c.restore = restoring{why: why}
	c.send(c.state.Safe)
	c.wait = c.cfg.Timing.Tick
	c.enter(Restoring, why)
}

func (c *Controller) stepRestoring(in *Input) {
	if len(c.unread) > 0 && c.readSet(in) {
		return
	}
	if in.ReadErr == "" && in.Current.Equal(c.state.Safe) {
		c.inForce = in.Current
		c.why = c.restore.why
		if c.control != "" && !c.isPaused() && !c.stopping {
			c.idle("control: does the safe setting break the limit too?", c.cfg.Timing.Washout+c.cfg.Timing.Measure)
			c.block.start(c.layoutOf(nil))
			c.wait = c.block.next()
			return
		}
		c.resume()
		return
	}
	if c.restore.resting {
		c.restore.resting, c.apply = false, true
		return
	}
	c.restore.attempts++
	if c.restore.attempts == alarmAfter {
		c.note("restore: asked %d times for %s, reads back %s (apply: %q, read: %q); asking on",
			alarmAfter, c.state.Safe, in.Current, in.ApplyErr, in.ReadErr)
	}
	if c.stopping && c.restore.attempts >= giveUpAfter {
		c.note("stop: the safe setting does not read back after %d attempts; in force is %s", giveUpAfter, in.Current)
		c.end("stopped: restore not confirmed")
		return
	}
	c.wait = min(c.wait*2, slowestRestore)
	// After an error the loop answers at once: without a rest it would spin.
	c.restore.resting = in.ApplyErr != ""
	// What was confirmed and only cannot be read now need not be applied again.
	c.apply = !c.restore.resting && c.inForce.IsZero()
}
