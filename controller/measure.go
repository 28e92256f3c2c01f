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
	done   bool
	full   int // blocks
	keep   int // differences kept, the latest
	goals  []Goal
	slopes map[Metric]float64 // of each goal's log on the log of arrivals
	last   map[Metric]reading
	diffs  map[Metric][]float64
	loads  map[Metric][]float64 // differences of the log of arrivals, beside diffs
	blocks []Sample             // with AutoMeasure, until the block length is chosen
	starts []int                // blocks that do not neighbor the one before
}

// reading is the log of a goal in a block, and of its arrivals a second.
type reading struct{ y, load float64 }

func (m *measurement) init(goals []Goal, keep int) {
	*m = measurement{
		keep: keep, goals: goals, slopes: map[Metric]float64{},
		last: map[Metric]reading{}, diffs: map[Metric][]float64{}, loads: map[Metric][]float64{},
	}
}

// add takes a block of the safe setting that neighbors the one before.
func (m *measurement) add(b *block) {
	rate, ok := b.load()
	load := math.NaN()
	if ok {
		load = math.Log(rate)
	}
	for _, g := range m.goals {
		v, ok := b.value(g.Metric)
		y, ok := logOf(g, v, ok)
		if !ok {
			delete(m.last, g.Metric)
			continue
		}
		if before, ok := m.last[g.Metric]; ok {
			m.append(g.Metric, y-before.y, load-before.load)
		}
		m.last[g.Metric] = reading{y, load}
	}
}

// append keeps the latest differences of a metric, without what load did.
func (m *measurement) append(metric Metric, d, load float64) {
	if slope := m.slopes[metric]; slope != 0 && !math.IsNaN(load) {
		d -= slope * load
	}
	latest := func(all []float64, v float64) []float64 {
		if len(all) >= m.keep {
			all = slices.Delete(all, 0, len(all)-m.keep+1)
		}
		return append(all, v)
	}
	m.diffs[metric] = latest(m.diffs[metric], d)
	m.loads[metric] = latest(m.loads[metric], load)
}

// gap says that the next block does not neighbor the last one.
func (m *measurement) gap() {
	clear(m.last)
	m.starts = append(m.starts, len(m.blocks))
}

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

// logOf is y: the log of the goal's value, with less always better.
func logOf(g Goal, v float64, ok bool) (float64, bool) {
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
	c.cfg.Timing = c.asked
	c.recent[0].reset()
	c.measured.init(c.cfg.Goals, c.cfg.Timing.BaselineBlocks-1)
	c.startBaseline()
	c.enter(Measuring, fmt.Sprintf("noise, from %d blocks of the safe setting", c.cfg.Timing.BaselineBlocks))
}

func (c *Controller) startBaseline() {
	c.epoch++
	c.block.start(c.layoutOf(nil))
	c.wait = c.block.next()
}

func (c *Controller) stepMeasuring(in *Input) {
	if in.ObserveErr != "" {
		c.measured.gap()
		c.startBaseline()
		return
	}
	if c.block.washout == 0 {
		if b := c.breach(&in.Sample); b != "" {
			c.broken(b)
			return
		}
		c.slow.takeSafe(&in.Sample, max(in.Sample.Over, c.wait))
	}
	switch c.block.take(&in.Sample, c.wait) {
	case washed:
		c.epoch++
		c.slow.begin(1)
	case full:
		c.slow.endSafe()
		c.keepBaseline()
		c.measured.add(&c.block)
		if c.asked.AutoMeasure {
			c.measured.blocks = append(c.measured.blocks, c.block.sample.Clone())
		}
		c.measured.full++
		c.revision++
		if n := c.timesMeasured(); n >= c.asked.BaselineBlocks-1 || c.measured.full >= 2*c.asked.BaselineBlocks {
			c.endMeasure()
			return
		}
		c.startBaseline()
		return
	case starved:
		c.note("too few requests in a block: %v of %d in %v; measuring on",
			c.block.sample.Totals[Requests], c.cfg.Timing.MinRequests, c.block.elapsed)
		c.measured.gap()
		c.startBaseline()
		return
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
	c.chooseWashout()
	c.chooseBlocks()
	c.measured.done, c.measured.blocks, c.measured.starts = true, nil, nil
	c.measured.gap()
	c.watch.expectAnew()
	for _, g := range c.cfg.Goals {
		d := c.measured.diffs[g.Metric]
		if !slices.Contains(c.measured.judged(), g) {
			c.note("goal %s: measured in %d of %d blocks: it takes no part in decisions", g.Metric, len(d)+1, c.cfg.Timing.BaselineBlocks)
			continue
		}
		c.note("goal %s: pair noise %.3f%s", g.Metric, stats.Scale(d), c.adjust(g.Metric))
	}
	c.propose()
}

// keepBaseline copies the block just ended as the latest of the safe setting.
func (c *Controller) keepBaseline() {
	c.baseline.Reset()
	c.baseline.Merge(&c.block.sample)
	c.baseline.Unfinished = c.block.sample.Unfinished
	c.recent[0].take(&c.baseline, c.block.elapsed)
	c.slow.learn(c.baseline.Latency, c.baseline.Unfinished, c.baseline.Over)
	c.seenSafe(&c.block.sample, c.block.elapsed)
}

// pairsLeft before the session ends, of pairs in which these knobs differ, or
// -1 for no limit.
func (c *Controller) pairsLeft(change map[string]float64) int {
	if c.cfg.Budget.Until.IsZero() {
		return -1
	}
	return max(0, int(c.cfg.Budget.Until.Sub(c.now)/c.layoutOf(change).pair()))
}

// adjust takes out of a goal what load does to it, if arrivals are nobody's
// doing and the baseline shows that it follows them, and says so.
//
// The slope is fitted to differences, so that a common trend is not taken for
// it, and fixed before any trial. Under open-loop load a coin decides which
// block got which arrivals, so the adjusted difference is as symmetric as the
// plain one whatever the slope: a bad fit costs power, never validity.
func (c *Controller) adjust(metric Metric) string {
	if !c.cfg.OpenLoop {
		return ""
	}
	d, loads := c.measured.diffs[metric], c.measured.loads[metric]
	slope, share, ok := stats.Slope(loads, d)
	if !ok || share < leastShare {
		return ""
	}
	c.measured.slopes[metric] = slope
	for i := range d {
		d[i] -= slope * loads[i]
	}
	return fmt.Sprintf(", once it is adjusted by load to the power of %.2f, which explains %.0f%% of it", slope, 100*share)
}

// leastShare of the variance that load must explain before goals are adjusted
// for it: of 21 differences chance explains as much once in a hundred times.
const leastShare = 0.3

// chooseWashout makes the washout long enough for what a request may take.
func (c *Controller) chooseWashout() {
	if !c.asked.AutoWashout {
		return
	}
	p99, ok := c.baseline.Value(LatencyP99)
	if !ok || p99 >= MaxLatency.Seconds() { // it falls among failures, which take no time that is known
		return
	}
	if long := time.Duration(3 * p99 * float64(time.Second)); long > c.cfg.Timing.Washout {
		c.cfg.Timing.Washout = long.Round(time.Millisecond)
		c.note("washout %v: three times the p99", c.cfg.Timing.Washout)
	}
}
