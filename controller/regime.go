package controller

import "math"

// Regime is a stretch in which what trials showed can be expected to hold. It ends
// when the service's code is another (Config.Build, after a deploy), and when the
// goals of the safe setting are at another level: worse than expected by the
// alert's threshold, or better by as much. Neither proves that anything turned.
// So nothing that is kept is given up: what was kept in a regime that this may be
// again is tried (return.go), what is kept is audited now, what is likeliest to have
// turned first, and policies are told the number of the regime, by which they trust
// what was shown before it less.
//
// A cool-down keeps what failed on this code from being tried over and over, and says
// nothing of other code: another build ends it, so that what turned by much is found
// in its first release. It is then the policy's to say what may have turned. Levels
// come and go, by day and by night, and end none.
type Regime struct {
	Number int    `json:"number,omitempty"`
	Build  string `json:"build,omitempty"` // of the service
	// From is the safe setting when it began, and First the number of its first trial;
	// of the first regime neither is known.
	From  Setting `json:"from,omitzero"`
	First int     `json:"first,omitempty"`
	// Kept is the safe setting when it ended.
	Kept Setting `json:"kept,omitzero"`
	// Returned is the trial that went back to Kept last, and Misses how many in a row
	// showed no gain.
	Returned int `json:"returned,omitempty"`
	Misses   int `json:"misses,omitempty"`
}

// newRegime begins one, with a build and a setting.
func (c *Controller) newRegime(build string, from Setting) {
	ended := c.state.Regime
	// Where nothing was tried nothing was learned, and what is about to be taken back
	// is no setting to come back to.
	if c.state.NextTrial > max(ended.First, 1) && from.Equal(c.state.Safe) {
		ended.Kept = from
		c.remind(ended)
	}
	c.state.Regime = Regime{Number: ended.Number + 1, Build: build, From: from, First: c.state.NextTrial}
	for i := range c.state.Keeps {
		c.state.Keeps[i].Due = c.now
	}
}

// takeUpRegime goes on in the regime before, unless the service is another build.
func (c *Controller) takeUpRegime(old *State) {
	build := c.cfg.Build
	c.state.Regime = old.Regime
	switch was := old.Regime.Build; {
	case build == "": // who does not name builds has no deploys
	case was == "":
		c.state.Regime.Build = build
	case was != build:
		c.note("build %s, was %s", build, was)
		c.newRegime(build, c.state.Safe)
		c.warmUp()
	}
}

// steadiness of a keep is how far it is from having turned: the effect that it was
// kept for, log units, by what is remembered of its trial. What audits found against
// it since counts first. What is not remembered was kept long ago, and has held.
func (c *Controller) steadiness(k *Keep) float64 {
	for i := range c.state.Trials {
		t := &c.state.Trials[i]
		if t.ID != k.Trial {
			continue
		}
		for _, shown := range t.Intervals() {
			if shown.Metric == k.For {
				return math.Abs(shown.Mid()) / math.Max(k.Evidence, 1)
			}
		}
	}
	return math.Inf(1)
}

// auditBefore orders keeps whose audits are due: those due longest first, and of
// those due at the same time, as after a change of regime, the one likeliest to
// have turned.
func (c *Controller) auditBefore(k, o *Keep) bool {
	if !k.Due.Equal(o.Due) {
		return k.Due.Before(o.Due)
	}
	if a, b := c.steadiness(k), c.steadiness(o); a != b {
		return a < b
	}
	return k.Since.Before(o.Since)
}
