package controller

import (
	"fmt"
	"math"
	"slices"
	"time"

	"autotune/internal/stats"
)

// slowGuard aborts a candidate while its block still runs, when too many of its
// requests are slow. It needs no limit from anybody: what is slow comes from the
// safe setting, and two bets are made (stats.Excess), tick by tick,
//
//	on the tail: more than 15 % of requests are slower than max(p95, 2 p50)
//	on the body: more than 40 % of requests are slower than max(p75, 2 p50)
//
// of which 5 and 25 % at most are in safe blocks. The limits are the largest of
// the last three safe blocks, where blocks are pooled until they hold 200
// requests and 5 s: a p95 of fewer means little. Either bet trips the guard.
//
// The tail alone sees a 3x regression where latencies are lognormal, and never
// where they have two humps or a power law's tail: three times a body far below p95
// is below it still. The body alone sees no errors below 15 %, and little else
// before it is twice as slow.
//
// The largest of three, and shares well above those of the safe setting, so that
// a drift of the level does not look like the candidate's doing; a factor of 3.9 a
// tick at most, so that six ticks are needed and a stall of half a second cannot
// convict even with eight ticks a second. It errs to the side of waiting: what is
// worse by less than 2x is left to the pairs. A false abort is a strike, and two
// are a quarantine.
//
// The same bets are made on the safe blocks, before and in trials, as a control.
// When one of those trips, the service has bursts that last as long as the guard takes, and
// the limits widen; with each that does not, they narrow a little. So whatever
// the bursts are like, in the long run at most one safe block in 400 trips, and a
// harmless candidate's no more often (Gibbs & Candes 2021, adaptive conformal
// inference).
//
// After a keep that made things faster, the limits are those of the setting before
// until three safe blocks have passed.
type slowGuard struct {
	at float64 // the e-value that trips it; negative: off

	pool    Histogram // of safe blocks, until it is enough
	poolFor time.Duration
	known   int // pools there were ever

	wide       float64       // by how much the limits are wider than usual, log units
	slowest    time.Duration // request of a safe block that tripped: no limit needs to be far above it
	tail, body slowBet
}

// slowBet is a bet that too many requests are slower than a limit.
type slowBet struct {
	usual [3]time.Duration // limits by the latest pools, a ring
	limit time.Duration    // for the block being watched; 0: not known
	late  uint64           // in flight and older than limit at the end of the last tick
	bets  stats.Excess

	// What the bets rest on since they last started from 1.
	slow, failed, all uint64
	over              time.Duration
}

const (
	poolRequests = 200
	poolTime     = 5 * time.Second
	// settlingFactor widens the limits in a candidate's washout. What settles may be
	// slow for a while, and the washout is there not to count it: a cold cache is
	// no crime. But a washout may last as long as a knob's Settle says, and a
	// candidate with which nothing works at all is found out within it.
	settlingFactor = 5
	// widerBy and narrowerBy are what a safe block that trips adds to the log of the
	// limits, and what each takes from it: a share of 1/400 holds the balance.
	widerBy    = 0.4
	narrowerBy = widerBy / 400
)

// newSlowGuard has stakes that grow fastest, for the tail, where all are slow, and
// for the body, where the median has doubled (0.5 of them are slow by then).
func newSlowGuard(at float64) slowGuard {
	return slowGuard{
		at:   at,
		tail: slowBet{bets: stats.NewExcess(0.15, 1/0.85)},
		body: slowBet{bets: stats.NewExcess(0.4, 0.5)},
	}
}

// learn takes what the safe setting did: ended requests, and those unfinished at
// the end of a block, if it was one.
func (g *slowGuard) learn(ended, unfinished *Histogram, over time.Duration) {
	if g.at < 0 || ended.Count()+ended.Failures()+unfinished.Count() == 0 {
		return
	}
	g.pool.Merge(ended)
	g.pool.Merge(unfinished)
	g.poolFor += over
	if g.poolFor < poolTime || g.pool.Count()+g.pool.Failures() < poolRequests {
		return
	}
	quantile := func(q float64) time.Duration {
		v, _ := g.pool.Quantile(q)
		return time.Duration(v * 1e9)
	}
	twice := 2 * quantile(0.5)
	i := g.known % len(g.tail.usual)
	g.tail.usual[i], g.body.usual[i] = max(quantile(0.95), twice), max(quantile(0.75), twice)
	g.known++
	g.pool.Reset()
	g.poolFor = 0
}

// begin starts to watch a block, or its measured part: requests of a new epoch.
func (g *slowGuard) begin(factor time.Duration) {
	g.tail.begin(factor, g.wide, g.slowest)
	g.body.begin(factor, g.wide, g.slowest)
}

// takeSafe bets on a tick of a safe block, whose outcome moves the limits.
func (g *slowGuard) takeSafe(s *Sample, over time.Duration) {
	if g.at < 0 || g.known < len(g.tail.usual) {
		return
	}
	g.take(s, over)
	if max(g.tail.bets.E(), g.body.bets.E()) >= g.at {
		g.widen(s)
		g.begin(1)
	}
}

// widen is for a safe block that trips, in the tick where it does. What fails is
// no reason: no limit is wide enough for it.
func (g *slowGuard) widen(s *Sample) {
	for _, h := range []*Histogram{s.Latency, s.Unfinished} {
		g.slowest = max(g.slowest, h.longest())
	}
	if min(g.tail.limit, g.body.limit) < g.slowest {
		g.wide += widerBy
	}
}

// endSafe ends a safe block.
func (g *slowGuard) endSafe() { g.wide = max(0, g.wide-narrowerBy) }

func (b *slowBet) begin(factor time.Duration, wide float64, slowest time.Duration) {
	limit := slices.Max(b.usual[:])
	if limit >= MaxLatency { // so many fail that the quantile is one of them
		limit = 0
	}
	if wide > 0 {
		const above = 1.5
		wider := min(float64(limit)*math.Exp(wide), above*float64(slowest))
		limit = max(limit, time.Duration(wider))
	}
	b.bets.Restart()
	*b = slowBet{usual: b.usual, bets: b.bets, limit: limit * factor}
}

// take bets on a tick.
func (g *slowGuard) take(s *Sample, over time.Duration) {
	if g.at < 0 {
		return
	}
	g.tail.take(s, over)
	g.body.take(s, over)
}

// take counts each request of the epoch once, when its fate is known: it ended,
// or has been in flight for longer than the limit. One that was late already at
// the end of the tick before has been counted.
func (b *slowBet) take(s *Sample, over time.Duration) {
	if b.limit == 0 {
		return
	}
	late := s.Unfinished.Above(b.limit)
	slow := s.Latency.Above(b.limit) + late
	all := s.Latency.Count() + s.Latency.Failures() + late
	counted := min(b.late, slow)
	b.late = late
	slow, all = slow-counted, all-counted
	if all == 0 {
		return // nothing to bet on
	}
	if b.bets.Add(slow, all) {
		b.slow, b.failed, b.all, b.over = 0, 0, 0, 0
	}
	b.slow += slow
	b.failed += s.Latency.Failures()
	b.all += all
	b.over += over
}

// trips returns what the guard has to say at an e-value, for people, or "".
func (g *slowGuard) trips(at float64) string {
	b := &g.tail
	if g.body.bets.E() > b.bets.E() {
		b = &g.body
	}
	e := b.bets.E()
	if g.at < 0 || e < at {
		return ""
	}
	what := "slower than"
	if b.failed > 0 {
		what = "failed or slower than"
	}
	return fmt.Sprintf("%d of %d requests %s %.3g ms in the last %.3g s: e-value %.0f reached %.0f",
		b.slow, b.all, what, 1e3*b.limit.Seconds(), b.over.Seconds(), e, at)
}

// watchControl holds the safe setting against the limit by which a candidate was
// just aborted. If it breaks that too, the world has changed: no strike, and
// what is known of the noise is of the past. The evidence need not be as strong
// as for an abort: to excuse a candidate wrongly costs another trial of it, to
// blame it wrongly may cost it for good.
func (c *Controller) watchControl(s *Sample) (shared bool) {
	switch c.block.take(s, c.wait) {
	case washing:
	case washed:
		c.epoch++
		c.slow.begin(1)
	default:
		c.slow.take(s, max(s.Over, c.wait))
		if what := c.slow.trips(shownAt); what != "" {
			c.slow.widen(s)
			c.note("%s: the safe setting is as slow (%s): no strike against the candidate", c.control, what)
			c.control = ""
			c.beginMeasure()
			return true
		}
	}
	c.wait = c.block.next()
	return false
}
