package simulate

import (
	"math"
	"time"

	"autotune/controller"
)

// slice is the longest stretch of time in which rates and levels are taken as even.
const slice = 250 * time.Millisecond

// requestLevel is what the simulation of each request remembers between ticks.
//
// Requests end by the clock of work, which stands still while the service
// stalls: what is in flight then goes on where it was.
type requestLevel struct {
	worked   time.Duration
	round    uint64 // of the current epoch; a number of epochs may come again
	inFlight []request
	arrived  uint64 // ever
	ended    uint64 // ever, of any epoch

	latency   controller.Histogram // of this tick; overwritten by the next
	completed int                  // in this tick, of this epoch
	failures  int
	requests  int
}

// request is one in flight.
type request struct {
	start time.Duration // age
	end   time.Duration // by the clock of work
	round uint64
	fails bool
}

func (r *requestLevel) beginEpoch() { r.round++ }

// tick lets d of time pass, request by request.
func (s *Service) tick(d time.Duration) {
	r := &s.requests
	r.latency.Reset()
	r.completed, r.failures, r.requests = 0, 0, 0
	n := int((d + slice - 1) / slice)
	end := s.age + d
	cpu := 0.0
	var w weather
	for i := range n {
		stretch := (end - s.age) / time.Duration(n-i)
		w = s.ahead(stretch)
		before := r.requests
		if w.effect.Stalled {
			s.arrive(stretch, 0, &w)
		} else {
			r.finish(s.age, stretch)
			s.arrive(stretch, stretch, &w)
			r.worked += stretch
		}
		cpu += s.spend(r.requests-before, &w)
		s.age += stretch
	}
	s.report(cpu)
	s.memory(&w.effect)
}

// finish ends what is in flight and is done within a stretch of work from now.
func (r *requestLevel) finish(now, stretch time.Duration) {
	kept := r.inFlight[:0]
	for _, q := range r.inFlight {
		if q.end > r.worked+stretch {
			kept = append(kept, q)
			continue
		}
		r.done(q.round, now+q.end-r.worked-q.start, q.fails)
	}
	r.inFlight = kept
}

// done counts a request that ended, if it is of this epoch.
func (r *requestLevel) done(round uint64, latency time.Duration, failed bool) {
	r.ended++
	if round != r.round {
		return
	}
	r.completed++
	if failed {
		r.failures++
	} else {
		r.latency.Record(latency)
	}
}

// arrive lets the requests of a stretch of time start. Those that end within
// its work end there; the others stay in flight.
func (s *Service) arrive(stretch, work time.Duration, w *weather) {
	if w.rate <= 0 {
		return
	}
	r := &s.requests
	gap := 1e9 / w.rate
	length := float64(stretch)
	for at := gap * s.arrivals.ExpFloat64(); at < length; at += gap * s.arrivals.ExpFloat64() {
		r.arrived++
		r.requests++
		x := w.median
		if t := w.tail.t; t != nil {
			x *= t.at(s.latencies.Float64())
		}
		latency := seconds(x)
		fails := w.effect.Errors > 0 && s.latencies.Float64() < w.effect.Errors
		start := time.Duration(at)
		if work > 0 && start+latency <= work {
			r.done(r.round, latency, fails)
			continue
		}
		q := request{start: s.age + start, end: r.worked + latency, round: r.round, fails: fails}
		if work > 0 {
			q.end += start
		}
		r.inFlight = append(r.inFlight, q)
	}
}

// report fills the sample as a live recorder does: what started and ended in
// this epoch, and at their ages those that did not end.
func (s *Service) report(cpu float64) {
	r := &s.requests
	oldest := time.Duration(math.MaxInt64)
	for i := range r.inFlight {
		q := &r.inFlight[i]
		oldest = min(oldest, q.start)
		if q.round != r.round {
			continue
		}
		if s.sample.Unfinished == nil { // new each time: merged samples keep it
			s.sample.Unfinished = &controller.Histogram{}
		}
		s.sample.Unfinished.Record(s.age - q.start)
	}
	age := 0.0
	if len(r.inFlight) > 0 {
		age = (s.age - oldest).Seconds()
	}
	r.latency.Fail(uint64(r.failures))
	s.sample.Latency = &r.latency
	t, g := s.sample.Totals, s.sample.Gauges
	t[controller.Requests] = float64(r.requests)
	t[controller.Completions] = float64(r.completed)
	t[controller.Errors] = float64(r.failures)
	t[controller.CPUSeconds] = cpu
	g[controller.InFlight] = float64(len(r.inFlight))
	g[controller.OldestInFlight] = age
}

// seconds as a duration, at most what a histogram tells apart.
func seconds(s float64) time.Duration {
	return time.Duration(min(s*1e9, float64(controller.MaxLatency)))
}
