package controller

import (
	"fmt"
	"math"
	"slices"
	"time"

	"autotune/internal/stats"
)

// measurement is what is known of the noise: for each goal, differences of log
// values between neighboring blocks of the safe setting.
type measurement struct {
	done  bool
	full  int // blocks
	keep  int // differences kept, the latest
	goals []Goal
	last  map[Metric]float64
	diffs map[Metric][]float64
}

func (m *measurement) init(goals []Goal, keep int) {
	*m = measurement{keep: keep, goals: goals, last: map[Metric]float64{}, diffs: map[Metric][]float64{}}
}

// add takes a block of the safe setting that neighbors the one before.
func (m *measurement) add(s *Sample) {
	for _, g := range m.goals {
		y, ok := logValue(g, s)
		if !ok {
			delete(m.last, g.Metric)
			continue
		}
		if before, ok := m.last[g.Metric]; ok {
			m.append(g.Metric, y-before)
		}
		m.last[g.Metric] = y
	}
}

// append keeps the latest differences of a metric.
func (m *measurement) append(metric Metric, d ...float64) {
	all := slices.Concat(m.diffs[metric], d)
	m.diffs[metric] = all[max(0, len(all)-m.keep):]
}

// gap says that the next block does not neighbor the last one.
func (m *measurement) gap() { clear(m.last) }

// judged are the goals that were measured in every block.
func (m *measurement) judged() []Goal {
	var out []Goal
	for _, g := range m.goals {
		if len(m.diffs[g.Metric]) >= m.keep {
			out = append(out, g)
		}
	}
	return out
}

// logValue is y: the log of the goal's value, with less always better.
func logValue(g Goal, s *Sample) (float64, bool) {
	v, ok := s.Value(g.Metric)
	if !ok || !(v > 0) || math.IsInf(v, 0) {
		return 0, false
	}
	y := math.Log(v)
	if g.Maximize {
		y = -y
	}
	return y, true
}

// beginMeasure takes blocks of the safe setting, once a session and after a
// change from outside.
func (c *Controller) beginMeasure() {
	c.measured.init(c.cfg.Goals, c.cfg.Timing.BaselineBlocks-1)
	c.epoch++
	c.block.start(c.cfg.Timing.Washout)
	c.wait = c.block.next()
	c.enter(Measuring, fmt.Sprintf("noise, from %d blocks of the safe setting", c.cfg.Timing.BaselineBlocks))
}

func (c *Controller) stepMeasuring(in *Input) {
	if in.ObserveErr != "" {
		c.measured.gap()
		c.block.start(c.cfg.Timing.Washout)
		c.wait = c.block.next()
		return
	}
	if c.block.washout == 0 {
		if b := c.breach(&in.Sample); b != "" {
			c.pause(pausedByGuard, "the safe setting breaks a hard limit: "+b)
			return
		}
	}
	switch c.block.take(&in.Sample, c.wait) {
	case washed:
		c.epoch++
	case full:
		c.keepBaseline()
		c.measured.add(&c.block.sample)
		c.measured.full++
		c.revision++
		if n := c.timesMeasured(); n >= c.cfg.Timing.BaselineBlocks-1 || c.measured.full >= 2*c.cfg.Timing.BaselineBlocks {
			c.endMeasure()
			return
		}
		c.epoch++
		c.block.start(c.cfg.Timing.Washout)
	case starved:
		c.note("too few requests in a block: %v of %d in %v; measuring on",
			c.block.sample.Totals[Requests], c.cfg.Timing.MinRequests, c.block.elapsed)
		c.measured.gap()
		c.epoch++
		c.block.start(c.cfg.Timing.Washout)
	}
	c.wait = c.block.next()
}

// timesMeasured is the number of differences of the goal that has most.
func (c *Controller) timesMeasured() int {
	n := 0
	for _, d := range c.measured.diffs {
		n = max(n, len(d))
	}
	return n
}

func (c *Controller) endMeasure() {
	c.measured.done = true
	c.measured.gap()
	for _, g := range c.cfg.Goals {
		d := c.measured.diffs[g.Metric]
		if !slices.Contains(c.measured.judged(), g) {
			c.note("goal %s: measured in %d of %d blocks: it takes no part in decisions", g.Metric, len(d)+1, c.cfg.Timing.BaselineBlocks)
			continue
		}
		c.note("goal %s: pair noise %.3f", g.Metric, stats.Scale(d))
	}
	c.propose()
}

// keepBaseline copies the block just ended as the latest of the safe setting.
func (c *Controller) keepBaseline() {
	c.baseline.Reset()
	c.baseline.Merge(&c.block.sample)
	c.baseline.Unfinished = c.block.sample.Unfinished
}

// pairTime is how long a pair takes if no block is prolonged.
func (c *Controller) pairTime(washout time.Duration) time.Duration {
	return 2 * (washout + c.cfg.Timing.Measure)
}

// pairsLeft before the session ends, or -1 for no limit.
func (c *Controller) pairsLeft(washout time.Duration) int {
	if c.cfg.Budget.Until.IsZero() {
		return -1
	}
	return max(0, int(c.cfg.Budget.Until.Sub(c.now)/c.pairTime(washout)))
}
