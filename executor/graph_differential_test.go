package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Random flows of steps that succeed, fail, fail once, panic, and cancel their
// caller, with and without run state, in sequence, branches, loops and each
// other: the same calls under the baseline, and with one switch on, with two, and
// with all. What is Exact gives the same answers, errors, values of run state and
// side effects. What is Bounded leaves functions out, and rejects, and that is all.
//
// Which branches still begin when another has decided is a matter of chance, of
// the baseline too. So what runs in such branches only has to be among what runs
// if nobody decides: the baseline of a graph is its twin, in which all branches
// end.

// switchesOn are all of the switches but that of the autopilot, each with numbers
// so small that they matter.
var switchesOn = map[string]func(t *rapid.T, c *Config){
	"pool": func(t *rapid.T, c *Config) {
		c.EnableObjectPool, c.ObjectPoolMaxSize = true, rapid.IntRange(1, 3).Draw(t, "pool size")
	},
	"context": func(t *rapid.T, c *Config) {
		c.EnableContextOptimization, c.ContextCacheSize = true, rapid.IntRange(1, 4).Draw(t, "context size")
	},
	"memory": func(_ *rapid.T, c *Config) { // looked at after each call, and always too much
		c.EnableMemoryOptimization, c.MemoryCleanupInterval, c.MemoryThreshold = true, 24*time.Hour, 1e-9
	},
	"concurrency": func(t *rapid.T, c *Config) { limitTo(c, rapid.IntRange(1, 3).Draw(t, "permits")) },
	"telemetry": func(t *rapid.T, c *Config) {
		c.EnableOptimizedTelemetry, c.TelemetryBatchSize = true, rapid.IntRange(1, 3).Draw(t, "batch")
	},
	"monitoring": func(_ *rapid.T, c *Config) { c.EnablePerformanceMonitoring = true },
	"errors": func(t *rapid.T, c *Config) {
		c.EnableOptimizedErrorHandling, c.ErrorCacheSize = true, rapid.IntRange(1, 2).Draw(t, "errors kept")
	},
	"circuits": func(t *rapid.T, c *Config) {
		c.EnableCircuitBreaker, c.CircuitBreakerFailureThreshold = true, rapid.IntRange(1, 3).Draw(t, "threshold")
	},
	"cache": func(t *rapid.T, c *Config) {
		c.EnableCacheOptimization, c.CacheSize = true, rapid.IntRange(1, 5).Draw(t, "cache size")
	},
	"sharing":   func(_ *rapid.T, c *Config) { c.EnableStepOptimization = true },
	"algorithm": func(_ *rapid.T, c *Config) { c.EnableAlgorithmOptimization = true },
}

func limitTo(c *Config, n int) {
	c.EnableConcurrencyOptimization, c.MaxConcurrentExecutions, c.ConcurrencyTimeout = true, n, time.Hour
}

// mesh is one play of a graph: an executor, and what its functions did.
type mesh struct {
	ex      *Executor
	settled bool // all branches end
	scratch *Pool[[]string]
	seen    *Key[[]int]

	mu      sync.Mutex
	made    int
	ran     map[string]int // how often, by step and input
	certain []string       // effects that must be there
	perhaps []string       // those of declared steps, and of branches that others cancel
}

func (m *mesh) effect(certain bool, what string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if certain {
		m.certain = append(m.certain, what)
	} else {
		m.perhaps = append(m.perhaps, what)
	}
}

// knit is a node to be made, of a graph that is drawn before.
type knit func(m *mesh) Node[int, int]

// drawing is what may be drawn at a place in a graph.
type drawing struct {
	depth   int
	bounded bool // what a rejection would turn into another answer may not
	once    bool // failing once may
	alone   bool // canceling the caller may: nothing runs at the same time
	racy    bool // in branches that others cancel
}

func (d drawing) deeper() drawing { d.depth--; return d }

func (d drawing) beside() drawing { d.alone = false; return d.deeper() }

func (d drawing) knit(t *rapid.T) knit {
	odd := func(_ context.Context, n int) (bool, error) { return n%2 == 1, nil }
	kind := 0
	if d.depth > 0 {
		kind = rapid.IntRange(0, 7).Draw(t, "kind")
	}
	several := func(d drawing) func(m *mesh) []Node[int, int] {
		var knits []knit
		for range rapid.IntRange(1, 3).Draw(t, "several") {
			knits = append(knits, d.knit(t))
		}
		return func(m *mesh) (nodes []Node[int, int]) {
			for _, k := range knits {
				nodes = append(nodes, k(m))
			}
			return nodes
		}
	}
	switch kind {
	case 1:
		nodes := several(d.deeper())
		return func(m *mesh) Node[int, int] { return Sequence(nodes(m)...) }
	case 2, 3:
		on, d, sealed := d.strategy(t)
		nodes := several(d)
		return func(m *mesh) Node[int, int] {
			return sealed(Parallel(Reduce(func(a, b int) int { return a + b }), nodes(m)...).OnFailure(on(m)))
		}
	case 4:
		yes, no := d.deeper().knit(t), d.deeper().knit(t)
		return func(m *mesh) Node[int, int] { return If(odd, yes(m), no(m)) }
	case 5:
		body := d.deeper().knit(t)
		return func(m *mesh) Node[int, int] { return Loop(2, body(m), odd) }
	case 6:
		on, d, sealed := d.strategy(t)
		body, width := d.knit(t), rapid.IntRange(1, 3).Draw(t, "width")
		split := Func("split", func(_ context.Context, n int) ([]int, error) { return []int{n, n + 1, n}, nil })
		sum := Func("sum", func(_ context.Context, ns []int) (sum int, _ error) {
			for _, n := range ns {
				sum += n
			}
			return sum, nil
		})
		return func(m *mesh) Node[int, int] {
			return sealed(Then(split, Then(Node[[]int, []int](Map(body(m)).Width(width).OnFailure(on(m))), sum)))
		}
	case 7:
		body := d.deeper().knit(t)
		return func(m *mesh) Node[int, int] {
			inner, err := NewFlow(m.ex, "inner", body(m))
			if err != nil {
				panic(err)
			}
			return m.step(StepConfig[int, int]{}, inner.Run)
		}
	default:
		return d.leaf(t)
	}
}

// strategy returns that of branches, what may be drawn in them, and what makes
// chance invisible where it has a say.
func (d drawing) strategy(t *rapid.T) (func(*mesh) OnFailure, drawing, func(Node[int, int]) Node[int, int]) {
	strategies := []OnFailure{WaitForAll, CancelOthers, TakeSucceeded, FirstSuccess}
	if d.bounded {
		strategies = strategies[:2]
	}
	on := rapid.SampledFrom(strategies).Draw(t, "strategy")
	d = d.beside()
	twin, sealed := on, func(n Node[int, int]) Node[int, int] { return n }
	if on == CancelOthers || on == FirstSuccess {
		d.racy, d.once = true, false
		twin, sealed = map[OnFailure]OnFailure{CancelOthers: WaitForAll, FirstSuccess: TakeSucceeded}[on], func(n Node[int, int]) Node[int, int] { return seal{n} }
	}
	return func(m *mesh) OnFailure {
		if m.settled {
			return twin
		}
		return on
	}, d, sealed
}

// seal lets only be seen of a node whether it worked.
type seal struct{ Node[int, int] }

var errSealed = errors.New("a branch failed")

func (s seal) perform(ctx context.Context, ex *Executor, in int) (int, error) {
	_, err := s.Node.perform(ctx, ex, in)
	switch {
	case err == nil:
		return 1, nil
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case errors.Is(err, ErrCircuitOpen):
		return 0, ErrCircuitOpen
	default:
		return 0, errSealed
	}
}

func (m *mesh) step(cfg StepConfig[int, int], run func(context.Context, int) (int, error)) Node[int, int] {
	m.made++
	cfg.Name, cfg.Run = fmt.Sprint("step ", m.made), run
	s, err := NewStep(m.ex, cfg)
	if err != nil {
		panic(err)
	}
	return s
}

type cancelCaller struct{}

func (d drawing) leaf(t *rapid.T) knit {
	cfg := StepConfig[int, int]{Attempts: rapid.IntRange(1, 3).Draw(t, "attempts")}
	if rapid.Bool().Draw(t, "timeout") {
		cfg.Timeout = 24 * time.Hour
	}
	pure := rapid.Bool().Draw(t, "pure")
	if pure {
		cfg.Results = Pure()
	}
	fallback := !d.bounded && rapid.IntRange(0, 3).Draw(t, "fallback") == 0
	may := []behavior{succeeds, succeeds, succeeds, fails, panics}
	if !pure && d.once {
		may = append(may, failsOnce)
	}
	if !pure && d.alone {
		may = append(may, cancels)
	}
	does := rapid.SliceOfN(rapid.SampledFrom(may), 4, 4).Draw(t, "behaviors")
	certain := !pure && !d.racy
	return func(m *mesh) Node[int, int] {
		id := m.made + 1
		if fallback {
			cfg.Fallback = func(_ context.Context, in int, err error) (int, error) {
				m.effect(!d.racy, fmt.Sprintf("fallback %d(%d): %v", id, in, err))
				return in, nil
			}
		}
		return m.step(cfg, func(ctx context.Context, in int) (int, error) {
			scratch := m.scratch.Get()
			defer m.scratch.Put(scratch)
			var state []int
			if certain {
				state, _ = m.seen.Get(ctx)
				if err := m.seen.Set(ctx, append(state, id)); err != nil {
					return 0, err
				}
			}
			what := fmt.Sprintf("run %d(%d)", id, in)
			*scratch = append(*scratch, what, fmt.Sprint(state))
			m.effect(certain, strings.Join(*scratch, " "))
			m.mu.Lock()
			m.ran[what]++
			n := m.ran[what]
			m.mu.Unlock()
			switch does[in%4] {
			case fails:
				return 0, errBroken
			case panics:
				panic(in)
			case failsOnce:
				if n == 1 {
					return 0, errBroken
				}
			case cancels:
				ctx.Value(cancelCaller{}).(context.CancelFunc)()
				<-ctx.Done()
				return 0, ctx.Err()
			case succeeds:
			}
			return in + id%3, nil
		})
	}
}

// play makes the calls, and returns the answers.
func play(t require.TestingT, m *mesh, cfg Config, body knit, calls []int, dead []bool, together bool) []answer {
	var options []Option
	if cfg.EnableOptimizedTelemetry {
		options = append(options, WithExporter(&recorder{}))
	}
	var err error
	m.ex, err = New(cfg, options...)
	require.NoError(t, err)
	m.ran = map[string]int{}
	m.seen = NewKey(KeyConfig[[]int]{Name: "seen", Merge: Append[[]int]})
	m.scratch, err = NewPool(m.ex, PoolConfig[[]string]{Reset: func(l *[]string) { *l = (*l)[:0] }})
	require.NoError(t, err)
	flow, err := NewFlow(m.ex, "graph", body(m), m.seen)
	require.NoError(t, err)
	begin, err := NewState(m.seen.Of([]int{0}))
	require.NoError(t, err)
	answers := make([]answer, len(calls))
	call := func(i int) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		if dead[i] {
			cancel()
		}
		out, after, err := flow.RunState(context.WithValue(ctx, cancelCaller{}, cancel), begin, calls[i])
		state, _ := m.seen.From(after)
		a := answer{out: fmt.Sprint(out, state)}
		if err != nil {
			a.err = err.Error()
			a.is = [4]bool{errors.Is(err, errBroken), errors.Is(err, context.Canceled), isPanic(err), errors.Is(err, ErrCircuitOpen)}
		}
		answers[i] = a
	}
	clean := func() {
		if cfg.EnableMemoryOptimization {
			m.ex.memory.look()
		}
	}
	var all sync.WaitGroup
	for i := range calls {
		if together {
			all.Go(func() { call(i) })
		} else {
			call(i)
		}
		clean()
	}
	all.Wait()
	require.NoError(t, m.ex.Close())
	slices.Sort(m.certain)
	return answers
}

// within reports what of some effects is not among others.
func within(some, others []string) (extra []string) {
	left := map[string]int{}
	for _, e := range others {
		left[e]++
	}
	for _, e := range some {
		if left[e]--; left[e] < 0 {
			extra = append(extra, e)
		}
	}
	return extra
}

func TestDifferential_graphs(t *testing.T) {
	names := make([]string, 0, len(switchesOn))
	for name := range switchesOn {
		names = append(names, name)
	}
	slices.Sort(names)
	require.Len(t, names, len(switches())-1, "all but the autopilot's")
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.SampledFrom(names).Draw(t, "first")
		second := rapid.SampledFrom(names).Draw(t, "second")
		bounded := rapid.Bool().Draw(t, "bounded")
		together := rapid.Bool().Draw(t, "together")
		d := drawing{depth: rapid.IntRange(0, 3).Draw(t, "depth"), bounded: bounded, once: !bounded && !together, alone: true}
		body := d.knit(t)
		calls := rapid.SliceOfN(rapid.IntRange(0, 7), 1, 5).Draw(t, "calls")
		dead := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 9), func(i int) bool { return i == 0 }), len(calls), len(calls)).Draw(t, "dead")

		reference := &mesh{settled: true}
		want := play(t, reference, Config{}, body, calls, dead, together)
		for _, on := range [][]string{{}, {first}, {first, second}, names} {
			var cfg Config
			for _, name := range on {
				switchesOn[name](t, &cfg)
			}
			if !bounded { // it has not failed so often, nor had so many retries
				cfg.EnableOptimizedErrorHandling, cfg.CircuitBreakerFailureThreshold = false, 1e5
			}
			m := &mesh{}
			got := play(t, m, cfg, body, calls, dead, together)
			require.Empty(t, within(m.perhaps, reference.perhaps), "%v: what happens is among what happens in the baseline", on)
			if !bounded || !cfg.EnableCircuitBreaker {
				require.Equal(t, want, got, on)
			}
			if !bounded {
				require.Equal(t, reference.certain, m.certain, on)
				continue
			}
			require.Empty(t, within(m.certain, reference.certain), "%v: what happens is among what happens in the baseline", on)
			for i, a := range got {
				rejected := cfg.EnableCircuitBreaker && a.is[3]
				require.True(t, a == want[i] || rejected, "%v: %+v, not %+v", on, a, want[i])
			}
		}
	})
}
