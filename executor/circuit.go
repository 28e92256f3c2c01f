package executor

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
)

// probes is how many executions try again at once when a circuit is half open,
// and how many that succeed close it. One that fails opens it again.
const probes = 3

// circuits is the part of enable_circuit_breaker: the rule that the circuits of
// all steps go by. A circuit is its step's own, and looks at the rule when it is
// used.
type circuits struct {
	nothingToTrim

	rule *circuitRule // guarded by the executor's lock
}

// circuitRule is never changed; the one that comes after it has a higher version.
type circuitRule struct {
	version   uint64
	on        bool
	lifetime  uint64 // how often it went on: every circuit begins anew with it
	threshold int
	recovery  time.Duration
}

func (c *circuits) reconcile(next *snapshot) {
	r := circuitRule{
		on:        next.features&breaking != 0,
		threshold: next.config.CircuitBreakerFailureThreshold,
		recovery:  next.config.CircuitBreakerRecoveryTimeout,
	}
	if was := c.rule; was != nil {
		r.version, r.lifetime = was.version, was.lifetime
		if r.on && !was.on {
			r.lifetime++
		}
		if r == *was {
			next.circuits = was
			return
		}
	}
	r.version++
	c.rule, next.circuits = &r, &r
}

func (c *circuits) readBack(cfg *Config) {
	cfg.CircuitBreakerFailureThreshold, cfg.CircuitBreakerRecoveryTimeout = c.rule.threshold, c.rule.recovery
}

func (c *circuits) stop() {}

// circuit keeps a step from being run while what it depends on is down.
//
// # What the library is asked
//
// failsafe-go's breaker counts: failures in a row, trials and how they end. Three
// things it leaves to its user. Its delay is fixed when it is built, so the
// circuit keeps the time itself. It takes the result of an execution that it
// admitted while closed for that of a trial, so results come with the state in
// which they were admitted, and late ones are dropped. A trial that says nothing,
// because its caller canceled it, has no way to give its permit back, so the
// circuit gives that to the next. And it takes a lock for each question; but a
// success after a success changes no count, so that it is asked only while there
// is trouble. Otherwise an execution costs a few loads.
//
// # When the rule moves
//
// The recovery timeout counts from when the circuit opened, whichever is in force
// when an execution asks. With another threshold an open circuit stays open, a
// closed one counts from zero, and one with trials under way changes when they
// have ended, so that there are never more than the bound. With the switch off
// and on again, every circuit is closed and counts from zero.
type circuit struct {
	rule atomic.Pointer[circuitRule] // the newest that an execution brought; written under mu
	// word is twice the number of changes of state, plus 1 while there is
	// trouble: it is not closed, or the last result was a failure. Written under mu.
	word atomic.Uint64

	mu        sync.Mutex
	breaker   circuitbreaker.CircuitBreaker[any]
	threshold int   // that breaker was built for
	opened    int64 // when, by the executor's clock
	spare     int   // permits of trials that said nothing
}

// passage is the word under which an execution was admitted.
type passage uint64

// verdict is what an execution says about what its step depends on.
type verdict int

const (
	saysNothing verdict = iota // it was canceled, or did not get that far
	saysWorks
	saysFails
)

// enter admits an execution, or rejects it.
func (c *circuit) enter(rule *circuitRule, clock clock) (p passage, admitted bool) {
	word := c.word.Load()
	if r := c.rule.Load(); word&1 == 0 && r != nil && r.version >= rule.version {
		return passage(word), true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.adopt(rule)
	if c.breaker.IsOpen() {
		if clock.NowNano()-c.opened < int64(c.rule.Load().recovery) {
			return 0, false
		}
		c.breaker.HalfOpen()
		c.spare = 0
		c.changed(true)
	}
	switch {
	case c.breaker.TryAcquirePermit():
	case c.spare > 0:
		c.spare--
	default:
		return 0, false
	}
	return passage(c.word.Load()), true
}

// leave takes what an admitted execution says, and reports whether that opened
// the circuit.
func (c *circuit) leave(p passage, v verdict, clock clock) (opened bool) {
	if word := c.word.Load(); v != saysFails && word&1 == 0 || word>>1 != uint64(p)>>1 {
		return false // it changes nothing, or is about a state that has passed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.word.Load()>>1 != uint64(p)>>1 {
		return false
	}
	before := c.breaker.State()
	switch v {
	case saysWorks:
		c.breaker.RecordSuccess()
	case saysFails:
		c.breaker.RecordFailure()
	case saysNothing:
		if before == circuitbreaker.HalfOpenState {
			c.spare++
		}
		return false
	}
	after := c.breaker.State()
	switch {
	case after == before:
		if before == circuitbreaker.ClosedState {
			c.trouble(v == saysFails)
		}
	case after == circuitbreaker.ClosedState:
		c.changed(false)
		c.fit()
	case after == circuitbreaker.OpenState:
		c.opened = clock.NowNano()
		c.changed(true)
		c.fit()
	}
	return after != before && after == circuitbreaker.OpenState
}

// adopt takes a rule if it is newer. The caller holds mu.
func (c *circuit) adopt(rule *circuitRule) {
	was := c.rule.Load()
	if was != nil && was.version >= rule.version {
		return
	}
	c.rule.Store(rule)
	if was != nil && was.lifetime != rule.lifetime {
		c.breaker = nil
		c.changed(false)
	}
	c.fit()
}

// fit gives the rule's threshold to the breaker, which has to be built anew for
// that, unless trials are under way. The caller holds mu.
func (c *circuit) fit() {
	threshold := c.rule.Load().threshold
	if c.breaker != nil && (c.threshold == threshold || c.breaker.IsHalfOpen()) {
		return
	}
	was := c.breaker
	c.threshold = threshold
	c.breaker = circuitbreaker.NewBuilder[any]().
		WithFailureThreshold(uint(threshold)).
		WithSuccessThreshold(probes).
		WithDelay(forever).
		Build()
	if was != nil && was.IsOpen() {
		c.breaker.Open()
		return
	}
	c.trouble(false)
}

// forever is a delay that never ends by itself.
const forever = 1<<63 - 1

// changed notes another state. The caller holds mu.
func (c *circuit) changed(trouble bool) {
	c.word.Store(c.word.Load()&^1 + 2)
	c.trouble(trouble)
}

// trouble notes whether there is any. The caller holds mu.
func (c *circuit) trouble(is bool) {
	word := c.word.Load() &^ 1
	if is {
		word |= 1
	}
	c.word.Store(word)
}

// verdictOn is what an attempt that ended with err says. strict is whether errors
// of the class Permanent are known from others: they are answers of what the step
// depends on, except for a function that panics.
func verdictOn(ctx context.Context, class ErrorClass, strict bool, err error) verdict {
	switch {
	case err == nil:
		return saysWorks
	case ctx.Err() != nil, class == Canceled, errors.Is(err, ErrConcurrencyTimeout), errors.Is(err, ErrClosed):
		return saysNothing
	case strict && class == Permanent && !isPanic(err) && !errors.Is(err, ErrGoexit):
		return saysWorks
	default:
		return saysFails
	}
}
