package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Exact means: the same results and errors for the same calls, and, from a step
// that declares nothing, the same side effects in the same order. This compares
// random steps under the baseline with the same under each optimization, and
// under all.

var optimized = map[string]Config{
	"cache":      {EnableCacheOptimization: true, CacheSize: 3},
	"big cache":  {EnableCacheOptimization: true},
	"sharing":    {EnableStepOptimization: true},
	"pool":       {EnableObjectPool: true, ObjectPoolMaxSize: 1},
	"exact":      {EnableCacheOptimization: true, EnableAlgorithmOptimization: true},
	"circuits":   {EnableCircuitBreaker: true, CircuitBreakerFailureThreshold: 1e5}, // which nothing here reaches
	"memory":     {EnableMemoryOptimization: true, EnableCacheOptimization: true, MemoryCleanupInterval: time.Second},
	"monitoring": {EnablePerformanceMonitoring: true},
	"permits":    {EnableConcurrencyOptimization: true, MaxConcurrentExecutions: 1},
	"telemetry":  {EnableOptimizedTelemetry: true, TelemetryBatchSize: 2},
	"everything": {EnableOptimizedTelemetry: true, EnableObjectPool: true, EnableCacheOptimization: true, EnableStepOptimization: true, EnableConcurrencyOptimization: true, MaxConcurrentExecutions: 2, EnableAlgorithmOptimization: true, EnableCircuitBreaker: true, CircuitBreakerFailureThreshold: 1e5},
}

// behavior is what a function does for an input, at its first and later calls.
type behavior int

const (
	succeeds behavior = iota
	fails
	panics
	failsOnce // only for steps that declare nothing
	cancels   // the caller's context, and heeds it
)

type script struct {
	behaviors []behavior // by input
	attempts  int
	timeout   time.Duration
	fallback  bool
	declared  bool
	nested    bool
	inputs    []int // the calls
	dead      []bool
}

func drawScript(t *rapid.T) script {
	s := script{
		attempts: rapid.IntRange(1, 3).Draw(t, "attempts"),
		fallback: rapid.Bool().Draw(t, "fallback"),
		declared: rapid.Bool().Draw(t, "declared"),
		nested:   rapid.Bool().Draw(t, "nested"),
	}
	if rapid.Bool().Draw(t, "bounded") {
		s.timeout = time.Hour
	}
	last := panics
	if !s.declared {
		last = cancels
	}
	s.behaviors = rapid.SliceOfN(rapid.Map(rapid.IntRange(0, int(last)), func(i int) behavior { return behavior(i) }), 4, 4).Draw(t, "behaviors")
	s.inputs = rapid.SliceOfN(rapid.IntRange(0, 3), 1, 20).Draw(t, "inputs")
	s.dead = rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 9), func(i int) bool { return i == 0 }), len(s.inputs), len(s.inputs)).Draw(t, "dead")
	return s
}

// answer is what a caller sees of one call.
type answer struct {
	out string
	err string
	is  [4]bool // errBroken, Canceled, a panic, the step's name
}

// play runs the script's calls in one executor, and returns what callers saw and
// what the functions did. Side effects are in order if the calls are.
func (s script) play(t require.TestingT, cfg Config, together bool) ([]answer, []string) {
	var options []Option
	if cfg.EnableOptimizedTelemetry { // half of the executions have spans
		options = append(options, WithExporter(&recorder{}))
	}
	ex, err := New(cfg, options...)
	require.NoError(t, err)
	defer func() { require.NoError(t, ex.Close()) }()
	var mu sync.Mutex
	var effects []string
	effect := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		effects = append(effects, fmt.Sprintf(format, args...))
	}
	calls := map[int]int{}
	lines, err := NewPool(ex, PoolConfig[[]string]{Reset: func(l *[]string) { *l = (*l)[:0] }})
	require.NoError(t, err)
	type cancelKey struct{}
	results := Results{}
	if s.declared {
		results = Pure()
	}
	cfgStep := StepConfig[int, []string]{
		Name: "leaf", Attempts: s.attempts, Timeout: s.timeout, Results: results, Copy: slices.Clone[[]string],
		Run: func(ctx context.Context, in int) ([]string, error) {
			effect("run %d", in)
			scratch := lines.Get()
			defer lines.Put(scratch)
			*scratch = append(*scratch, "out")
			mu.Lock()
			calls[in]++
			n := calls[in]
			mu.Unlock()
			switch s.behaviors[in] {
			case fails:
				return []string{"ignored"}, errBroken
			case panics:
				panic(in)
			case failsOnce:
				if n == 1 {
					return nil, errBroken
				}
			case cancels:
				ctx.Value(cancelKey{}).(context.CancelFunc)()
				<-ctx.Done()
				return nil, ctx.Err()
			case succeeds:
			}
			*scratch = append(*scratch, fmt.Sprint(in))
			return slices.Clone(*scratch), nil
		},
	}
	if s.fallback {
		cfgStep.Fallback = func(_ context.Context, in int, err error) ([]string, error) {
			effect("fallback %d", in)
			if in == 3 {
				return nil, err
			}
			return []string{"fallback", fmt.Sprint(in)}, nil
		}
	}
	leaf, err := NewStep(ex, cfgStep)
	require.NoError(t, err)
	run := leaf.Run
	if s.nested {
		outer, err := NewStep(ex, StepConfig[int, []string]{Name: "outer", Run: func(ctx context.Context, in int) ([]string, error) {
			effect("outer %d", in)
			out, err := leaf.Run(ctx, in)
			return append(out, "outer"), err
		}})
		require.NoError(t, err)
		run = outer.Run
	}
	answers := make([]answer, len(s.inputs))
	call := func(i int) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		ctx = context.WithValue(ctx, cancelKey{}, cancel)
		if s.dead[i] {
			cancel()
		}
		out, err := run(ctx, s.inputs[i])
		a := answer{out: fmt.Sprint(out)}
		for j := range out {
			out[j] = "changed by its caller"
		}
		if err != nil {
			var p *PanicError
			var named *StepError
			a.err = err.Error()
			a.is = [4]bool{errors.Is(err, errBroken), errors.Is(err, context.Canceled), errors.As(err, &p), errors.As(err, &named)}
		}
		answers[i] = a
	}
	var all sync.WaitGroup
	for i := range s.inputs {
		if together {
			all.Go(func() { call(i) })
		} else {
			call(i)
		}
	}
	all.Wait()
	return answers, effects
}

func TestDifferential_exactInSequence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScript(t)
		answers, effects := s.play(t, Config{}, false)
		for name, cfg := range optimized {
			got, did := s.play(t, cfg, false)
			require.Equal(t, answers, got, name)
			if !s.declared {
				require.Equal(t, effects, did, name)
				continue
			}
			// A declared step may run less often, and does nothing else.
			rest := slices.Clone(effects)
			for _, e := range did {
				i := slices.Index(rest, e)
				require.GreaterOrEqual(t, i, 0, "%s: %q happens that does not in the baseline", name, e)
				rest = slices.Delete(rest, i, i+1)
			}
			for _, e := range rest {
				require.Regexp(t, "^run ", e, name)
			}
		}
	})
}

func TestDifferential_exactTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScript(t)
		for i, b := range s.behaviors {
			if b == failsOnce { // who meets the one failure is a matter of chance
				s.behaviors[i] = fails
			}
		}
		answers, effects := s.play(t, Config{}, true)
		slices.Sort(effects)
		for name, cfg := range optimized {
			got, did := s.play(t, cfg, true)
			require.Equal(t, answers, got, name)
			if !s.declared {
				slices.Sort(did)
				require.Equal(t, effects, did, name)
			}
		}
	})
}

// Errors that are classified, and circuits that open, are Bounded: functions run
// less often, and what failed then may fail where it was saved before. Nothing
// else differs: no function runs that did not, and no other answer is given.
func TestDifferential_boundedOnlyRunsLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScript(t)
		s.declared, s.fallback = false, false
		answers, effects := s.play(t, Config{}, false)
		for name, cfg := range map[string]Config{
			"errors":   {EnableOptimizedErrorHandling: true, ErrorCacheSize: 1},
			"circuits": {EnableCircuitBreaker: true, CircuitBreakerFailureThreshold: 1},
			"both":     {EnableOptimizedErrorHandling: true, EnableCircuitBreaker: true, CircuitBreakerFailureThreshold: 2},
		} {
			got, did := s.play(t, cfg, false)
			for i, a := range got {
				if a != answers[i] && s.behaviors[s.inputs[i]] != failsOnce {
					require.Contains(t, a.err, ErrCircuitOpen.Error(), name)
				}
				if a.err == "" && answers[i].err == "" {
					require.Equal(t, answers[i].out, a.out, name)
				}
			}
			rest := slices.Clone(effects)
			for _, e := range did {
				i := slices.Index(rest, e)
				if i < 0 && s.behaviors[int(e[len(e)-1]-'0')] == failsOnce {
					continue // it failed for good, and was run again by a later call
				}
				require.GreaterOrEqual(t, i, 0, "%s: %q happens that does not in the baseline", name, e)
				rest = slices.Delete(rest, i, i+1)
			}
		}
	})
}

// freshScript is what happens to a FreshFor step, one after the other.
type freshScript struct {
	fresh, takes time.Duration
	actions      []freshAction
}

type freshAction struct {
	in    int
	kind  int // 0 apply, 1 invalidate, 2 and 3 sleep, others run
	cfg   Config
	sleep time.Duration
}

func drawFreshScript(t *rapid.T) freshScript {
	millis := func(from, to int, name string) time.Duration {
		return time.Duration(rapid.IntRange(from, to).Draw(t, name)) * time.Millisecond
	}
	s := freshScript{fresh: millis(1, 5000, "fresh"), takes: millis(0, 3000, "takes")}
	for range rapid.IntRange(1, 40).Draw(t, "actions") {
		s.actions = append(s.actions, freshAction{
			in:   rapid.IntRange(0, 1).Draw(t, "in"),
			kind: rapid.IntRange(0, 9).Draw(t, "kind"),
			cfg: Config{
				EnableCacheOptimization: rapid.Bool().Draw(t, "cache"),
				EnableStepOptimization:  rapid.Bool().Draw(t, "sharing"),
				CacheTTL:                time.Second * time.Duration(rapid.IntRange(1, 5).Draw(t, "ttl")),
			},
			sleep: millis(0, 2000, "sleep"),
		})
	}
	return s
}

// play returns what was wrong.
func (f freshScript) play() (wrong []string, err error) {
	ex, err := New(Config{})
	if err != nil {
		return nil, err
	}
	s, err := NewStep(ex, StepConfig[int, time.Time]{Name: "now", Results: FreshFor(f.fresh), Run: func(context.Context, int) (time.Time, error) {
		at := time.Now()
		time.Sleep(f.takes)
		return at, nil
	}})
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	written := map[int]time.Time{}
	for _, a := range f.actions {
		switch a.kind {
		case 0:
			err = errors.Join(err, ex.Apply(a.cfg))
		case 1:
			s.Invalidate(a.in)
			written[a.in] = time.Now()
		case 2, 3:
			time.Sleep(a.sleep)
		default:
			begin, since := time.Now(), written[a.in]
			all.Go(func() {
				at, err := s.Run(context.Background(), a.in)
				if err == nil && begin.Sub(at) < f.fresh && !at.Before(since) {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				wrong = append(wrong, fmt.Sprintf("%v old, fresh for %v; invalidated %v before: %v", begin.Sub(at), f.fresh, begin.Sub(since), err))
			})
		}
	}
	all.Wait()
	return wrong, errors.Join(err, ex.Close())
}

// A FreshFor(d) result is never as old as d when its request arrives, and never
// from before a write that was invalidated, whatever is switched on and moved.
func TestDifferential_freshForIsNeverOlder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		script := drawFreshScript(rt)
		var wrong []string
		var err error
		synctest.Test(t, func(*testing.T) { wrong, err = script.play() })
		require.NoError(rt, err)
		require.Empty(rt, wrong)
	})
}
