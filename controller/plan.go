package controller

import (
	"time"

	"autotune/internal/stats"
)

// Planning is what trials take here, for policies that weigh what they may gain
// against it.
type Planning struct {
	// Alpha is the error rate that the next keep may spend, shared by the goals.
	Alpha float64
	// Noise of each goal that is judged: the scale of the difference of two
	// neighboring blocks, in log units.
	Noise map[Metric]float64
	// MaxPairs of a trial.
	MaxPairs int
	// Pair is how long a pair of an optimization's first trial takes, with the
	// washout and the drain that its own knobs need, by the optimization's name.
	Pair map[string]time.Duration
}

// planning is what trials take now.
func (c *Controller) planning() Planning {
	p := Planning{
		Alpha: c.state.alpha(c.cfg.Budget.FDR), Noise: map[Metric]float64{}, MaxPairs: c.cfg.Budget.MaxPairs, Pair: map[string]time.Duration{},
	}
	for _, g := range c.measured.judged() {
		p.Noise[g.Metric] = stats.NewPairs(c.measured.diffs[g.Metric]).Scale0()
	}
	for _, o := range c.cfg.Offered {
		p.Pair[o.Name] = c.firstPair(o)
	}
	return p
}
