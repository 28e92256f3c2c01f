package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/catalog"
)

var classifying = Config{EnableOptimizedErrorHandling: true}

func TestClass_default(t *testing.T) {
	_, syntax := strconv.Atoi("x")
	for _, c := range []struct {
		err  error
		want ErrorClass
	}{
		{errBroken, Transient},
		{ErrTimeout, Transient},
		{context.DeadlineExceeded, Transient}, // somebody's, not the caller's
		{io.ErrUnexpectedEOF, Transient},
		{syscall.ECONNREFUSED, Transient},
		{context.Canceled, Canceled},
		{fmt.Errorf("open: %w", fs.ErrNotExist), Permanent},
		{syscall.ENOENT, Permanent},
		{syntax, Permanent},
		{&PanicError{Value: context.Canceled}, Permanent},
		{ErrGoexit, Permanent},
		{&StepError{Step: "a", Err: ErrClosed}, Permanent},
		{&StepError{Step: "a", Err: ErrConcurrencyTimeout}, Overload},
		{ErrCircuitOpen, Overload},
		{syscall.EMFILE, Overload},
	} {
		require.Equal(t, c.want, classOf(c.err), "%v", c.err)
	}
	require.Equal(t, "overload", Overload.String())
	require.Equal(t, "unclassified", ErrorClass(9).String())
}

// How often a function runs for an error, with the switch off and on.
func TestErrorHandling_retriesOnlyWhatCanSucceed(t *testing.T) {
	for _, c := range []struct {
		name     string
		err      error
		classify func(error) ErrorClass
		off, on  int
	}{
		{"transient", errBroken, nil, 3, 3},
		{"permanent", fs.ErrNotExist, nil, 3, 1},
		{"canceled by itself", context.Canceled, nil, 3, 1},
		{"overload", syscall.EMFILE, nil, 3, 1},
		{"permanent to its owner", errBroken, func(error) ErrorClass { return Permanent }, 3, 1},
		{"transient to its owner", fs.ErrNotExist, func(error) ErrorClass { return Transient }, 3, 3},
		{"left to the default", fs.ErrNotExist, func(error) ErrorClass { return Unclassified }, 3, 1},
		{"no such class", fs.ErrNotExist, func(error) ErrorClass { return 77 }, 3, 1},
	} {
		for _, on := range []bool{false, true} {
			ex := start(t, Config{EnableOptimizedErrorHandling: on})
			f := newFlaky(t, ex, StepConfig[int, int]{Attempts: 3, Classify: c.classify})
			f.err = c.err
			_, err := f.Run(context.Background(), 1)
			require.ErrorIs(t, err, c.err, "the error is as it was")
			if !on {
				require.Equal(t, c.off, f.runs, c.name)
				require.Zero(t, ex.Stats().PointlessRetries)
				continue
			}
			require.Equal(t, c.on, f.runs, c.name)
			require.Equal(t, c.on == 1, ex.Stats().PointlessRetries == 1, c.name)
		}
	}
}

// In an outage retries multiply the load without the budget, and with it add a
// fifth at most; single failures are all retried. That holds at any rate, and
// switching does not fill the bucket.
func TestErrorHandling_retriesDoNotAmplifyAnOutage(t *testing.T) {
	const executions = 5000
	outage := func(cfg Config, each func(ex *Executor)) (runs int, stats Stats) {
		ex := start(t, cfg)
		f := newFlaky(t, ex, StepConfig[int, int]{Attempts: 4})
		for range executions {
			_, err := f.Run(context.Background(), 1)
			require.ErrorIs(t, err, errBroken)
			each(ex)
		}
		return f.runs, ex.Stats()
	}
	runs, _ := outage(Config{}, func(*Executor) {})
	require.Equal(t, 4*executions, runs)
	runs, stats := outage(classifying, func(*Executor) {})
	require.Equal(t, executions+(executions-1)/retryEvery+retryReserve, runs) // the first finds the bucket full
	require.EqualValues(t, runs-executions, stats.Retries)
	require.NotZero(t, stats.UnaffordableRetries)
	switched, _ := outage(classifying, func(ex *Executor) {
		require.NoError(t, ex.Apply(Config{}))
		require.NoError(t, ex.Apply(classifying))
	})
	require.Equal(t, runs, switched)

	// One in ten fails once: every one of them is saved.
	n := 0
	s := bind(t, start(t, classifying), StepConfig[int, int]{Attempts: 2, Run: func(context.Context, int) (int, error) {
		if n++; n%11 == 0 {
			return 0, errBroken
		}
		return 1, nil
	}})
	for range executions {
		must(s.Run(context.Background(), 1))(t)
	}
}

func TestBudget_isBoundedUnderContention(t *testing.T) {
	var b budget
	var earned, spent atomic.Int64
	newGroup(8, func() {
		for range 20_000 {
			b.earn()
			earned.Add(1)
			if b.spend() {
				spent.Add(1)
			}
		}
	}).Wait()
	require.LessOrEqual(t, spent.Load(), retryReserve+earned.Load()/retryEvery)
	require.GreaterOrEqual(t, spent.Load(), earned.Load()/retryEvery-retryReserve, "and is not lost either")
	require.GreaterOrEqual(t, b.spent.Load(), int64(0))
	require.LessOrEqual(t, b.spent.Load(), int64(retryReserve*retryEvery))
}

// An error that is met again is not classified again, as far as error_cache_size
// reaches; the classes that fit survive a change of the size.
func TestErrorCache_size(t *testing.T) {
	const kinds = 64
	errs := make([]error, kinds)
	for i := range errs {
		errs[i] = errors.New("the same text")
	}
	asked := 0
	classify := func(error) ErrorClass { asked++; return Permanent }
	ex := start(t, Config{EnableOptimizedErrorHandling: true, ErrorCacheSize: 1e5})
	f := newFlaky(t, ex, StepConfig[int, int]{Attempts: 2, Classify: classify})
	round := func() int {
		asked = 0
		for _, err := range errs {
			f.err = err
			_, _ = f.Run(context.Background(), 1)
		}
		return asked
	}
	require.Equal(t, kinds, round())
	require.LessOrEqual(t, round(), 4, "but for the odd collision")
	require.NoError(t, ex.Update(func(c *Config) { c.ErrorCacheSize = 2e5 }))
	require.LessOrEqual(t, round(), 4, "warm")
	require.NoError(t, ex.Update(func(c *Config) { c.ErrorCacheSize = 1 }))
	require.GreaterOrEqual(t, round(), kinds-1)
	size, _ := ex.Setting().Get(catalog.ErrorCacheSize)
	require.Equal(t, 1.0, size)
	require.NoError(t, ex.Update(func(c *Config) { c.EnableOptimizedErrorHandling = false }))
	require.Zero(t, round(), "off asks nobody")
	require.Nil(t, ex.current.Load().classes, "and keeps nothing")
}

// valueError is comparable as a type, and panics at ==.
type valueError struct{ holds any }

func (valueError) Error() string { return "value" }

// Classes are of a step's own Classify, and of the very error.
func TestErrorCache_tellsErrorsAndStepsApart(t *testing.T) {
	ex := start(t, Config{EnableOptimizedErrorHandling: true, ErrorCacheSize: 4})
	a := newFlaky(t, ex, StepConfig[int, int]{Attempts: 2, Classify: func(error) ErrorClass { return Permanent }})
	b := newFlaky(t, ex, StepConfig[int, int]{Attempts: 2, Classify: func(err error) ErrorClass {
		if errors.Is(err, io.EOF) {
			return Overload
		}
		return Transient
	}})
	def := newFlaky(t, ex, StepConfig[int, int]{Attempts: 2})
	for range 5 {
		for _, err := range []error{errBroken, io.EOF, fs.ErrNotExist, valueError{[]int{1}}, fmt.Errorf("x: %w", io.EOF)} {
			a.err, b.err, def.err = err, err, err
			a.runs, b.runs, def.runs = 0, 0, 0
			_, _ = a.Run(context.Background(), 1)
			_, _ = b.Run(context.Background(), 1)
			_, _ = def.Run(context.Background(), 1)
			require.Equal(t, 1, a.runs, "%v", err)
			require.Equal(t, errors.Is(err, io.EOF), b.runs == 1, "%v", err)
			for range retryEvery { // pay for the next retry
				b.err, def.err = nil, nil
				_, _ = b.Run(context.Background(), 1)
				_, _ = def.Run(context.Background(), 1)
			}
		}
	}
}

func TestErrorHandling_classifyThatPanicsIsAnError(t *testing.T) {
	for _, cfg := range []Config{classifying, {EnableOptimizedErrorHandling: true, EnableCircuitBreaker: true}} {
		s := bind(t, start(t, cfg), StepConfig[int, int]{
			Attempts: 2, Run: func(context.Context, int) (int, error) { return 0, errBroken }, Classify: func(error) ErrorClass { panic("classify") },
		})
		var p *PanicError
		_, err := s.Run(context.Background(), 1)
		require.ErrorAs(t, err, &p)
	}
}

// With both on the circuit does not open for errors that are the input's fault.
func TestErrorHandling_permanentErrorsDoNotOpenTheCircuit(t *testing.T) {
	cfg := breaker(3, time.Hour)
	ex := start(t, cfg)
	missing := newFlaky(t, ex, StepConfig[int, int]{})
	run := func(n int) (rejected bool) {
		for range n {
			missing.err = fs.ErrNotExist
			_, err := missing.Run(context.Background(), 1)
			rejected = rejected || errors.Is(err, ErrCircuitOpen)
		}
		return rejected
	}
	require.True(t, run(4))
	cfg.EnableOptimizedErrorHandling = true
	require.NoError(t, ex.Apply(Config{}))
	require.NoError(t, ex.Apply(cfg))
	require.False(t, run(20))
}
