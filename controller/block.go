package controller

import (
	"fmt"
	"strings"
	"time"
)

// layout is how a block is laid out: a washout that is not counted, a
// measurement in which at least minRequests start, and, where work is put off, a
// drain in which it is made up for.
type layout struct {
	washout, measure, drain time.Duration
	tick                    time.Duration
	minRequests             int
}

// pair is how long a pair of such blocks takes if none is prolonged.
func (l layout) pair() time.Duration { return 2 * (l.washout + l.measure + l.drain) }

// block is one block of time. One with too few arrivals is prolonged, never
// repeated: repeating would pick blocks by what happened in them. Arrivals are
// nobody's doing under open-loop load, so prolonging by them picks nothing.
type block struct {
	plan    layout
	washout time.Duration // left
	elapsed time.Duration // measured
	drain   time.Duration // left
	sample  Sample        // of the measured part
	cost    Sample        // of all of it, totals only; kept where there is a drain
}

// starvedAfter is how many times its length a block waits for its requests.
const starvedAfter = 10

type blockState int

const (
	washing blockState = iota + 1
	washed             // the washout ended with this tick: a new epoch starts
	filling
	full
	starved
	draining
	drained
)

func (b *block) start(plan layout) {
	b.plan = plan
	b.washout, b.elapsed, b.drain = max(plan.washout, 0), 0, plan.drain
	b.sample.Reset()
	b.cost.Reset()
}

// take adds a tick that was commanded to last wait, and says where the block is.
func (b *block) take(s *Sample, wait time.Duration) blockState {
	over := max(s.Over, wait)
	if b.plan.drain > 0 {
		b.cost.Merge(&Sample{At: s.At, Over: s.Over, Totals: s.Totals})
	}
	switch {
	case b.washout > 0:
		if b.washout -= over; b.washout > 0 {
			return washing
		}
		b.washout = 0
		return washed
	case b.filled():
		if b.drain -= over; b.drain > 0 {
			return draining
		}
		return drained
	}
	b.elapsed += over
	b.sample.Merge(s)
	switch {
	case b.filled():
		return full
	case b.elapsed >= starvedAfter*b.plan.measure:
		return starved
	}
	return filling
}

// filled: it lasted long enough, and enough requests started in it.
func (b *block) filled() bool {
	if b.elapsed < b.plan.measure {
		return false
	}
	started, counted := b.sample.Totals[Requests]
	return !counted || started >= float64(b.plan.minRequests)
}

// next is how long the next tick should be: up to the end of the part that the
// block is in, in ticks.
func (b *block) next() time.Duration {
	left := b.plan.measure - b.elapsed
	switch {
	case b.washout > 0:
		left = b.washout
	case b.filled():
		left = b.drain
	}
	if left <= 0 {
		return b.plan.tick
	}
	// Two near-equal ticks rather than a full one and a sliver.
	if left < 2*b.plan.tick && left > b.plan.tick {
		return left / 2
	}
	return min(left, b.plan.tick)
}

// value is a goal's value in the block. Where work is put off, what it costs is
// counted over the whole block, so that neither the washout nor the other
// setting's block gets it for nothing.
func (b *block) value(m Metric) (float64, bool) {
	if b.plan.drain > 0 && (strings.HasSuffix(string(m), "_per_request") || strings.HasSuffix(string(m), "_per_second")) {
		return b.cost.Value(m)
	}
	return b.sample.Value(m)
}

// load is the arrivals a second in the block, and false if there were none.
func (b *block) load() (float64, bool) {
	v, ok := b.sample.Value(Requests + "_per_second")
	return v, ok && v > 0
}

// layoutFor says how blocks are laid out in which these knobs differ from a
// setting. A knob that puts work off gets blocks four times as long, so that what
// it puts off within one is small against it, and a drain as long as it may take
// to come due: what the knob says by its Settle or Period, or two usual blocks.
// What acts at an interval that is a knob of its own gets two intervals a block, if
// that is not too long: so each block has at least one.
func layoutFor(space Space, t Timing, at Setting, change map[string]float64) layout {
	l := layout{washout: max(t.Washout, settle(space, change), 0), measure: t.Measure, tick: t.Tick, minRequests: t.MinRequests}
	for name := range change {
		k, ok := space.Knob(name)
		if !ok {
			continue
		}
		if k.Defers {
			l.measure = max(l.measure, deferring*t.Measure)
			due := max(k.Settle, k.Period)
			if due == 0 {
				due = usualDrain * t.Measure
			}
			l.drain = max(l.drain, l.washout, due)
		}
		if period, tooRare := periodOf(k, t, at, change); !tooRare {
			l.measure = max(l.measure, actsABlock*period)
		}
	}
	return l
}

// periodOf is how often a knob acts whose PeriodOf is another one, and whether
// that is too rare for blocks of it.
func periodOf(k Knob, t Timing, at Setting, change map[string]float64) (period time.Duration, tooRare bool) {
	if k.PeriodOf == "" {
		return 0, false
	}
	seconds, _ := at.With(change).Get(k.PeriodOf)
	period = time.Duration(seconds * float64(time.Second))
	return period, actsABlock*period > longestBlock*t.Measure
}

func (c *Controller) layoutOf(change map[string]float64) layout {
	return layoutFor(c.cfg.Space, c.cfg.Timing, c.state.Safe, change)
}

// rarely says why a change of a knob cannot be judged by blocks, or "".
func (c *Controller) rarely(k Knob, change map[string]float64) string {
	if period, tooRare := periodOf(k, c.cfg.Timing, c.state.Safe, change); tooRare {
		most := longestBlock * c.cfg.Timing.Measure
		return fmt.Sprintf("%s acts every %v (%s), and a block of it may last %v: set %s to %v or less to have it tried, or judge it yourself",
			k.Name, period, k.PeriodOf, most, k.PeriodOf, most/actsABlock)
	}
	if measure := c.layoutOf(change).measure; k.Period > measure {
		return fmt.Sprintf("%s acts every %v, and a block lasts %v: no trial can judge it, set it yourself", k.Name, k.Period, measure)
	}
	return ""
}

// settle is the longest time that one of these knobs needs.
func settle(space Space, change map[string]float64) time.Duration {
	d := time.Duration(0)
	for name := range change {
		if k, ok := space.Knob(name); ok {
			d = max(d, k.Settle)
		}
	}
	return d
}

// In usual blocks: how long one is in which work is put off, how long it may take
// to come due, and how long one may be for the sake of what acts at an interval, of
// which it has actsABlock.
const (
	deferring    = 4
	usualDrain   = 2
	longestBlock = 12
	actsABlock   = 2
)
