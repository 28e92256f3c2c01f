package executor

import (
	"context"
	"sync/atomic"
	"testing"
)

// A step could keep a chain of only those layers that are on, made anew when the
// configuration changes, instead of asking a flag in each layer. This is that
// chain, of the layers between a call and a retry, beside what Run does: DESIGN.md
// says what came of it.
func BenchmarkChain(b *testing.B) {
	ints, _ := inputs()
	for _, c := range []struct {
		name string
		cfg  Config
		step StepConfig[int, int]
	}{
		{"none", Config{}, StepConfig[int, int]{Run: bare}},
		{"breaker", Config{EnableCircuitBreaker: true}, StepConfig[int, int]{Run: bare}},
		{"permit", Config{EnableConcurrencyOptimization: true, MaxConcurrentExecutions: 1000}, StepConfig[int, int]{Run: bare}},
		{"retry-breaker", Config{EnableCircuitBreaker: true, EnableOptimizedErrorHandling: true}, StepConfig[int, int]{Run: bare, Attempts: 3}},
		{"retry-breaker-permit", Config{
			EnableCircuitBreaker: true, EnableOptimizedErrorHandling: true,
			EnableConcurrencyOptimization: true, MaxConcurrentExecutions: 1000,
		}, StepConfig[int, int]{Run: bare, Attempts: 3}},
	} {
		own := &chained[int, int]{Step: bind(b, start(b, c.cfg), c.step)}
		beside(b, c.name, func(i int) { _, _ = own.run(context.Background(), ints[i]) }, running(b, c.cfg, c.step, ints))
	}
}

type link[In, Out any] func(ctx context.Context, in In) (Out, error)

// chained is a step with a chain for one configuration.
type chained[In, Out any] struct {
	*Step[In, Out]
	current atomic.Pointer[compiled[In, Out]]
}

type compiled[In, Out any] struct {
	of  *snapshot
	run func(ctx context.Context, count *stripe, in In) (Out, error)
}

func (s *chained[In, Out]) run(ctx context.Context, in In) (Out, error) {
	count := s.ex.counters.stripe()
	count.began[s.kind].Add(1)
	c := s.current.Load()
	if st := s.ex.current.Load(); c == nil || c.of != st {
		c = s.compile(st)
		s.current.Store(c)
	}
	return c.run(ctx, count, in)
}

// compile makes the chain from the inside out.
func (s *chained[In, Out]) compile(st *snapshot) *compiled[In, Out] {
	if st.features&s.relevant == 0 {
		return &compiled[In, Out]{st, s.plain}
	}
	next := link[In, Out](s.call)
	if st.features&limited != 0 {
		inner, timeout := next, st.config.ConcurrencyTimeout
		next = func(ctx context.Context, in In) (out Out, err error) {
			f := &frame{Context: ctx, owner: s.ex, parent: frameOf(ctx)}
			f.parent.yield()
			if err := s.ex.admit(ctx, timeout); err != nil {
				return out, err
			}
			f.permit = &s.ex.permits.semaphore
			f.held.Store(true)
			defer f.release()
			return inner(f, in)
		}
	}
	if st.features&breaking != 0 {
		inner, rule, strict := next, st.circuits, st.features&classified != 0
		next = func(ctx context.Context, in In) (out Out, err error) {
			pass, admitted := s.circuit.enter(rule, s.ex.clock)
			if !admitted {
				return out, ErrCircuitOpen
			}
			says := saysNothing
			defer func() { s.circuit.leave(pass, says, s.ex.clock) }()
			if out, err = inner(ctx, in); err != nil {
				says = verdictOn(ctx, s.classify(ctx, st, err), strict, err)
			} else {
				says = saysWorks
			}
			return out, err
		}
	}
	if s.cfg.Attempts > 1 {
		inner, budgeted := next, st.features&classified != 0
		next = func(ctx context.Context, in In) (out Out, err error) {
			if budgeted {
				s.budget.earn()
			}
			for n := 1; ; n++ {
				if out, err = inner(ctx, in); err == nil || n >= s.cfg.Attempts || ctx.Err() != nil {
					return out, err
				}
				if s.classify(ctx, st, err) != Transient || budgeted && !s.budget.spend() {
					return out, err
				}
			}
		}
	}
	return &compiled[In, Out]{st, func(ctx context.Context, count *stripe, in In) (out Out, err error) {
		var from source
		defer s.end(count, &from, &out, &err)
		if err = ctx.Err(); err != nil {
			return out, err
		}
		return next(ctx, in)
	}}
}
