package controller_test

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// requests is a service with one switch, "x", request by request: Poisson
// arrivals, a latency for each, and those in flight carried over ticks and
// epochs, as the sensors of a live service do.
type requests struct {
	rng    *rand.Rand
	rate   float64 // a second
	tail   func(*rand.Rand) float64
	level  func(age time.Duration) float64                   // of the latency, log units; asked in order
	fails  float64                                           // share of requests, whatever the setting
	effect func(since time.Duration) (latency, fail float64) // of the switch: log units, share of requests; since it was set
	stall  func(age time.Duration) (from, to time.Duration)  // the next or present one, in which nothing moves

	now      time.Duration
	set      Setting
	since    time.Duration // when the setting in force was set
	epoch    uint64
	inFlight []request
}

type request struct {
	start, end time.Duration
	epoch      uint64
	fails      bool
}

const (
	requestMedian = 10 * time.Millisecond
	requestSlice  = 25 * time.Millisecond // in which the level is constant
)

var requestSpace, requestOffered, requestInitial = switches("x")

func (r *requests) Space() Space                             { return requestSpace }
func (r *requests) Current(context.Context) (Setting, error) { return r.set, nil }

func (r *requests) Apply(_ context.Context, s Setting) error {
	if !s.Equal(r.set) {
		r.set, r.since = s, r.now
	}
	return nil
}

func (r *requests) Observe(_ context.Context, epoch uint64, d time.Duration) (Sample, error) {
	r.epoch = epoch
	s := Sample{Over: d, Totals: map[Metric]float64{Requests: 0}, Latency: &Histogram{}}
	for end := r.now + d; r.now < end; {
		s.Totals[Requests] += r.arrive(min(requestSlice, end-r.now))
	}
	left := r.inFlight[:0]
	for _, q := range r.inFlight {
		switch {
		case q.end > r.now:
			left = append(left, q)
			if q.epoch == epoch {
				if s.Unfinished == nil {
					s.Unfinished = &Histogram{}
				}
				s.Unfinished.Record(r.now - q.start)
			}
		case q.epoch != epoch:
		case q.fails:
			s.Latency.Fail(1)
		default:
			s.Latency.Record(q.end - q.start)
		}
	}
	r.inFlight = left
	s.At = epochZero.Add(r.now)
	return s, nil
}

// arrive lets a slice of time pass and returns how many requests started in it.
func (r *requests) arrive(d time.Duration) (started float64) {
	level, fail := 0.0, r.fails
	if r.level != nil {
		level = r.level(r.now)
	}
	if r.set.On("x") && r.effect != nil {
		latency, share := r.effect(r.now - r.since)
		level, fail = level+latency, fail+share
	}
	for at := r.now; ; started++ {
		at += time.Duration(r.rng.ExpFloat64() / r.rate * 1e9)
		if at >= r.now+d {
			break
		}
		end := at + time.Duration(float64(requestMedian)*math.Exp(level)*r.tail(r.rng))
		if r.stall != nil {
			if from, to := r.stall(r.now); at < to && end > from {
				end += to - max(at, from)
			}
		}
		r.inFlight = append(r.inFlight, request{at, end, r.epoch, r.rng.Float64() < fail})
	}
	r.now += d
	return started
}

// Tails of a request's latency, around a median of about 1.
func lognormalTail(sigma float64) func(*rand.Rand) float64 {
	return func(rng *rand.Rand) float64 { return math.Exp(sigma * rng.NormFloat64()) }
}

func paretoTail(rng *rand.Rand) float64 { return math.Pow(2*(1-rng.Float64()), -1/1.2) }

func bimodalTail(rng *rand.Rand) float64 { // one in ten misses something, and takes 8 times as long
	y := math.Exp(0.3 * rng.NormFloat64())
	if rng.Float64() < 0.1 {
		y *= 8
	}
	return y
}

// wander is an Ornstein-Uhlenbeck level with a standard deviation and a
// correlation time, asked every slice.
func wander(rng *rand.Rand, sd float64, tau time.Duration) func(time.Duration) float64 {
	y, was := sd*rng.NormFloat64(), time.Duration(0)
	return func(age time.Duration) float64 {
		phi := math.Exp(-(age - was).Seconds() / tau.Seconds())
		y, was = phi*y+sd*math.Sqrt(1-phi*phi)*rng.NormFloat64(), age
		return y
	}
}
