package executor

import (
	"context"
	"errors"
	"runtime/debug"
	"time"
)

// The layers of an execution, from the outside in. Each calls the next.

// run is Run for a step to which something that is on matters.
func (s *Step[In, Out]) run(ctx context.Context, count *stripe, st *state, in In) (out Out, err error) {
	defer s.end(count, &out, &err)
	if st.features&closed != 0 {
		return out, ErrClosed
	}
	if err = ctx.Err(); err != nil {
		return out, err
	}
	out, err = s.kept(ctx, count, st, in)
	if err != nil && s.cfg.Fallback != nil && ctx.Err() == nil {
		s.ex.counters.fallbacks.Add(1)
		return s.cfg.Fallback(ctx, in, err)
	}
	return out, err
}

// kept answers from the cache, or computes and keeps.
func (s *Step[In, Out]) kept(ctx context.Context, count *stripe, st *state, in In) (out Out, err error) {
	on := st.features & s.relevant
	if on&(cached|shared) == 0 {
		return s.attempts(ctx, st, nil, in)
	}
	defer s.recovered(&err) // of Key and Copy
	id, ok := s.identify(in)
	if !ok {
		return s.attempts(ctx, st, nil, in)
	}
	if on&cached != 0 {
		if v, ok := st.store.get(id); ok {
			count.hits.Add(1)
			return s.copyOf(v.(Out)), nil
		}
		count.misses.Add(1)
	}
	if on&shared != 0 {
		return s.together(ctx, count, st, id, in)
	}
	c := s.compute(ctx, st, id, nil, in)
	return c.out, c.err
}

// computed is an outcome with, if it was kept, the copy that is in the cache:
// nobody changes that one.
type computed[Out any] struct {
	outcome[Out]
	master    Out
	hasMaster bool
}

// compute runs the attempts, and keeps the result if it may.
func (s *Step[In, Out]) compute(ctx context.Context, st *state, id identity, node *flightNode, in In) (c computed[Out]) {
	if st.features&cached == 0 {
		c.out, c.err = s.attempts(ctx, st, node, in)
		return c
	}
	generation := st.store.generation(id)
	born := s.ex.clock.NowNano()
	if c.out, c.err = s.attempts(ctx, st, node, in); c.err != nil {
		return c
	}
	c.master, c.hasMaster = s.copyOf(c.out), true
	st.store.put(id, generation, entry{out: c.master, born: born, results: s.cfg.Results})
	return c
}

// maxVoid is after how many leaders without a result an execution runs alone.
const maxVoid = 3

// together joins the identical execution that is in flight, or is the one that
// others join.
func (s *Step[In, Out]) together(ctx context.Context, count *stripe, st *state, id identity, in In) (out Out, err error) {
	within := frameOf(ctx)
	for range maxVoid {
		f, leads := s.flights.join(id, s.ex.clock.NowNano(), s.cfg.Results.fresh)
		if leads {
			c := s.lead(ctx, count, st, id, f, in)
			return c.out, c.err
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
			return out, err
		}
		if f.void {
			continue
		}
		count.shared.Add(1)
		if f.outcome.err != nil {
			return out, f.outcome.err
		}
		return s.copyOf(f.outcome.out), nil
	}
	c := s.compute(ctx, st, id, nil, in)
	return c.out, c.err
}

// lead computes for itself and for those who join.
func (s *Step[In, Out]) lead(ctx context.Context, count *stripe, st *state, id identity, f *flight[Out], in In) (c computed[Out]) {
	f.void = true // until there is an outcome; stays so if this goroutine ends
	defer func() {
		if !s.flights.land(id, f) {
			return
		}
		defer close(f.done) // whatever Copy does
		if f.void {
			return
		}
		if c.err == nil && !c.hasMaster {
			f.void = true
			c.master = s.copyOf(c.out)
			f.void = false
		}
		f.outcome = outcome[Out]{c.master, c.err}
	}()
	if st.features&s.relevant&cached != 0 {
		// The leader before may have stored its result between this
		// execution's look at the cache and its turn to lead.
		if v, ok := st.store.get(id); ok {
			count.shared.Add(1)
			c.master, c.hasMaster = v.(Out), true
			c.out = s.copyOf(c.master)
			f.void = false
			return c
		}
	}
	c = s.compute(ctx, st, id, &f.node, in)
	// An error under a context that is done may be of its making.
	f.void = c.err != nil && ctx.Err() != nil
	return c
}

// attempts tries until it succeeds, may not, or has tried often enough.
func (s *Step[In, Out]) attempts(ctx context.Context, st *state, node *flightNode, in In) (out Out, err error) {
	for n := 1; ; n++ {
		if out, err = s.attempt(ctx, st, node, in); err == nil {
			return out, nil
		}
		if n >= s.cfg.Attempts || ctx.Err() != nil || final(err) {
			return out, err
		}
		if err := s.pause(ctx, n); err != nil {
			return out, err
		}
		s.ex.counters.retries.Add(1)
	}
}

// final reports errors that another attempt cannot mend, or should not try to.
func final(err error) bool {
	var p *PanicError
	return errors.Is(err, ErrConcurrencyTimeout) || errors.Is(err, ErrClosed) || errors.Is(err, ErrGoexit) || errors.As(err, &p)
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

// attempt calls the function once, under a permit and a timeout as need be.
func (s *Step[In, Out]) attempt(ctx context.Context, st *state, node *flightNode, in In) (Out, error) {
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
		f.permit = s.ex.permits
		f.held.Store(true)
	}
	return s.bounded(f, f, in)
}

// admit takes a permit.
func (ex *Executor) admit(ctx context.Context, timeout time.Duration) error {
	waited, err := ex.permits.acquire(ctx, timeout)
	if waited {
		ex.counters.waits.Add(1)
	}
	if errors.Is(err, ErrConcurrencyTimeout) {
		ex.counters.rejected.Add(1)
	}
	return err
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
			cancel()
			f.release()
			done <- r
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
	if r.err != nil && ctx.Err() == nil && context.Cause(inner) == ErrTimeout && errors.Is(r.err, context.DeadlineExceeded) {
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
