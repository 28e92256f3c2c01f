package executor

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// flaky is a step whose function returns what it is told to, and counts.
type flaky struct {
	err  error
	runs int
	*Step[int, int]
}

func newFlaky(t testing.TB, ex *Executor, cfg StepConfig[int, int]) *flaky {
	t.Helper()
	f := &flaky{err: errBroken}
	cfg.Run = func(context.Context, int) (int, error) { f.runs++; return 1, f.err }
	f.Step = bind(t, ex, cfg)
	return f
}

// fail runs the step n times, and requires that each run reached the function.
func (f *flaky) fail(t testing.TB, n int) {
	t.Helper()
	f.err = errBroken
	for range n {
		before := f.runs
		_, err := f.Run(context.Background(), 1)
		require.ErrorIs(t, err, errBroken)
		require.Equal(t, before+1, f.runs)
	}
}

func (f *flaky) rejected(t testing.TB) {
	t.Helper()
	before := f.runs
	_, err := f.Run(context.Background(), 1)
	require.ErrorIs(t, err, ErrCircuitOpen)
	require.Equal(t, before, f.runs)
}

func (f *flaky) succeed(t testing.TB, n int) {
	t.Helper()
	f.err = nil
	for range n {
		must(f.Run(context.Background(), 1))(t)
	}
}

func breaker(threshold int, recovery time.Duration) Config {
	return Config{EnableCircuitBreaker: true, CircuitBreakerFailureThreshold: threshold, CircuitBreakerRecoveryTimeout: recovery}
}

func TestCircuit_opensAfterFailuresInARowAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := start(t, breaker(3, 10*time.Second))
		f, other := newFlaky(t, ex, StepConfig[int, int]{Name: "down"}), newFlaky(t, ex, StepConfig[int, int]{})
		f.fail(t, 2)
		f.succeed(t, 1)
		f.fail(t, 3)
		f.rejected(t)
		_, err := f.Run(context.Background(), 1)
		require.EqualError(t, err, "step down: the circuit is open: the step keeps failing")
		other.fail(t, 2) // each step has its own

		time.Sleep(10*time.Second - 1)
		f.rejected(t)
		time.Sleep(time.Nanosecond)
		f.fail(t, 1) // a trial that fails opens it again
		f.rejected(t)
		time.Sleep(10 * time.Second)
		f.succeed(t, probes)
		f.fail(t, 3) // closed, and counts from zero
		f.rejected(t)

		stats := ex.Stats()
		require.EqualValues(t, 3, stats.CircuitsOpened)
		require.EqualValues(t, 5, stats.CircuitRejections)
	})
}

func TestCircuit_rejectsBeforePermitAttemptsAndNotTheCache(t *testing.T) {
	cfg := breaker(1, time.Hour)
	cfg.EnableCacheOptimization, cfg.EnableConcurrencyOptimization, cfg.MaxConcurrentExecutions = true, true, 1
	ex := start(t, cfg)
	down := false
	runs := 0
	s := bind(t, ex, StepConfig[int, int]{Results: Pure(), Attempts: 5, Run: func(_ context.Context, in int) (int, error) {
		if runs++; down {
			return 0, errBroken
		}
		return in, nil
	}})
	must(s.Run(context.Background(), 1))(t)
	down = true
	_, err := s.Run(context.Background(), 2)
	require.ErrorIs(t, err, ErrCircuitOpen, "the first attempt opened it, the second was rejected, and that is final")
	require.Equal(t, 2, runs)
	require.Equal(t, 1, must(s.Run(context.Background(), 1))(t), "what is known is served while the circuit is open")
	require.Zero(t, usedOf(ex.permits.word.Load()))

	rescued := bind(t, ex, StepConfig[int, int]{
		Run:      func(context.Context, int) (int, error) { return 0, errBroken },
		Fallback: func(_ context.Context, in int, err error) (int, error) { return -in, nil },
	})
	for range 3 {
		require.Equal(t, -4, must(rescued.Run(context.Background(), 4))(t))
	}
}

// Half open, exactly so many run at once, whatever else is going on: executions
// from before it opened end, trials are canceled, or end their goroutine.
func TestCircuit_halfOpenAdmitsABoundedNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := start(t, breaker(2, time.Second))
		let := make(chan error)
		running, most := 0, 0
		var mu sync.Mutex
		s := bind(t, ex, StepConfig[string, int]{Run: func(ctx context.Context, in string) (int, error) {
			switch in {
			case "fail":
				return 0, errBroken
			case "goexit":
				runtime.Goexit()
			}
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			defer func() { mu.Lock(); running--; mu.Unlock() }()
			select {
			case err := <-let:
				return 1, err
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}})
		var all sync.WaitGroup
		begin := func(ctx context.Context, in string) { all.Go(func() { _, _ = s.Run(ctx, in) }); synctest.Wait() }
		for range 5 { // admitted while it is closed
			begin(t.Context(), "old")
		}
		begin(t.Context(), "fail")
		begin(t.Context(), "fail")
		time.Sleep(time.Second)
		begin(t.Context(), "goexit") // half open; a trial that says nothing
		begin(t.Context(), "goexit")
		begin(t.Context(), "goexit")
		begin(t.Context(), "goexit")
		old := running
		for range 5 {
			let <- nil // what the old ones say is about another state
			synctest.Wait()
		}
		require.Equal(t, 5, old)
		require.Equal(t, 0, running)
		most = 0
		canceled, cancel := context.WithCancel(t.Context())
		for range 10 {
			begin(canceled, "trial")
		}
		require.Equal(t, probes, running)
		require.EqualValues(t, 7, ex.Stats().CircuitRejections)
		cancel() // and nobody is the wiser
		synctest.Wait()
		require.Equal(t, 0, running)
		for range 10 {
			begin(t.Context(), "trial")
		}
		require.Equal(t, probes, most)
		for range probes {
			let <- nil
			synctest.Wait()
		}
		for range 10 {
			begin(t.Context(), "closed again")
		}
		require.Equal(t, 10, running)
		for range 10 {
			let <- nil
		}
		all.Wait()
	})
}

// What a live change keeps and what it drops is as the comment on circuit says.
func TestCircuit_liveChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := start(t, breaker(3, 10*time.Second))
		f := newFlaky(t, ex, StepConfig[int, int]{})
		f.fail(t, 3)
		f.rejected(t)
		time.Sleep(5 * time.Second)
		require.NoError(t, ex.Apply(breaker(2, 6*time.Second)))
		f.rejected(t) // still open, and what has passed counts
		time.Sleep(time.Second)
		f.succeed(t, 1) // half open
		require.NoError(t, ex.Apply(breaker(5, 20*time.Second)))
		f.succeed(t, probes-1)
		f.fail(t, 5) // closed, with the new threshold
		f.rejected(t)
		time.Sleep(19 * time.Second)
		f.rejected(t)
		require.NoError(t, ex.Apply(breaker(5, 10*time.Second)))
		f.fail(t, 1) // due at once; a trial
		f.rejected(t)

		require.NoError(t, ex.Apply(Config{}))
		f.fail(t, 20) // off
		require.NoError(t, ex.Apply(breaker(3, time.Hour)))
		f.fail(t, 2)
		require.NoError(t, ex.Apply(breaker(4, time.Hour)))
		f.fail(t, 4) // a closed one counts from zero
		f.rejected(t)
	})
}

// An execution that began under the circuit of before does not bring it back, nor
// say anything about the one of now.
func TestCircuit_lateResultsOfAnotherLifetime(t *testing.T) {
	var c circuit
	now := newClock()
	first := &circuitRule{version: 1, lifetime: 1, threshold: 1, recovery: time.Hour}
	p, ok := c.enter(first, now)
	require.True(t, ok)
	second := &circuitRule{version: 3, lifetime: 2, threshold: 1, recovery: time.Hour}
	q, ok := c.enter(second, now)
	require.True(t, ok)
	require.False(t, c.leave(p, saysFails, now))
	_, ok = c.enter(first, now)
	require.True(t, ok)
	require.Equal(t, second, c.rule.Load())
	require.True(t, c.leave(q, saysFails, now))
	_, ok = c.enter(second, now)
	require.False(t, ok)
}

// One after the other, it decides as the library does on its own: what it leaves
// out while there is no trouble changes nothing.
func TestCircuit_decidesAsTheLibrary(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		threshold := rapid.IntRange(1, 5).Draw(rt, "threshold")
		steps := rapid.SliceOfN(rapid.IntRange(0, 9), 1, 100).Draw(rt, "steps")
		var wrong string
		synctest.Test(t, func(*testing.T) {
			lib := circuitbreaker.NewBuilder[any]().WithFailureThreshold(uint(threshold)).WithSuccessThreshold(probes).WithDelay(time.Second).Build()
			var c circuit
			clock := newClock()
			rule := &circuitRule{version: 1, lifetime: 1, threshold: threshold, recovery: time.Second}
			for i, s := range steps {
				if s == 9 {
					time.Sleep(time.Second)
					continue
				}
				p, ok := c.enter(rule, clock)
				if want := lib.TryAcquirePermit(); ok != want {
					wrong = "step " + string(rune('0'+i%10))
					return
				}
				if !ok {
					continue
				}
				if s < 4 {
					lib.RecordSuccess()
					c.leave(p, saysWorks, clock)
				} else {
					lib.RecordFailure()
					c.leave(p, saysFails, clock)
				}
			}
		})
		require.Empty(rt, wrong)
	})
}

func TestCircuit_whatCountsAsFailure(t *testing.T) {
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		class  ErrorClass
		strict bool
		err    error
		want   verdict
	}{
		{"success", context.Background(), Unclassified, true, nil, saysWorks},
		{"any error", context.Background(), Transient, false, errBroken, saysFails},
		{"permanent, by classification", context.Background(), Permanent, true, errBroken, saysWorks},
		{"permanent, without", context.Background(), Permanent, false, errBroken, saysFails},
		{"panic", context.Background(), Permanent, true, &PanicError{Value: 1}, saysFails},
		{"goexit", context.Background(), Permanent, true, ErrGoexit, saysFails},
		{"timeout", context.Background(), Transient, true, ErrTimeout, saysFails},
		{"overload elsewhere", context.Background(), Overload, true, errBroken, saysFails},
		{"no permit here", context.Background(), Overload, true, ErrConcurrencyTimeout, saysNothing},
		{"the caller left", canceled, Canceled, true, errBroken, saysNothing},
		{"closed", context.Background(), Permanent, false, errors.Join(ErrClosed), saysNothing},
	} {
		require.Equal(t, c.want, verdictOn(c.ctx, c.class, c.strict, c.err), c.name)
	}
}
