package executor

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var errBroken = errors.New("broken")

func TestNewStep_namesEveryFault(t *testing.T) {
	ex := start(t, Config{})
	_, err := NewStep(ex, StepConfig[int, int]{Attempts: -1, Backoff: -1, Timeout: -1, Results: FreshFor(0)})
	for _, want := range []string{"name is empty", "run: missing", "attempts -1", "backoff -1ns", "timeout -1ns", "results: FreshFor"} {
		require.ErrorContains(t, err, want)
	}
	_, err = NewStep[int, int](nil, StepConfig[int, int]{Name: "a", Run: bare})
	require.ErrorContains(t, err, "step a: executor: missing")

	type deep struct{ Rows []struct{ At *chan int } }
	_, err = NewStep(ex, StepConfig[deep, deep]{
		Name: "a", Results: Pure(), Run: func(_ context.Context, in deep) (deep, error) { return in, nil },
	})
	require.ErrorContains(t, err, "step a: key: missing: results are declared, and an input needs a key because field Rows:")
	require.ErrorContains(t, err, "step a: copy: missing: results are declared, and an output needs a copy because field Rows:")
}

func TestNewStep_whatNeedsAKeyOrACopy(t *testing.T) {
	type plain struct {
		A int8
		B string
		C [3]float32
		D struct{ E bool }
	}
	require.Empty(t, declare[plain, plain](t))
	require.Empty(t, declare[string, time.Time](t))
	require.Empty(t, declare[complex64, uint8](t))
	require.Empty(t, declare[*int, int](t)) // by what it points to
	require.Empty(t, declare[any, int](t))
	require.Empty(t, declare[map[string][]error, int](t))
	require.Empty(t, declare[[1000]float64, int](t))
	require.Contains(t, declare[chan int, int](t), "key: missing")
	require.Contains(t, declare[map[string]*sync.Mutex, int](t), "sync.Mutex is not data")
	require.Contains(t, declare[*atomic.Int64, int](t), "atomic.Int64 is not data")
	require.Contains(t, declare[struct{ f func() }, int](t), "key: missing")
	require.Contains(t, declare[time.Time, int](t), "refers to its location")
	require.Contains(t, declare[int, []byte](t), "copy: missing")
	require.Contains(t, declare[int, error](t), "copy: missing")
	require.Contains(t, declare[int, map[string]int](t), "copy: missing")
	require.Contains(t, declare[int, chan int](t), "copy: missing")
}

func declare[In, Out any](t *testing.T) string {
	t.Helper()
	_, err := NewStep(start(t, Config{}), StepConfig[In, Out]{
		Name: "a", Results: Pure(), Run: func(context.Context, In) (out Out, err error) { return out, nil },
	})
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestStep_errorsCarryTheName(t *testing.T) {
	ex := start(t, Config{})
	inner := bind(t, ex, StepConfig[int, int]{Name: "inner", Run: func(context.Context, int) (int, error) { return 7, errBroken }})
	outer := bind(t, ex, StepConfig[int, int]{Name: "outer", Run: inner.Run})
	out, err := outer.Run(context.Background(), 1)
	require.Zero(t, out)
	require.EqualError(t, err, "step outer: step inner: broken")
	require.ErrorIs(t, err, errBroken)
}

func TestStep_panicBecomesAnError(t *testing.T) {
	ex := start(t, Config{})
	for _, timeout := range []time.Duration{0, time.Minute} {
		s := bind(t, ex, StepConfig[int, int]{
			Name: "explode", Timeout: timeout, Attempts: 3, Run: func(context.Context, int) (int, error) { panic(errBroken) },
		})
		_, err := s.Run(context.Background(), 1)
		var p *PanicError
		require.ErrorAs(t, err, &p)
		require.ErrorIs(t, err, errBroken)
		require.Contains(t, string(p.Stack), "TestStep_panicBecomesAnError")
		require.EqualError(t, err, "step explode: panic: broken")
	}
	require.EqualValues(t, 2, ex.Stats().Panics, "a panic is not tried again")
}

func TestStep_attemptsAndBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := start(t, Config{})
		var at []time.Duration
		begin := time.Now()
		s := bind(t, ex, StepConfig[int, string]{
			Attempts: 4, Backoff: time.Second,
			Run: func(context.Context, int) (string, error) {
				at = append(at, time.Since(begin))
				if len(at) < 4 {
					return "", errBroken
				}
				return "done", nil
			},
		})
		out, err := s.Run(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, "done", out)
		require.Equal(t, []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second}, at)
		require.EqualValues(t, 3, ex.Stats().Retries)

		at = at[:0]
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		begin = time.Now()
		_, err = s.Run(ctx, 1)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Len(t, at, 2)
		require.Equal(t, 2*time.Second, time.Since(begin), "a backoff ends with the caller's context")
	})
}

func TestStep_fallback(t *testing.T) {
	ex := start(t, Config{EnableCacheOptimization: true, EnableStepOptimization: true})
	runs, fallbacks := 0, 0
	s := bind(t, ex, StepConfig[int, int]{
		Results: Pure(), Attempts: 2,
		Run: func(context.Context, int) (int, error) { runs++; return 0, errBroken },
		Fallback: func(_ context.Context, in int, err error) (int, error) {
			fallbacks++
			require.ErrorIs(t, err, errBroken)
			if in < 0 {
				return 3, errors.New("no way")
			}
			return -in, nil
		},
	})
	for range 2 {
		out, err := s.Run(context.Background(), 5)
		require.NoError(t, err)
		require.Equal(t, -5, out)
	}
	require.Equal(t, 4, runs, "neither an error nor a fallback's answer is cached")
	require.Equal(t, 2, fallbacks)
	out, err := s.Run(context.Background(), -1)
	require.EqualError(t, err, "step step: no way")
	require.Zero(t, out)
}

func TestStep_timeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := start(t, Config{EnableCacheOptimization: true, EnableConcurrencyOptimization: true, MaxConcurrentExecutions: 1})
		release := make(chan struct{})
		deaf := bind(t, ex, StepConfig[int, int]{
			Name: "deaf", Timeout: time.Second, Results: Pure(), Run: func(context.Context, int) (int, error) { <-release; return 9, nil },
		})
		begin := time.Now()
		_, err := deaf.Run(t.Context(), 1)
		require.ErrorIs(t, err, ErrTimeout)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(begin), "the step goes on although the function does not heed its context")

		quick := bind(t, ex, StepConfig[int, int]{Name: "quick", Run: bare})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err = quick.Run(ctx, 1)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded, "the function left behind still runs, and still has its permit")
		close(release)
		synctest.Wait()
		require.Equal(t, 2, must(quick.Run(t.Context(), 1))(t))
		require.Zero(t, ex.Stats().CacheEntries, "a late result is dropped")

		heeds := bind(t, ex, StepConfig[int, int]{
			Name: "heeds", Timeout: time.Second, Run: func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() },
		})
		_, err = heeds.Run(t.Context(), 1)
		require.ErrorIs(t, err, ErrTimeout)
		ctx, cancel = context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err = heeds.Run(ctx, 1)
		require.NotErrorIs(t, err, ErrTimeout, "the caller's deadline is not the step's timeout")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.EqualValues(t, 2, ex.Stats().Timeouts)
	})
}

func TestStep_timeoutNeverLosesAResult(t *testing.T) {
	ex := start(t, Config{})
	s := bind(t, ex, StepConfig[int, int]{Timeout: time.Hour, Run: bare})
	newGroup(4, func() {
		for i := range 50_000 {
			if out, err := s.Run(context.Background(), i); err != nil || out != i+1 {
				t.Errorf("input %d: %d, %v", i, out, err)
				return
			}
		}
	}).Wait()
}

func TestStep_goexit(t *testing.T) {
	all := Config{EnableCacheOptimization: true, EnableStepOptimization: true, EnableConcurrencyOptimization: true, MaxConcurrentExecutions: 1}
	for _, cfg := range []Config{{}, all} {
		ex := start(t, cfg)
		s := bind(t, ex, StepConfig[int, int]{Results: Pure(), Run: func(context.Context, int) (int, error) { runtime.Goexit(); return 0, nil }})
		for range 3 { // neither a permit nor a flight is left behind
			ended, returned := make(chan struct{}), false
			go func() {
				defer close(ended)
				_, _ = s.Run(context.Background(), 1)
				returned = true
			}()
			<-ended
			require.False(t, returned, "it ends the caller's goroutine, as without a step")
		}
		bounded := bind(t, ex, StepConfig[int, int]{
			Timeout: time.Minute, Attempts: 2, Run: func(context.Context, int) (int, error) { runtime.Goexit(); return 0, nil },
		})
		_, err := bounded.Run(context.Background(), 1)
		require.ErrorIs(t, err, ErrGoexit)
		require.Zero(t, ex.Stats().InFlight)
	}
}

func TestStep_cancelledBeforeItBegins(t *testing.T) {
	runs := 0
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, cfg := range []Config{{}, {EnableCacheOptimization: true}, {EnableStepOptimization: true}, {EnableConcurrencyOptimization: true}} {
		s := bind(t, start(t, cfg), StepConfig[int, int]{Results: Pure(), Run: counted(&runs)})
		_, err := s.Run(ctx, 1)
		require.ErrorIs(t, err, context.Canceled)
	}
	require.Zero(t, runs)
}

func TestClose_waitsAndIsIdempotent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex, err := New(Config{EnableCacheOptimization: true})
		require.NoError(t, err)
		slow := bind(t, ex, StepConfig[int, int]{Name: "slow", Run: func(_ context.Context, in int) (int, error) { time.Sleep(10 * time.Second); return in, nil }})
		left := bind(t, ex, StepConfig[int, int]{
			Name: "left", Timeout: time.Second, Run: func(_ context.Context, in int) (int, error) { time.Sleep(20 * time.Second); return in, nil },
		})
		begin := time.Now()
		done := make(chan error, 3)
		go func() { _, err := slow.Run(t.Context(), 1); done <- err }()
		go func() { _, err := left.Run(t.Context(), 1); done <- err }()
		time.Sleep(2 * time.Second)
		go func() { done <- ex.Close() }()
		synctest.Wait()
		_, err = slow.Run(t.Context(), 1)
		require.EqualError(t, err, "step slow: executor is closed")
		require.NoError(t, ex.Close())
		require.InDelta(t, 20, time.Since(begin).Seconds(), 0.1, "for the function that was left behind, too")
		require.ErrorIs(t, <-done, ErrTimeout)
		require.NoError(t, <-done)
		require.NoError(t, <-done)
		require.ErrorIs(t, ex.Apply(Config{}), ErrClosed)
	})
}
