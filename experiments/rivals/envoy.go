package rivals

import (
	"math"
	"math/rand/v2"
	"time"

	"autotune/controller"
)

// Envoy is the gradient controller of Envoy's adaptive_concurrency filter
// (Envoy manual, HTTP filters, adaptive concurrency). Now and then it sets the
// limit to its minimum for 50 requests, whose median latency is what latency
// could be; from then on each update multiplies the limit by how far the median,
// with a buffer of a quarter, is from that, and adds the root of it as headroom.
// The two intervals that the filter asks its users for are those of its manual's
// example, 0.1 s and 60 s.
//
// Known to fail: the measurement at the minimum itself turns requests away
// (envoy#8337, #9007); the ideal latency ratchets up when it is measured under
// load (#11579); a normal variance of latency looks like overload (#9038).
type Envoy struct {
	Bounds
	rng *rand.Rand

	limit   float64
	minRTT  float64 // seconds
	probing bool
	due     time.Duration // until the next measurement
	atMin   int           // updates in a row
	sample  controller.Sample
}

const (
	envoyMin      = 3
	envoyMax      = 1000
	envoyRequests = 50
	envoyBuffer   = 0.25
	envoyJitter   = 0.15
	envoyUpdate   = 100 * time.Millisecond
	envoyInterval = 60 * time.Second
	envoyStuck    = 5 // updates at the minimum
)

var _ Law = (*Envoy)(nil)

// NewEnvoy returns the law with its defaults, 3 to 1000 within bounds. The seed
// is for the jitter of its measurements.
func NewEnvoy(b Bounds, seed uint64) *Envoy {
	return &Envoy{Bounds: b.within(envoyMin, envoyMax), rng: rand.New(rand.NewPCG(seed, 23))}
}

// Begin measures what latency can be.
func (e *Envoy) Begin(now float64) Move {
	e.limit = e.clamp(now)
	return e.measure()
}

// measure sets the limit to its minimum; only requests from now on count.
func (e *Envoy) measure() Move {
	e.probing, e.atMin = true, 0
	e.sample.Reset()
	return Move{Value: e.Min, Watch: envoyUpdate, Fresh: true}
}

// Next updates the limit, or what latency can be.
func (e *Envoy) Next(w *Window) Move {
	e.sample.Merge(w.Sample)
	answers := e.sample.Totals[controller.Completions]
	p50, ok := e.sample.Value(controller.LatencyP50)
	ok = ok && answers > 0 && p50 > 0
	if e.probing {
		if !ok || answers < envoyRequests {
			return Move{Value: e.Min, Watch: envoyUpdate}
		}
		e.probing, e.minRTT = false, p50
		e.due = time.Duration(float64(envoyInterval) * (1 + envoyJitter*e.rng.Float64()))
		e.sample.Reset()
		return Move{Value: e.limit, Watch: envoyUpdate}
	}
	e.due -= w.Over
	if ok {
		e.update(p50)
		e.sample.Reset()
	}
	if e.due <= 0 || e.atMin >= envoyStuck {
		return e.measure()
	}
	return Move{Value: e.limit, Watch: envoyUpdate}
}

func (e *Envoy) update(p50 float64) {
	gradient := min(max((1+envoyBuffer)*e.minRTT/p50, 0.5), 2)
	to := e.limit * gradient
	e.limit = e.clamp(math.Floor(to + math.Sqrt(to)))
	if e.limit > e.Min {
		e.atMin = 0
		return
	}
	e.atMin++
}
