package executor

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func limitOn(n int) Config {
	return Config{EnableConcurrencyOptimization: true, MaxConcurrentExecutions: n}
}

// peak is a step's function that sleeps a second and remembers how many of it
// ran at once.
type peak struct{ now, most atomic.Int64 }

func (p *peak) run(context.Context, int) (int, error) {
	n := p.now.Add(1)
	for m := p.most.Load(); n > m && !p.most.CompareAndSwap(m, n); m = p.most.Load() {
	}
	time.Sleep(time.Second)
	p.now.Add(-1)
	return 0, nil
}

func TestLimit_boundsAndMovesLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := start(t, limitOn(3))
		var p peak
		s := bind(t, ex, StepConfig[int, int]{Run: p.run})
		burst := func(n int) *sync.WaitGroup { return newGroup(n, func() { must(s.Run(t.Context(), 1))(t) }) }

		begin := time.Now()
		burst(12).Wait()
		require.EqualValues(t, 3, p.most.Load())
		require.Equal(t, 4*time.Second, time.Since(begin))
		require.EqualValues(t, 9, ex.Stats().Waits)

		p.most.Store(0)
		all := burst(12)
		synctest.Wait()
		require.NoError(t, ex.Apply(limitOn(5)))
		synctest.Wait()
		require.EqualValues(t, 5, p.now.Load(), "a higher limit lets in who waits")
		require.NoError(t, ex.Apply(limitOn(1)))
		time.Sleep(1500 * time.Millisecond)
		require.EqualValues(t, 1, p.now.Load(), "a lower one is reached as permits come back")
		require.NoError(t, ex.Apply(Config{}))
		synctest.Wait()
		require.EqualValues(t, 7, p.now.Load(), "off lets in everybody")
		all.Wait()
		require.Zero(t, usedOf(ex.permits.word.Load()))
	})
}

func TestLimit_rejectsAfterTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := limitOn(1)
		cfg.ConcurrencyTimeout = 100 * time.Millisecond
		ex := start(t, cfg)
		var p peak
		s := bind(t, ex, StepConfig[int, int]{Name: "slow", Run: p.run, Attempts: 5})
		first := newGroup(1, func() { must(s.Run(t.Context(), 1))(t) })
		synctest.Wait()
		begin := time.Now()
		_, err := s.Run(t.Context(), 1)
		require.ErrorIs(t, err, ErrConcurrencyTimeout)
		require.EqualError(t, err, "step slow: waited longer than concurrency_timeout for a permit")
		require.Equal(t, 100*time.Millisecond, time.Since(begin), "a rejection is not tried again")
		require.EqualValues(t, 1, ex.Stats().Rejected)
		first.Wait()

		cfg.ConcurrencyTimeout = time.Minute
		require.NoError(t, ex.Apply(cfg))
		first = newGroup(1, func() { must(s.Run(t.Context(), 1))(t) })
		synctest.Wait()
		must(s.Run(t.Context(), 1))(t)
		first.Wait()
	})
}

func TestLimit_noPermitDuringBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := start(t, limitOn(1))
		fails := bind(t, ex, StepConfig[int, int]{
			Attempts: 2, Backoff: 10 * time.Second, Run: func(context.Context, int) (int, error) { return 0, errBroken },
		})
		quick := bind(t, ex, StepConfig[int, int]{Run: bare})
		other := newGroup(1, func() { _, _ = fails.Run(t.Context(), 1) })
		synctest.Wait()
		begin := time.Now()
		must(quick.Run(t.Context(), 1))(t)
		require.Zero(t, time.Since(begin))
		other.Wait()
	})
}

// At a limit of 1: steps that run steps, in a row and all at once, several
// levels deep, shared and cached or not, with and without a timeout.
func TestLimit_nestedStepsDoNotDeadlock(t *testing.T) {
	for _, sharing := range []bool{false, true} {
		for _, timeout := range []time.Duration{0, time.Hour} {
			synctest.Test(t, func(t *testing.T) {
				cfg := limitOn(1)
				cfg.EnableStepOptimization, cfg.EnableCacheOptimization = sharing, sharing
				cfg.ConcurrencyTimeout = time.Hour
				ex := start(t, cfg)
				var leaves peak
				leaf := bind(t, ex, StepConfig[int, int]{Name: "leaf", Run: leaves.run, Results: FreshFor(time.Second), Timeout: timeout})
				middle := bind(t, ex, StepConfig[int, int]{Name: "middle", Results: Pure(), Timeout: timeout, Run: func(ctx context.Context, in int) (int, error) {
					var all sync.WaitGroup
					for i := range 3 {
						all.Go(func() { must(leaf.Run(ctx, in+i))(t) })
					}
					all.Wait()
					return leaf.Run(ctx, in)
				}})
				top := bind(t, ex, StepConfig[int, int]{Name: "top", Timeout: timeout, Run: func(ctx context.Context, in int) (int, error) {
					must(middle.Run(ctx, in))(t)
					return middle.Run(ctx, in+1)
				}})
				newGroup(8, func() { must(top.Run(t.Context(), 1))(t) }).Wait()
				synctest.Wait() // what ran for several gives its permit back when they have their answer
				require.EqualValues(t, 1, leaves.most.Load(), "the limit holds for leaves, however they are nested")
				require.Zero(t, usedOf(ex.permits.word.Load()))
				require.Zero(t, ex.Stats().Rejected)
			})
		}
	}
}

func TestLimit_nestedAcrossExecutors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := start(t, limitOn(1)), start(t, limitOn(1))
		var p peak
		leaf := bind(t, a, StepConfig[int, int]{Run: p.run})
		middle := bind(t, b, StepConfig[int, int]{Run: leaf.Run})
		top := bind(t, a, StepConfig[int, int]{Run: middle.Run})
		newGroup(4, func() { must(top.Run(t.Context(), 1))(t) }).Wait()
		require.EqualValues(t, 1, p.most.Load())
	})
}
