package executor

import (
	"context"
	"errors"
	"runtime/debug"
	"time"
)

// The layers of an execution, from the outside in. Each calls the next.

// run is Run for a step to which something that is on matters.
func (s *Step[In, Out]) run(ctx context.Context, count *stripe, st *snapshot, hash uint64, in In) (out Out, err error) {
	var from source
	defer s.end(count, &from, &out, &err)
	out, from, err = s.layers(ctx, count, st, hash, in)
	return out, err
}

// layers are what is within telemetry.
func (s *Step[In, Out]) layers(ctx context.Context, count *stripe, st *snapshot, hash uint64, in In) (out Out, from source, err error) {
	on := st.features & s.relevant
	if on&closed != 0 {
		return out, ran, ErrClosed
	}
	if err = ctx.Err(); err != nil {
		return out, ran, err
	}
	switch {
	case on&(cached|shared) != 0:
	case s.cfg.Fallback == nil:
		out, err = s.attempts(ctx, st, nil, in)
		return out, ran, err
	default:
		return s.answered(ctx, st, identity{}, in)
	}
	id, held, ok := s.identify.of(in, st.features&hashed != 0, hash)
	if ok && on&cached != 0 {
		if kept := s.kept(st, &id); kept != nil {
			held.free()
			note(ctx, CacheHit, nil)
			return s.copyOf(kept.out), hit, nil
		}
		count.misses.Add(1)
	}
	return s.answered(ctx, st, held.own(id), in)
}

// serves reports whether kept results need neither a digest of the input to be
// found nor a copy: then nothing can panic before the result is there.
func (s *Step[In, Out]) serves(st *snapshot) bool {
	return s.direct && st.features&(cached|hashed|closed) == cached|hashed
}

// served is run for an execution that serves is true for.
func (s *Step[In, Out]) served(ctx context.Context, count *stripe, st *snapshot, hash uint64, in In) (out Out, err error) {
	if ctx.Err() != nil {
		return s.run(ctx, count, st, hash, in)
	}
	if hash == 0 {
		hash = s.identify.hash(in)
	}
	if e, ok := st.store.get(hash); ok {
		if r, ok := e.(*result[Out]); ok && s.identify.is(&r.id, in) {
			count.ended[hit].Add(1)
			return r.out, nil
		}
	}
	var from source
	defer s.end(count, &from, &out, &err)
	count.misses.Add(1)
	id, _, _ := s.identify.of(in, true, hash)
	out, from, err = s.answered(ctx, st, id, in)
	return out, err
}

// answered is what the cache does not answer. The identity is the zero value if
// the input has none, or none is needed.
func (s *Step[In, Out]) answered(ctx context.Context, st *snapshot, id identity, in In) (out Out, from source, err error) {
	switch on := st.features & s.relevant; {
	case id.hash == 0:
		out, err = s.attempts(ctx, st, nil, in)
	case on&shared != 0:
		out, from, err = s.together(ctx, st, id, in)
	default:
		var c computed[Out]
		c, err = s.compute(ctx, st, id, nil, in)
		out = c.out
	}
	if err != nil && s.cfg.Fallback != nil && ctx.Err() == nil {
		s.ex.counters.fallbacks.Add(1)
		note(ctx, Fallback, err)
		out, err = isolated(inside(ctx), func(ctx context.Context) (Out, error) { return s.cfg.Fallback(ctx, in, err) })
	}
	return out, from, err
}

// kept returns the result that is in the cache for an identity, or nil.
func (s *Step[In, Out]) kept(st *snapshot, id *identity) *result[Out] {
	if e, ok := st.store.get(id.hash); ok {
		if r, ok := e.(*result[Out]); ok && r.id == *id {
			return r
		}
	}
	return nil
}

// computed is an output and, if it was kept, the one that is in the cache.
type computed[Out any] struct {
	out  Out
	kept *result[Out]
}

// compute runs the attempts, and keeps the result if it may.
func (s *Step[In, Out]) compute(ctx context.Context, st *snapshot, id identity, node *flightNode, in In) (c computed[Out], err error) {
	if st.features&cached == 0 {
		c.out, err = s.attempts(ctx, st, node, in)
		return c, err
	}
	generation := st.store.generation(id.hash)
	from := origin{born: s.ex.clock.NowNano(), results: s.cfg.Results}
	if c.out, err = s.attempts(ctx, st, node, in); err != nil {
		return c, err
	}
	c.kept = &result[Out]{origin: from, id: id, out: s.copyOf(c.out)}
	st.store.put(id.hash, generation, c.kept)
	return c, nil
}

// maxVoid is after how many leaders without a result an execution runs alone.
const maxVoid = 3

// together joins the identical execution that is in flight, or is the one that
// others join.
func (s *Step[In, Out]) together(ctx context.Context, st *snapshot, id identity, in In) (out Out, from source, err error) {
	within := frameOf(ctx)
	for range maxVoid {
		f, leads := s.flights.join(id, s.ex.clock.NowNano(), s.cfg.Results.fresh)
		if leads {
			return s.lead(ctx, st, id, f, in)
		}
		within.yield()
		ancestors := within.flights(s.ex)
		if len(ancestors) > 0 && !s.ex.graph.enter(ancestors, &f.node) {
			break
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			err = ctx.Err()
		}
		if len(ancestors) > 0 {
			s.ex.graph.leave(ancestors, &f.node)
		}
		if err != nil {
			return out, ran, err
		}
		if f.void {
			continue
		}
		note(ctx, Shared, nil)
		if f.outcome.err != nil {
			return out, joined, f.outcome.err
		}
		return s.copyOf(f.outcome.out), joined, nil
	}
	c, err := s.compute(ctx, st, id, nil, in)
	return c.out, ran, err
}

// lead computes for itself and for those who join.
func (s *Step[In, Out]) lead(ctx context.Context, st *snapshot, id identity, f *flight[Out], in In) (out Out, from source, err error) {
	var c computed[Out]
	f.void = true // until there is an outcome; stays so if this goroutine ends or panics
	defer func() {
		if !s.flights.land(id, f) {
			return
		}
		defer close(f.done) // even if Copy panics
		if f.void || err != nil {
			f.outcome.err = err
			return
		}
		if c.kept == nil {
			f.void = true
			c.kept = &result[Out]{out: s.copyOf(out)}
			f.void = false
		}
		f.outcome.out = c.kept.out
	}()
	if st.features&cached != 0 {
		// The leader before may have stored its result between this
		// execution's look at the cache and its turn to lead.
		if c.kept = s.kept(st, &id); c.kept != nil {
			note(ctx, Shared, nil)
			f.void = false
			return s.copyOf(c.kept.out), joined, nil
		}
	}
	c, err = s.compute(ctx, st, id, &f.node, in)
	// An error under a context that is done may be of its making.
	f.void = err != nil && ctx.Err() != nil
	return c.out, ran, err
}

// attempts tries until it succeeds, may not, or has tried often enough.
func (s *Step[In, Out]) attempts(ctx context.Context, st *snapshot, node *flightNode, in In) (out Out, err error) {
	if s.cfg.Attempts == 1 {
		out, _, err = s.guarded(inside(ctx), st, node, in)
		return out, err
	}
	budgeted := st.features&classified != 0
	if budgeted {
		s.budget.earn()
	}
	inner := inside(ctx)
	for n := 1; ; n++ {
		var class ErrorClass
		if out, class, err = s.guarded(inner, st, node, in); err == nil || n >= s.cfg.Attempts || ctx.Err() != nil {
			return out, err
		}
		switch {
		case class != Transient:
			if budgeted && !final(err) {
				s.ex.counters.pointless.Add(1)
			}
			return out, err
		case budgeted && !s.budget.spend():
			s.ex.counters.unaffordable.Add(1)
			return out, err
		}
		if err := s.pause(ctx, n); err != nil {
			return out, err
		}
		s.ex.counters.retries.Add(1)
		note(ctx, Retry, err)
	}
}

// final reports errors that another attempt cannot mend, or should not try to,
// whatever is switched on.
func final(err error) bool {
	return errors.Is(err, ErrConcurrencyTimeout) || errors.Is(err, ErrCircuitOpen) || errors.Is(err, ErrClosed) ||
		errors.Is(err, ErrGoexit) || isPanic(err)
}

func isPanic(err error) bool {
	var p *PanicError
	return errors.As(err, &p)
}

// guarded is an attempt that the circuit admits, and the class of its error.
func (s *Step[In, Out]) guarded(ctx context.Context, st *snapshot, node *flightNode, in In) (out Out, class ErrorClass, err error) {
	if st.features&breaking != 0 {
		pass, admitted := s.circuit.enter(st.circuits, s.ex.clock)
		if !admitted {
			s.ex.counters.broken.Add(1)
			return out, Overload, ErrCircuitOpen
		}
		says := saysNothing // stays so if this goroutine ends
		defer func() {
			if s.circuit.leave(pass, says, s.ex.clock) {
				s.ex.counters.opened.Add(1)
			}
		}()
		out, err = s.attempt(ctx, st, node, in)
		if err != nil {
			class = s.classify(ctx, st, err)
		}
		says = verdictOn(ctx, class, st.features&classified != 0, err)
		return out, class, err
	}
	if out, err = s.attempt(ctx, st, node, in); err != nil {
		class = s.classify(ctx, st, err)
	}
	return out, class, err
}

// pause waits after attempt n, from 1.
func (s *Step[In, Out]) pause(ctx context.Context, n int) error {
	if s.cfg.Backoff == 0 {
		return ctx.Err()
	}
	d := min(s.cfg.Backoff, maxBackoff)
	for ; n > 1 && d < maxBackoff; n-- {
		d = min(2*d, maxBackoff)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// attempt calls the function once, with a copy of the run state if there is one.
// What it sets comes back with its result; from one that a timeout left behind,
// neither does.
func (s *Step[In, Out]) attempt(ctx context.Context, st *snapshot, node *flightNode, in In) (Out, error) {
	switch on := st.features & s.relevant; {
	case on&(stateful|limited) == 0 && node == nil && s.cfg.Timeout == 0:
		return s.call(ctx, in)
	case on&stateful == 0:
		return s.admitted(ctx, st, node, in)
	}
	return isolated(ctx, func(ctx context.Context) (Out, error) { return s.admitted(ctx, st, node, in) })
}

// admitted calls the function under a permit and a timeout as need be.
func (s *Step[In, Out]) admitted(ctx context.Context, st *snapshot, node *flightNode, in In) (Out, error) {
	if st.features&limited == 0 && node == nil {
		return s.bounded(ctx, nil, in)
	}
	f := &frame{Context: ctx, owner: s.ex, parent: frameOf(ctx), node: node}
	if st.features&limited != 0 {
		f.parent.yield()
		if err := s.ex.admit(ctx, st.config.ConcurrencyTimeout); err != nil {
			var zero Out
			return zero, err
		}
		f.permit = &s.ex.permits.semaphore
		f.held.Store(true)
	}
	return s.bounded(f, f, in)
}

// bounded calls the function and releases the frame's permit when it returns,
// which may be after the step has gone on.
func (s *Step[In, Out]) bounded(ctx context.Context, f *frame, in In) (Out, error) {
	if s.cfg.Timeout == 0 {
		defer f.release()
		return s.call(ctx, in)
	}
	inner, cancel := context.WithTimeoutCause(ctx, s.cfg.Timeout, ErrTimeout)
	done := make(chan outcome[Out], 1)
	s.ex.background.Add(1)
	go func() {
		r := outcome[Out]{err: ErrGoexit} // unless call returns
		defer func() {
			done <- r // before cancel: who sees the end must find the result
			cancel()
			f.release()
			s.ex.background.Add(-1)
		}()
		r.out, r.err = s.call(inner, in)
	}()
	var r outcome[Out]
	select {
	case r = <-done:
	case <-inner.Done():
		select {
		case r = <-done: // both at once: a result is a result
		default:
			r.err = inner.Err()
		}
	}
	// Whoever noticed first, the function or this, it is the same error.
	if r.err != nil && ctx.Err() == nil && errors.Is(context.Cause(inner), ErrTimeout) && errors.Is(r.err, context.DeadlineExceeded) {
		s.ex.counters.timeouts.Add(1)
		r.err = ErrTimeout
	}
	return r.out, r.err
}

// call runs the function in this goroutine.
func (s *Step[In, Out]) call(ctx context.Context, in In) (out Out, err error) {
	defer s.recovered(&err)
	return s.cfg.Run(ctx, in)
}

// recovered turns a panic into an error. It is to be deferred.
func (s *Step[In, Out]) recovered(err *error) {
	if v := recover(); v != nil {
		*err = s.ex.panicked(v)
	}
}

func (ex *Executor) panicked(v any) error {
	ex.counters.panics.Add(1)
	return &PanicError{Value: v, Stack: debug.Stack()}
}

// copyOf returns an output that the receiver may change.
func (s *Step[In, Out]) copyOf(out Out) Out {
	if s.cfg.Copy == nil {
		return out
	}
	return s.cfg.Copy(out)
}
