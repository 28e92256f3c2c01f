package controller

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"autotune/internal/stats"
)

// Longer blocks are not safer. They average out what is fast, and let in what
// drifts: on recorded series power falls from 100 % at length 1 to 8 % at 10. So
// the shortest block that its washout and its requests allow is taken, unless
// the baseline shows that a longer one would decide much sooner. What would be
// decided is the goal's own MinEffect, not yet raised by the noise, or the
// shortest block would always win.

// muchSooner is the share of the time in which a longer block must decide to be
// taken. A few dozen blocks tell the square of their noise to a factor of two or
// three; what longer blocks cost for certain is time on what is plain to see.
const muchSooner = 0.25

// multiples of the shortest block that are considered.
var multiples = [...]int{1, 2, 4}

// chooseBlocks picks the length of blocks from the baseline's, and records why.
func (c *Controller) chooseBlocks() {
	if !c.asked.AutoMeasure {
		return
	}
	judged := c.measured.judged()
	if len(judged) == 0 {
		return
	}
	goal, t := judged[0], &c.cfg.Timing
	unit, why := t.Measure, ""
	if took := c.measured.typical(); took > unit+unit/10 {
		unit = (took + t.Tick - 1).Truncate(t.Tick)
		why = fmt.Sprintf("%d requests take that long", t.MinRequests)
	}
	least := 1
	if long := washouts * t.Washout; long > unit {
		least = int((long + unit - 1) / unit)
		why = fmt.Sprintf("%d times the washout", washouts)
	}
	var (
		told   []string
		chosen = 0
		soon   time.Duration
	)
	for _, m := range multiples {
		n := least * m
		d := c.measured.windows(goal, n)
		if len(d.diffs) < leastWindows {
			break
		}
		measure := time.Duration(n) * unit
		pairs := stats.PlannedPairs(mostAlpha, stats.Scale(d.diffs), orDefault(goal.MinEffect))
		took := time.Duration(math.Min(pairs*float64(2*(max(t.Washout, 0)+measure)), float64(math.MaxInt64)/2))
		told = append(told, fmt.Sprintf("%v in %.0f pairs, %v", measure, pairs, took.Round(time.Second)))
		if chosen == 0 || float64(took) < muchSooner*float64(soon) {
			if chosen > 0 {
				why = "decides much sooner"
			}
			chosen, soon = n, took
		}
	}
	stretch := chosen // of blocks, by which noise is known
	if chosen == 0 {  // too long for what was measured to say: the longest that it can tell is nearest
		chosen = least
		for stretch = least; stretch > 1 && len(c.measured.windows(goal, stretch).diffs) < leastWindows; {
			stretch--
		}
	}
	t.Measure = time.Duration(chosen) * unit
	if why == "" {
		why = "longer ones would not decide much sooner"
	}
	c.note("block length %v: %s; to decide %.0f%% of %s: %s", t.Measure, why, 100*orDefault(goal.MinEffect), goal.Metric, strings.Join(told, "; "))
	if stretch > 1 {
		for _, g := range judged {
			d := c.measured.windows(g, stretch)
			c.measured.diffs[g.Metric], c.measured.loads[g.Metric] = d.diffs, d.loads
		}
		c.measured.keep = len(c.measured.diffs[goal.Metric])
	}
}

// leastWindows of differences that say something about noise.
const leastWindows = 8

// typical is how long a baseline block took.
func (m *measurement) typical() time.Duration {
	took := make([]time.Duration, len(m.blocks))
	for i := range m.blocks {
		took[i] = m.blocks[i].Over
	}
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[len(took)/2]
}

type differences struct{ diffs, loads []float64 }

// windows are the differences of a goal between neighboring stretches of n
// blocks, at every place where two fit; they overlap, to make the most of a
// short baseline.
func (m *measurement) windows(g Goal, n int) differences {
	var out differences
	one := func(from int) (reading, bool) {
		var b block
		for i := from; i < from+n; i++ {
			b.sample.Merge(&m.blocks[i])
		}
		v, ok := b.sample.Value(g.Metric)
		y, ok := logOf(g, v, ok)
		rate, arrived := b.load()
		if !arrived {
			rate = math.NaN()
		}
		return reading{y, math.Log(rate)}, ok
	}
	for from := 0; from+2*n <= len(m.blocks); from++ {
		if slices.ContainsFunc(m.starts, func(s int) bool { return s > from && s < from+2*n }) {
			continue
		}
		a, okA := one(from)
		b, okB := one(from + n)
		if okA && okB {
			out.diffs = append(out.diffs, b.y-a.y)
			out.loads = append(out.loads, b.load-a.load)
		}
	}
	return out
}
