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

// graph is where a random flow runs: steps that take time, and run steps and
// flows themselves. It counts how many of them compute at once.
type graph struct {
	ex   *Executor
	made int
	now  atomic.Int64 // leaves
	most atomic.Int64 // of now
}

// plot is a node to be made.
type plot func(g *graph) Node[int, int]

// drawPlot returns a node of at most that depth. It is drawn before the graph's
// executor exists.
func drawPlot(t *rapid.T, depth int, failing bool) plot {
	kinds := 8
	if depth == 0 {
		kinds = 1
	}
	sub := func() plot { return drawPlot(t, depth-1, failing) }
	several := func() func(g *graph) []Node[int, int] {
		plots := make([]plot, rapid.IntRange(1, 3).Draw(t, "several"))
		for i := range plots {
			plots[i] = sub()
		}
		return func(g *graph) []Node[int, int] {
			var nodes []Node[int, int]
			for _, p := range plots {
				nodes = append(nodes, p(g))
			}
			return nodes
		}
	}
	odd := func(_ context.Context, n int) (bool, error) { return n%2 == 1, nil }
	strategy := func() OnFailure { return OnFailure(rapid.IntRange(0, 3).Draw(t, "strategy")) }
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 1:
		nodes := several()
		return func(g *graph) Node[int, int] { return Sequence(nodes(g)...) }
	case 2:
		nodes, on := several(), strategy()
		return func(g *graph) Node[int, int] {
			return Parallel(Reduce(func(a, b int) int { return a + b }), nodes(g)...).OnFailure(on)
		}
	case 3:
		yes, no := sub(), sub()
		return func(g *graph) Node[int, int] { return If(odd, yes(g), no(g)) }
	case 4:
		body := sub()
		return func(g *graph) Node[int, int] { return Loop(3, body(g), odd) }
	case 5:
		body, on, width := sub(), strategy(), rapid.IntRange(1, 3).Draw(t, "width")
		split := Func("split", func(_ context.Context, n int) ([]int, error) { return []int{n, n + 1, n + 2}, nil })
		sum := Func("sum", func(_ context.Context, ns []int) (sum int, _ error) {
			for _, n := range ns {
				sum += n
			}
			return sum, nil
		})
		return func(g *graph) Node[int, int] {
			return Then(split, Then(Node[[]int, []int](Map(body(g)).Width(width).OnFailure(on)), sum))
		}
	case 6: // a step that runs a flow, computes, and runs it again
		body, step := sub(), drawStep(t, failing)
		return func(g *graph) Node[int, int] {
			inner := g.flow(body)
			return step(g, func(ctx context.Context, in int) (int, error) {
				a, err := inner.Run(ctx, in)
				if err != nil {
					return 0, err
				}
				time.Sleep(time.Millisecond)
				b, err := inner.Run(ctx, a)
				return a + b, err
			})
		}
	case 7:
		body := sub()
		return func(g *graph) Node[int, int] { return g.flow(body) }
	default:
		step, takes := drawStep(t, failing), time.Duration(rapid.IntRange(0, 3).Draw(t, "takes"))*time.Millisecond
		fails := failing && rapid.IntRange(0, 9).Draw(t, "fails") == 0
		return func(g *graph) Node[int, int] {
			return step(g, func(_ context.Context, in int) (int, error) {
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
}

// drawStep returns what makes a step of a function.
func drawStep(t *rapid.T, failing bool) func(*graph, func(context.Context, int) (int, error)) Node[int, int] {
	cfg := StepConfig[int, int]{Attempts: rapid.IntRange(1, 2).Draw(t, "attempts")}
	if rapid.Bool().Draw(t, "bounded") {
		cfg.Timeout = 24 * time.Hour
	}
	if rapid.Bool().Draw(t, "pure") && !failing {
		cfg.Results = Pure()
	}
	return func(g *graph, run func(context.Context, int) (int, error)) Node[int, int] {
		g.made++
		cfg.Name, cfg.Run = fmt.Sprint("step ", g.made), run
		s, err := NewStep(g.ex, cfg)
		if err != nil {
			panic(err)
		}
		return s
	}
}

func (g *graph) flow(body plot, keys ...StateKey) *Flow[int, int] {
	g.made++
	f, err := NewFlow(g.ex, fmt.Sprint("flow ", g.made), body(g), keys...)
	if err != nil {
		panic(err)
	}
	return f
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
		failing := rapid.Bool().Draw(rt, "failing")
		stateful := rapid.Bool().Draw(rt, "state")
		body := drawPlot(rt, depth, failing)
		var problems []error
		var waits, most int64
		synctest.Test(t, func(*testing.T) {
			cfg.MaxConcurrentExecutions = limits[0]
			ex, err := New(cfg)
			if err != nil {
				panic(err)
			}
			g := &graph{ex: ex}
			var keys []StateKey
			if stateful {
				keys = []StateKey{keyOf(Last[int])}
			}
			flow := g.flow(body, keys...)
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
				if err := <-results; errors.Is(err, ErrConcurrencyTimeout) || err != nil && !failing && !errors.Is(err, ErrLoopBound) {
					problems = append(problems, err)
				}
			}
			problems = append(problems, ex.Close()) // it waits for what timeouts and cancels have left behind
			if used := usedOf(ex.permits.word.Load()); used != 0 {
				problems = append(problems, fmt.Errorf("%d permits are out", used))
			}
			waits, most = int64(ex.Stats().Waits), g.most.Load()
			if len(limits) == 1 && most > int64(limits[0]) {
				problems = append(problems, fmt.Errorf("%d leaves at once, at a limit of %d", most, limits[0]))
			}
		})
		require.NoError(rt, errors.Join(problems...))
		rt.Logf("waits %d, at once %d", waits, most)
	})
}
