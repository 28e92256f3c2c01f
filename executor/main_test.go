package executor

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start returns an executor that the test closes at its end.
func start(t testing.TB, cfg Config, options ...Option) *Executor {
	t.Helper()
	ex, err := New(cfg, options...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ex.Close()) })
	return ex
}

func bind[In, Out any](t testing.TB, ex *Executor, cfg StepConfig[In, Out]) *Step[In, Out] {
	t.Helper()
	if cfg.Name == "" {
		cfg.Name = "step"
	}
	s, err := NewStep(ex, cfg)
	require.NoError(t, err)
	return s
}

// counted is a step that returns its input doubled and counts how often it ran.
func counted(runs *int) func(context.Context, int) (int, error) {
	return func(_ context.Context, in int) (int, error) {
		*runs++
		return 2 * in, nil
	}
}

// must takes what Run returns, and then the test.
func must[Out any](out Out, err error) func(testing.TB) Out {
	return func(t testing.TB) Out { t.Helper(); require.NoError(t, err); return out }
}

// register is a value that a step reads slowly, so that writes come in between.
type register struct{ value, invalidated atomic.Int64 }

func newRegister() *register { return &register{} }

func (r *register) read() int64 {
	v := r.value.Load()
	runtime.Gosched()
	return v
}

// newGroup runs f in n goroutines.
func newGroup(n int, f func()) *sync.WaitGroup {
	var g sync.WaitGroup
	for range n {
		g.Go(f)
	}
	return &g
}
