package autotune

import (
	"sync"
	"time"

	"autotune/controller"
)

// Point is what was seen of the service in about a second, under one setting: the
// trajectory that people look at. A value that was not measured is nil.
type Point struct {
	// At is its end, and Seconds how long it is.
	At      time.Time `json:"at"`
	Seconds float64   `json:"seconds"`
	// Candidate: another setting than the kept one was in force.
	Candidate bool `json:"candidate,omitempty"`
	// Requests a second, that began.
	Requests *float64 `json:"requests,omitempty"`
	// P50 and P95 of latency, in seconds.
	P50 *float64 `json:"p50,omitempty"`
	P95 *float64 `json:"p95,omitempty"`
	// CPU seconds a request, the share of requests that failed, resident memory in bytes.
	CPU    *float64 `json:"cpu,omitempty"`
	Errors *float64 `json:"errors,omitempty"`
	RSS    *float64 `json:"rss,omitempty"`
}

// pointsKept is half an hour.
const pointsKept = 1800

// points are the latest ones. The loop adds; anybody reads.
type points struct {
	mu    sync.Mutex
	ring  [pointsKept]Point
	added int

	// Of the loop alone: what becomes the next point.
	open      controller.Sample
	candidate bool
}

// observe takes a tick. A point ends when it is a second long, and with its setting.
func (p *points) observe(s *controller.Sample, candidate bool) {
	if s.Over <= 0 {
		return
	}
	if p.open.Over > 0 && candidate != p.candidate {
		p.close()
	}
	p.candidate = candidate
	p.open.Merge(s)
	if p.open.Over >= time.Second {
		p.close()
	}
}

func (p *points) close() {
	value := func(m controller.Metric) *float64 {
		if v, ok := p.open.Value(m); ok {
			return &v
		}
		return nil
	}
	point := Point{
		At: p.open.At, Seconds: p.open.Over.Seconds(), Candidate: p.candidate,
		P50: value(controller.LatencyP50), P95: value(controller.LatencyP95), CPU: value(controller.CPUPerRequest),
		Errors: value(controller.ErrorRatio), RSS: value(controller.RSSBytes),
	}
	if n, ok := p.open.Totals[controller.Requests]; ok {
		rate := n / point.Seconds
		point.Requests = &rate
	}
	p.open.Reset()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ring[p.added%pointsKept] = point
	p.added++
}

// since returns the points after the first n that there ever were, as far as they
// are kept, and how many there ever were.
func (p *points) since(n int) ([]Point, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n = min(max(n, p.added-pointsKept, 0), p.added)
	out := make([]Point, 0, p.added-n)
	for ; n < p.added; n++ {
		out = append(out, p.ring[n%pointsKept])
	}
	return out, p.added
}

// Points returns what was seen second by second, the latest half hour, after the
// first n points that there ever were, and how many there are by now: what to ask
// with next time.
func (a *Autopilot) Points(n int) ([]Point, int) { return a.points.since(n) }
