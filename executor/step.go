package executor

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
	"time"
)

// StepConfig says what a step is. Only Name and Run are needed; what is left
// out is not done, and costs nothing.
type StepConfig[In, Out any] struct {
	// Name in errors and reports.
	Name string
	// Run is the function. It should end when its context is done. It runs in
	// the caller's goroutine, except if the step has a Timeout.
	Run func(ctx context.Context, in In) (Out, error)

	// Attempts is how often Run is tried in all; 1 by default. A panic, a
	// rejection and the end of the caller's context are not tried again, nor, with
	// enable_optimized_error_handling, is what Classify knows to be in vain.
	Attempts int
	// Backoff is the wait before the second attempt; it doubles with each
	// further one, up to a minute. 0 by default: at once.
	Backoff time.Duration
	// Timeout bounds each attempt; 0 is no bound. The step goes on at the
	// timeout whether or not Run heeds its context. A Run that does not keeps
	// its goroutine, and its permit, until it returns, and what it returns is dropped.
	Timeout time.Duration
	// Fallback answers when the attempts have failed with err, and the caller
	// still wants an answer. It runs once, without a permit or timeout. What it
	// returns is never cached or shared.
	Fallback func(ctx context.Context, in In, err error) (Out, error)

	// Classify says what an error of Run is, for enable_optimized_error_handling;
	// Unclassified leaves it to the default, under which what is not known is
	// Transient. It is called once for an attempt, and not again for an error that
	// is the same pointer as one before. Panics, and what this package rejects, are
	// not asked about. A Classify that panics fails its execution.
	Classify func(error) ErrorClass

	// Results declares what may be done with results; nothing by default.
	Results Results
	// Copy returns a copy that shares nothing changeable with its argument,
	// which it must not change. A step with Results needs it if Out holds a
	// pointer, slice, map, channel, function or interface: then every caller gets
	// a result of its own. ReadOnly is for results that nobody changes. It may be
	// called from several goroutines with the same argument.
	Copy func(Out) Out
	// Key tells inputs apart: two inputs with the same key are the same input.
	// Without it inputs are told apart by all that they hold, through pointers,
	// slices, maps and interfaces. A step with Results needs it if In holds a
	// channel, a function, a lock or a time.Time. It is called once an execution.
	Key func(In) string
}

// maxBackoff is where doubling ends.
const maxBackoff = time.Minute

// Step is a function bound to an executor. Bind it once, run it many times.
type Step[In, Out any] struct {
	ex  *Executor
	id  uint64
	cfg StepConfig[In, Out]
	// relevant features: if none of them is on, Run is a plain call.
	relevant feature
	sight    *sight                // what signals look with; nil if they do not
	kind     int                   // of its executions: offered, or 0
	direct   bool                  // an input is its own identity, and a result needs no copy
	watch    atomic.Pointer[watch] // the latest; nil until the step was monitored
	identify *identifier[In]       // nil if nothing is declared
	flights  flights[Out]
	budget   budget  // for retries
	circuit  circuit // closed until it was used
}

// NewStep binds a step to an executor. Its error has every fault, each with
// field, value and rule.
func NewStep[In, Out any](ex *Executor, cfg StepConfig[In, Out]) (*Step[In, Out], error) {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("step %s: "+format, append([]any{cfg.Name}, args...)...))
	}
	if cfg.Attempts == 0 {
		cfg.Attempts = 1
	}
	if ex == nil {
		bad("executor: missing: a step runs in one")
	}
	if cfg.Name == "" {
		bad("name is empty: every step needs one")
	}
	if cfg.Run == nil {
		bad("run: missing: a step needs a function")
	}
	if cfg.Attempts < 0 {
		bad("attempts %d: must be at least 1", cfg.Attempts)
	}
	if cfg.Backoff < 0 {
		bad("backoff %v: must not be negative", cfg.Backoff)
	}
	if cfg.Timeout < 0 {
		bad("timeout %v: must not be negative", cfg.Timeout)
	}
	if cfg.Results.fresh < 0 {
		bad("results: FreshFor must be given a time above 0")
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	s := &Step[In, Out]{ex: ex, id: ex.steps.Add(1), cfg: cfg, relevant: limited | traced | monitored | breaking | closed}
	if cfg.Attempts > 1 || cfg.Timeout > 0 || cfg.Fallback != nil {
		s.relevant |= always
	}
	if !cfg.Results.declared {
		s.relevant |= stateful
		return s, nil
	}
	run := cfg.Run
	s.cfg.Run = func(ctx context.Context, in In) (Out, error) { return run(withoutState(ctx), in) }
	s.relevant |= cached | shared
	var err error
	if s.identify, err = newIdentifier(s.id, cfg.Key); err != nil {
		bad("key: missing: results are declared, and an input needs a key because %w", err)
	}
	if why := shares(reflect.TypeFor[Out]()); why != "" && cfg.Copy == nil {
		bad("copy: missing: results are declared, and an output needs a copy because %s", why)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if cfg.Results.fresh > 0 {
		ex.fresh.Add(1)
	}
	s.direct = s.identify.quick() && cfg.Copy == nil
	if s.sight = ex.signals.sightOf(&ex.counters); s.sight != nil && s.identify.quick() {
		s.kind = offered
	}
	return s, nil
}

// Name returns the step's name.
func (s *Step[In, Out]) Name() string { return s.cfg.Name }

// Run runs the step. An error is a *StepError with the step's name; the output
// is zero then. It returns ctx's error as soon as nothing of the step's own
// function holds it up: at once while it waits, when the function returns if
// that ignores its context, and at once in any case if the step has a Timeout.
func (s *Step[In, Out]) Run(ctx context.Context, in In) (Out, error) {
	count := s.ex.counters.stripe()
	n := count.began[s.kind].Add(1) // before the state is read: Close relies on it
	var hash uint64
	if s.sight != nil {
		var sampled bool
		if hash, sampled = s.look(n, in); sampled {
			return s.sampled(ctx, count, hash, in)
		}
	}
	st := s.ex.current.Load()
	if st.features&s.relevant == 0 {
		return s.plain(ctx, count, in)
	}
	return s.execute(ctx, count, st, hash, in)
}

// execute is Run after signals, for a step to which something that is on may
// matter. hash is that of the exact identity if it is known, else 0.
func (s *Step[In, Out]) execute(ctx context.Context, count *stripe, st *snapshot, hash uint64, in In) (Out, error) {
	switch on := st.features & s.relevant; {
	case on == 0:
		return s.plain(ctx, count, in)
	case on&(monitored|traced) == 0 && s.serves(st):
		return s.served(ctx, count, st, hash, in)
	case on&(monitored|closed) == monitored:
		return s.monitored(ctx, count, st, hash, in)
	}
	return s.unmonitored(ctx, count, st, hash, in)
}

// plain is Run while nothing is on that matters to the step.
func (s *Step[In, Out]) plain(ctx context.Context, count *stripe, in In) (out Out, err error) {
	var from source
	defer s.end(count, &from, &out, &err)
	if err = ctx.Err(); err != nil {
		return out, err
	}
	return s.cfg.Run(ctx, in)
}

// end counts the end of an execution, and turns what went wrong into the
// error that a step returns.
func (s *Step[In, Out]) end(count *stripe, from *source, out *Out, err *error) {
	if v := recover(); v != nil {
		*err = s.ex.panicked(v)
	}
	count.ended[*from].Add(1)
	if *err != nil {
		*out, *err = s.settle(count, *out, *err)
	}
}

// settle returns what a caller gets: an output, or an error with the step's name.
func (s *Step[In, Out]) settle(count *stripe, out Out, err error) (Out, error) {
	if err == nil {
		return out, nil
	}
	count.failed.Add(1)
	s.ex.signals.bursts.fail(&s.ex.counters, s.ex.clock.NowNano())
	var zero Out
	return zero, &StepError{Step: s.cfg.Name, Err: err}
}

// Invalidate forgets the result for an input, because what it was computed from
// has changed. An execution that began before keeps its result to itself and to
// those who wait for it already: it is not cached, and nobody joins it. Call it
// after the change is visible to Run. It works while the cache is off too.
func (s *Step[In, Out]) Invalidate(in In) {
	if s.identify == nil {
		return
	}
	for _, exact := range []bool{false, true} { // whatever was on when it was kept
		id, held, ok := s.identify.of(in, exact, 0)
		if !ok {
			return
		}
		if store := s.ex.current.Load().store; store != nil {
			store.invalidate(id.hash)
		}
		s.flights.forget(id)
		held.free()
	}
}
