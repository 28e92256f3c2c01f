package plant

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Dependency is somebody else's service that a kind of requests calls, and what
// the step does when it fails.
type Dependency struct {
	// A call takes Least plus an exponential time of mean Spread, or Hang in a
	// share Hangs of calls; a share Fails of them fails.
	Least, Spread, Hang time.Duration
	Hangs, Fails        float64
	// Outages are when it is down: then each call fails, after Least. Nil: never.
	// OutageFor and OutageEvery are the mean lengths of outages and of the times
	// between; 0: none.
	OutageFor, OutageEvery time.Duration
	// Wait is the CPU time of waiting once, for a call or before another attempt: its
	// timer, goroutine and wake-up. Alloc is what a call allocates, in bytes.
	Wait  time.Duration
	Alloc float64
	// Permanent: another attempt cannot succeed, which the baseline finds out by making it.
	Permanent bool
	// Attempts in all, 1 or more; the pause after the n-th is Backoff·2ⁿ⁻¹.
	Attempts int
	Backoff  time.Duration
	// Timeout of an attempt; 0: none.
	Timeout time.Duration
	// Fallback is the CPU time of the answer when every attempt failed; 0: there is
	// none, and the request fails.
	Fallback time.Duration
}

func (d *Dependency) check() error {
	var errs []error
	for _, f := range []struct {
		name string
		v    time.Duration
	}{
		{"least", d.Least},
		{"spread", d.Spread},
		{"hang", d.Hang},
		{"wait", d.Wait},
		{"outage_for", d.OutageFor},
		{"outage_every", d.OutageEvery},
		{"backoff", d.Backoff},
		{"timeout", d.Timeout},
		{"fallback", d.Fallback},
	} {
		if f.v < 0 {
			errs = append(errs, fmt.Errorf("calls: %s %v: must not be negative", f.name, f.v))
		}
	}
	for _, f := range []struct {
		name string
		v    float64
	}{{"hangs", d.Hangs}, {"fails", d.Fails}} {
		if !(f.v >= 0 && f.v <= 1) {
			errs = append(errs, fmt.Errorf("calls: %s %v: must be within 0..1", f.name, f.v))
		}
	}
	if !(d.Alloc >= 0) || math.IsInf(d.Alloc, 0) {
		errs = append(errs, fmt.Errorf("calls: alloc %v: must be a finite number, and not negative", d.Alloc))
	}
	if d.Attempts < 1 || d.Attempts > 100 {
		errs = append(errs, fmt.Errorf("calls: attempts %d: must be within 1..100", d.Attempts))
	}
	return errors.Join(errs...)
}

// budget of retries, as the executor's: an execution puts one token in, a retry
// takes retryEvery out, and the bucket holds retryReserve of those.
type budget struct{ spent int }

const (
	retryEvery   = 5
	retryReserve = 10
)

func (b *budget) earn() { b.spent = max(b.spent-1, 0) }

func (b *budget) spend() bool {
	if b.spent+retryEvery > retryReserve*retryEvery {
		return false
	}
	b.spent += retryEvery
	return true
}

// circuit is a breaker, as the executor's: so many failures in a row open it;
// after the recovery timeout, probes at once may try, and as many successes
// close it; one failure opens it again.
type circuit struct {
	state    circuitState
	version  uint32 // of the state: who was admitted under another says nothing
	inARow   int    // failures
	opened   time.Duration
	admitted int // since it is half open
	worked   int
}

type circuitState uint8

const (
	shut circuitState = iota // requests pass
	open
	halfOpen

	probes = 3
)

// enter reports whether an attempt may be made, and under which version.
func (c *circuit) enter(now, recovery time.Duration) (version uint32, ok bool) {
	if c.state == open {
		if now-c.opened < recovery {
			return 0, false
		}
		c.become(halfOpen)
	}
	if c.state == halfOpen {
		if c.admitted == probes {
			return 0, false
		}
		c.admitted++
	}
	return c.version, true
}

// leave takes how an admitted attempt ended.
func (c *circuit) leave(version uint32, failed bool, now time.Duration, after int) {
	if version != c.version {
		return
	}
	switch {
	case failed && c.state == halfOpen:
		c.become(open)
		c.opened = now
	case failed:
		if c.inARow++; c.inARow >= after {
			c.become(open)
			c.opened = now
		}
	case c.state == halfOpen:
		if c.worked++; c.worked == probes {
			c.become(shut)
		}
	default:
		c.inARow = 0
	}
}

func (c *circuit) become(s circuitState) {
	*c = circuit{state: s, version: c.version + 1, opened: c.opened}
}
