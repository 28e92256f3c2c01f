package executor

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// graph is a random flow of steps that take time and run steps and flows
// themselves, and counts how many of them compute at once.
type graph struct {
	ex    *Executor
	next  int // guarded by nothing: graphs are drawn before they run
	took  atomic.Int64
	now   atomic.Int64 // leaves
	most  atomic.Int64 // of now
	fails bool         // some of its leaves do
}

// draw returns a node of at most that depth.
func (g *graph) draw(t *rapid.T, depth int) Node[int, int] {
	kinds := 8
	if depth == 0 {
		kinds = 1
	}
	sub := func() Node[int, int] { return g.draw(t, depth-1) }
	several := func() []Node[int, int] {
		nodes := make([]Node[int, int], rapid.IntRange(1, 3).Draw(t, "several"))
		for i := range nodes {
			nodes[i] = sub()
		}
		return nodes
	}
	odd := func(_ context.Context, n int) (bool, error) { return n%2 == 1, nil }
	on := func() OnFailure { return OnFailure(rapid.IntRange(0, 3).Draw(t, "strategy")) }
	g.next++
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 1:
		return Sequence(several()...)
	case 2:
		return Parallel(Reduce(func(a, b int) int { return a + b }), several()...).OnFailure(on())
	case 3:
		return If(odd, sub(), sub())
	case 4:
		return Loop(3, sub(), odd)
	case 5:
		width := rapid.IntRange(1, 3).Draw(t, "width")
		return Then(Func("split", func(_ context.Context, n int) ([]int, error) { return []int{n, n + 1, n + 2}, nil }),
			Then(Node[[]int, []int](Map(sub()).Width(width).OnFailure(on())),
				Func("sum", func(_ context.Context, ns []int) (sum int, _ error) {
					for _, n := range ns {
						sum += n
					}
					return sum, nil
				})))
	case 6: // a step that runs a flow, before, between and after computing
		inner, err := NewFlow(g.ex, fmt.Sprint("flow ", g.next), sub())
		require.NoError(t, err)
		return g.step(t, func(ctx context.Context, in int) (int, error) {
			a, err := inner.Run(ctx, in)
			if err != nil {
				return 0, err
			}
			b, err := inner.Run(ctx, a)
			return a + b, err
		})
	case 7:
		flow, err := NewFlow(g.ex, fmt.Sprint("flow ", g.next), sub())
		require.NoError(t, err)
		return flow
	default:
		takes := time.Duration(rapid.IntRange(0, 3).Draw(t, "takes")) * time.Millisecond
		fails := g.fails && rapid.IntRange(0, 9).Draw(t, "fails") == 0
		return g.step(t, func(_ context.Context, in int) (int, error) {
			n := g.now.Add(1)
			defer g.now.Add(-1)
			for m := g.most.Load(); n > m && !g.most.CompareAndSwap(m, n); m = g.most.Load() {
			}
			time.Sleep(takes)
			if fails {
				return 0, errBroken
			}
			return in + 1, nil
		})
	}
}

func (g *graph) step(t *rapid.T, run func(context.Context, int) (int, error)) Node[int, int] {
	cfg := StepConfig[int, int]{Name: fmt.Sprint("step ", g.next), Run: run}
	if rapid.Bool().Draw(t, "bounded") {
		cfg.Timeout = 24 * time.Hour
	}
	if rapid.Bool().Draw(t, "pure") && !g.fails {
		cfg.Results = Pure()
	}
	cfg.Attempts = rapid.IntRange(1, 2).Draw(t, "attempts")
	s, err := NewStep(g.ex, cfg)
	require.NoError(t, err)
	return s
}

// Nested steps and parallel flows never wait for each other for ever, at any
// limit, while it is moved: in the bubble's time, whoever waits for ever is
// rejected after an hour, and that is an error here.
func TestGraph_neverDeadlocksAtAnyLimit(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cfg := Config{EnableConcurrencyOptimization: true, ConcurrencyTimeout: time.Hour}
		cfg.EnableStepOptimization = rapid.Bool().Draw(rt, "sharing")
		cfg.EnableCacheOptimization = rapid.Bool().Draw(rt, "cache")
		cfg.EnableContextOptimization = rapid.Bool().Draw(rt, "context")
		limits := rapid.SliceOfN(rapid.IntRange(1, 4), 1, 6).Draw(rt, "limits")
		seeds := rapid.IntRange(1, 4).Draw(rt, "runs")
		depth := rapid.IntRange(1, 3).Draw(rt, "depth")
		fails := rapid.Bool().Draw(rt, "failing")
		var problems []error
		var waits, most int64
		synctest.Test(t, func(*testing.T) {
			cfg.MaxConcurrentExecutions = limits[0]
			ex, err := New(cfg)
			require.NoError(rt, err)
			g := &graph{ex: ex, fails: fails}
			var keys []StateKey
			if rapid.Bool().Draw(rt, "state") {
				keys = []StateKey{keyOf(Last[int])}
			}
			flow, err := NewFlow(ex, "graph", g.draw(rt, depth), keys...)
			require.NoError(rt, err)
			results := make(chan error, seeds)
			for i := range seeds {
				go func() {
					_, err := flow.Run(context.Background(), i)
					results <- err
				}()
			}
			for _, limit := range limits[1:] {
				time.Sleep(1500 * time.Microsecond)
				cfg.MaxConcurrentExecutions = limit
				if err := ex.Apply(cfg); err != nil {
					problems = append(problems, err)
				}
			}
			for range seeds {
				if err := <-results; errors.Is(err, ErrConcurrencyTimeout) || err != nil && !fails && !errors.Is(err, ErrLoopBound) {
					problems = append(problems, err)
				}
			}
			if used := usedOf(ex.permits.word.Load()); used != 0 {
				problems = append(problems, fmt.Errorf("%d permits are out", used))
			}
			waits, most = int64(ex.Stats().Waits), g.most.Load()
			if len(limits) == 1 && most > int64(limits[0]) {
				problems = append(problems, fmt.Errorf("%d leaves at once, at a limit of %d", most, limits[0]))
			}
			problems = append(problems, ex.Close())
		})
		require.NoError(rt, errors.Join(problems...))
		rt.Logf("waits %d, at once %d", waits, most)
	})
}
