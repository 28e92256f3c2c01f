package rivals

import (
	"time"

	"autotune/controller"
)

// Gradient2 is the limit on concurrency of that name in Netflix's
// concurrency-limits, behind its WindowedLimit. The limit shrinks by the ratio
// of a long average of latency, half as much again, to the latest, and grows by
// a queue of four, smoothed by a fifth.
//
// Known to fail: a lucky fast answer, or a baseline measured under load, poisons
// the long average (concurrency-limits#34, #37, #165); where the gradient hovers
// at 0.8 the queue term grows the limit for ever (#134); failures and steady
// time-outs look healthy (#176, #137).
type Gradient2 struct {
	Bounds
	window windowed
	limit  float64
	long   float64 // average latency, seconds
	seen   int     // windows
}

const (
	gradient2Min       = 20
	gradient2Max       = 200
	gradient2Smoothing = 0.2
	gradient2Queue     = 4
	gradient2Long      = 600 // windows
	gradient2Warm      = 10  // windows averaged evenly at first
	gradient2Tolerance = 1.5
	gradient2Drift     = 0.95
)

var _ Law = (*Gradient2)(nil)

// NewGradient2 returns the law with its defaults, a limit of 20 to 200 within bounds.
func NewGradient2(b Bounds) *Gradient2 {
	return &Gradient2{Bounds: b.within(gradient2Min, gradient2Max)}
}

// Begin takes the limit in force. The library's own is 20 at first.
func (g *Gradient2) Begin(now float64) Move {
	g.limit = g.clamp(now)
	return Move{Value: g.limit, Watch: netflixWindow}
}

// Next moves the limit when a window is full.
func (g *Gradient2) Next(w *Window) Move {
	if rtt, inFlight, full := g.window.add(w); full {
		g.update(rtt, inFlight)
	}
	return Move{Value: float64(int(g.limit)), Watch: netflixWindow}
}

func (g *Gradient2) update(rtt, inFlight float64) {
	g.seen++
	share := 2.0 / (gradient2Long + 1)
	if g.seen <= gradient2Warm {
		share = 1 / float64(g.seen)
	}
	g.long += share * (rtt - g.long)
	if g.long/rtt > 2 { // it recovers from a time of high latency
		g.long *= gradient2Drift
	}
	if inFlight < g.limit/2 {
		return
	}
	gradient := min(max(gradient2Tolerance*g.long/rtt, 0.5), 1)
	to := g.limit*gradient + gradient2Queue
	g.limit = g.clamp((1-gradient2Smoothing)*g.limit + gradient2Smoothing*to)
}

const (
	netflixWindow  = time.Second
	netflixSamples = 10     // at least, in a window
	netflixFast    = 100e-6 // seconds: what is faster is no answer
)

// windowed is the library's WindowedLimit: windows of a second with ten answers
// at least, of which it passes on the mean latency and what was in flight.
type windowed struct{ answers, seconds, inFlight float64 }

// add returns the mean latency once there are enough answers.
func (l *windowed) add(w *Window) (rtt, inFlight float64, full bool) {
	n := w.value(controller.Completions)
	l.inFlight = max(l.inFlight, w.value(controller.InFlight))
	if mean := w.value(controller.LatencyMean); mean >= netflixFast {
		l.answers += n
		l.seconds += n * mean
	}
	if l.answers < netflixSamples {
		return 0, 0, false
	}
	rtt, inFlight = l.seconds/l.answers, l.inFlight
	*l = windowed{}
	return rtt, inFlight, true
}
