package controller

import "time"

// Hold is a pause at the operator's word. It is not changed once it is made.
type Hold struct {
	By Operator  `json:"by"`
	At time.Time `json:"at"`
}

// heldWhy says who holds the controller, or "": the operator by name, who goes
// first, or whoever asks for Pause, which has no name.
func (c *Controller) heldWhy() string {
	switch {
	case c.state.Wishes.Paused != nil:
		return c.state.Wishes.Paused.By.String()
	case c.held:
		return "by the operator"
	}
	return ""
}

func (c *Controller) isHeld() bool { return c.held || c.state.Wishes.Paused != nil }

func (c *Controller) isPaused() bool { return c.isHeld() || c.paused != notPaused }

func (c *Controller) considerPause(w Wish) (string, func() bool, error) {
	then := "nothing is tried until it is resumed"
	if t := c.trial; t != nil {
		then += "; what was tried is withdrawn: " + t.trial.Optimization + " " + t.trial.Move
	}
	return then, func() bool {
		c.state.Wishes.Paused = &Hold{By: w.By, At: c.now}
		c.endTrial(Inconclusive, Stopped, "paused "+w.By.String())
		c.withdraw(c.heldWhy())
		return true
	}, nil
}

func (c *Controller) considerResume(Wish) (string, func() bool, error) {
	if c.state.Wishes.Paused == nil {
		return "it was not paused by an operator", func() bool { return false }, nil
	}
	then := "it goes on"
	if c.held || c.paused != notPaused {
		then = "it goes on once nothing else holds it"
	}
	return then, func() bool {
		c.state.Wishes.Paused = nil
		if c.phase != Paused || c.paused != notPaused {
			return false
		}
		c.resume()
		return true
	}, nil
}
