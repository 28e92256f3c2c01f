package demo

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// upstream stands in for somebody else's service: it answers after some
// milliseconds, fails one time in eight and now and then does not answer in any
// useful time. It is the only thing here that sleeps. It is safe for concurrent
// use; with the same seed and calls one after the other it behaves the same.
//
// With outages it also goes down for some seconds at a time: then it fails, at
// once, whatever it is asked.
type upstream struct {
	mu      sync.Mutex
	rng     *rand.Rand
	outages *bursts // nil: none
	began   time.Time
}

var errUpstream = errors.New("upstream: temporarily unavailable")

const (
	upstreamFails  = 0.12
	upstreamHangs  = 0.02
	upstreamHang   = 2 * time.Second
	upstreamLeast  = 2 * time.Millisecond
	upstreamSpread = 3 * time.Millisecond // mean of the exponential part
)

func newUpstream(seed uint64, outages bool) *upstream {
	u := &upstream{rng: rand.New(rand.NewPCG(seed, 5)), began: time.Now()}
	if outages {
		b := newBursts(rand.New(rand.NewPCG(seed, 6)))
		u.outages = &b
	}
	return u
}

// down reports whether there is an outage at a time since the start. u.mu is held.
func (u *upstream) down(since time.Duration) bool {
	return u.outages != nil && u.outages.in(int(since.Seconds()))
}

// discount asks for the discount on an item, 0..0.3 of its price.
func (u *upstream) discount(ctx context.Context) (float64, error) {
	u.mu.Lock()
	wait := upstreamLeast + time.Duration(u.rng.ExpFloat64()*float64(upstreamSpread))
	if u.rng.Float64() < upstreamHangs {
		wait = upstreamHang
	}
	failed := u.rng.Float64() < upstreamFails
	discount := 0.3 * u.rng.Float64()
	if u.down(time.Since(u.began)) {
		wait, failed = upstreamLeast, true
	}
	u.mu.Unlock()

	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if failed {
		return 0, errUpstream
	}
	return discount, nil
}
