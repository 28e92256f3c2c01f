package executor

import (
	"context"
	"math/rand/v2"
	"time"
)

// Span is one execution of a step that has ended, for an Exporter. Nested steps
// have spans of their own.
type Span struct {
	// Step is the name of the step.
	Step string
	// Start is when the execution began, by the machine's clock; Duration is
	// monotonic, and includes what waited in queues and between attempts.
	Start    time.Time
	Duration time.Duration
	// Count is how many executions the span stands for: 1 over the sampling rate
	// at which it was chosen. The sum of Count over exported spans is, in
	// expectation, the number of executions, whatever the rate was meanwhile.
	Count float64
	// Err is what Run returned: a *StepError, or nil.
	Err error
	// Events in the order in which they happened: the first maxEvents of them.
	Events []Event
	// Begun is what the exporter's Begin returned, nil for one without Begin.
	Begun any
}

// Event is something that happened within an execution.
type Event struct {
	Name EventName
	// At is when, after the span's Start.
	At time.Duration
	// Err that was the reason, or nil.
	Err error
}

// EventName says what happened.
type EventName string

// CacheHit: the result was in the cache. Shared: it is that of an identical
// execution that was in flight. Retry: another attempt begins, after Err.
// Fallback: the fallback is called, after Err.
const (
	CacheHit EventName = "cache_hit"
	Shared   EventName = "shared"
	Retry    EventName = "retry"
	Fallback EventName = "fallback"
)

// maxEvents bounds what a step with very many attempts records.
const maxEvents = 32

// tracing is the context of an execution that has a span, as the layers pass it
// down. No function of a step ever gets it, only the context inside: so a layer
// whose context is a *tracing knows that the span is of its own execution, not of
// one that it is nested in.
type tracing struct {
	context.Context
	span Span
}

// inside returns the context for a function of the step.
func inside(ctx context.Context) context.Context {
	if t, ok := ctx.(*tracing); ok {
		return t.Context
	}
	return ctx
}

// note adds an event to the span of this execution, if it has one.
func note(ctx context.Context, name EventName, err error) {
	if t, ok := ctx.(*tracing); ok && len(t.span.Events) < maxEvents {
		t.span.Events = append(t.span.Events, Event{Name: name, At: time.Since(t.span.Start), Err: err})
	}
}

// picks decides whether an execution gets a span: before anything of it is made,
// so that one that is not picked costs a random number. Each is decided on its
// own. Deciding by trace would keep traces whole, but then a step that is called
// many times in one trace would have all of its spans or none.
func (st *snapshot) picks() bool {
	return st.spanRate >= 1 || rand.Float64() < st.spanRate
}

// trace is Run for an execution that was picked.
func (s *Step[In, Out]) trace(ctx context.Context, count *stripe, st *snapshot, hash uint64, in In) (out Out, err error) {
	t := &tracing{Context: ctx, span: Span{Step: s.cfg.Name, Count: 1 / st.spanRate, Start: time.Now()}}
	begun := s.ex.telemetry.begin(t)
	var from source
	returned := false
	defer func() {
		switch v := recover(); {
		case v != nil:
			err = s.ex.panicked(v)
		case !returned:
			err = ErrGoexit // seen by the span only
		}
		out, err = s.settle(count, out, err)
		t.span.Err, t.span.Duration = err, time.Since(t.span.Start)
		t.Context = nil // whatever the request holds on to, a queued span does not
		s.ex.telemetry.end(&t.span, begun)
		count.ended[from].Add(1) // after the span is queued: Close relies on it
	}()
	out, from, err = s.layers(t, count, st, hash, in)
	returned = true
	return out, err
}
