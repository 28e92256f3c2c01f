package executor

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var shareOn = Config{EnableStepOptimization: true}

func TestShare_identicalExecutionsRunOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := start(t, shareOn)
		var runs atomic.Int64
		slow := func(_ context.Context, in int) ([]int, error) {
			runs.Add(1)
			time.Sleep(time.Second)
			if in < 0 {
				return nil, errBroken
			}
			return []int{in}, nil
		}
		s := bind(t, ex, StepConfig[int, []int]{Results: Pure(), Copy: slices.Clone[[]int], Run: slow})
		undeclared := bind(t, ex, StepConfig[int, []int]{Run: slow})
		var mu sync.Mutex
		var outs [][]int
		run := func(s *Step[int, []int], in int) *sync.WaitGroup {
			return newGroup(10, func() {
				out, err := s.Run(t.Context(), in)
				if in < 0 {
					require.ErrorIs(t, err, errBroken)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				outs = append(outs, out)
			})
		}
		a, b := run(s, 7), run(s, 8)
		a.Wait()
		b.Wait()
		require.EqualValues(t, 2, runs.Load(), "once for each input")
		require.EqualValues(t, 18, ex.Stats().Shared)
		require.Len(t, outs, 20)
		for i, o := range outs {
			require.Contains(t, []int{7, 8}, o[0])
			o[0] = -i // nobody else's
		}
		run(s, -1).Wait()
		require.EqualValues(t, 3, runs.Load(), "an error is a result")
		run(undeclared, 7).Wait()
		require.EqualValues(t, 13, runs.Load(), "a step that declares nothing is never shared")
	})
}

func TestShare_cancellations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := start(t, shareOn)
		var runs atomic.Int64
		s := bind(t, ex, StepConfig[int, int64]{Results: Pure(), Run: func(ctx context.Context, _ int) (int64, error) {
			n := runs.Add(1)
			select {
			case <-time.After(10 * time.Second):
				return n, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}})
		leaderCtx, cancelLeader := context.WithCancel(t.Context())
		waiterCtx, cancelWaiter := context.WithCancel(t.Context())
		leader, waiter := make(chan error, 1), make(chan error, 1)
		go func() { _, err := s.Run(leaderCtx, 1); leader <- err }()
		synctest.Wait()
		begin := time.Now()
		go func() { _, err := s.Run(waiterCtx, 1); waiter <- err }()
		others := newGroup(5, func() {
			out, err := s.Run(t.Context(), 1)
			require.NoError(t, err, "the leader's cancellation is not theirs")
			require.EqualValues(t, 2, out, "and one of them led for all")
		})
		synctest.Wait()
		time.Sleep(time.Second)
		cancelWaiter()
		require.ErrorIs(t, <-waiter, context.Canceled)
		require.Equal(t, time.Second, time.Since(begin), "a waiter's own cancellation returns at once")
		cancelLeader()
		require.ErrorIs(t, <-leader, context.Canceled)
		others.Wait()
		require.EqualValues(t, 2, runs.Load())
	})
}

func TestShare_rowOfShortLivedLeadersHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := start(t, shareOn)
		s := bind(t, ex, StepConfig[int, int]{Results: Pure(), Run: func(ctx context.Context, _ int) (int, error) {
			select {
			case <-time.After(10 * time.Second):
				return 1, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}})
		ctx, cancel := context.WithCancel(t.Context())
		impatient := newGroup(1, func() {
			for ctx.Err() == nil {
				short, end := context.WithTimeout(ctx, time.Second)
				_, _ = s.Run(short, 1)
				end()
			}
		})
		synctest.Wait()
		begin := time.Now()
		require.Equal(t, 1, must(s.Run(t.Context(), 1))(t))
		require.LessOrEqual(t, time.Since(begin), (10+maxVoid)*time.Second)
		cancel()
		impatient.Wait()
	})
}

func TestShare_leaderThatEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := start(t, shareOn)
		var runs atomic.Int64
		s := bind(t, ex, StepConfig[int, int]{Results: Pure(), Run: func(context.Context, int) (int, error) {
			n := runs.Add(1)
			time.Sleep(time.Second)
			if n == 1 {
				runtime.Goexit()
			}
			return 4, nil
		}})
		go func() { _, _ = s.Run(t.Context(), 1) }()
		synctest.Wait()
		newGroup(3, func() { require.Equal(t, 4, must(s.Run(t.Context(), 1))(t)) }).Wait()
		require.EqualValues(t, 2, runs.Load())
	})
}

func TestShare_panicReachesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bind(t, start(t, shareOn), StepConfig[int, int]{Results: Pure(), Run: func(context.Context, int) (int, error) {
			time.Sleep(time.Second)
			panic("all of us")
		}})
		newGroup(3, func() {
			_, err := s.Run(t.Context(), 1)
			var p *PanicError
			require.ErrorAs(t, err, &p)
		}).Wait()
	})
}

func TestShare_freshForIsNotJoinedWhenOlder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bind(t, start(t, shareOn), StepConfig[int, time.Time]{Results: FreshFor(time.Second), Run: func(context.Context, int) (time.Time, error) {
			at := time.Now()
			time.Sleep(10 * time.Second)
			return at, nil
		}})
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				begin := time.Now()
				at := must(s.Run(t.Context(), 1))(t)
				require.Less(t, begin.Sub(at), time.Second)
			})
			time.Sleep(150 * time.Millisecond)
		}
		all.Wait()
	})
}

// Two steps whose results change with time, each in flight, each running the
// other: without sharing both end, so with it they must too.
func TestShare_flightsDoNotWaitInACircle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := start(t, shareOn)
		var a, b *Step[int, int]
		var calm atomic.Bool
		other := func(s **Step[int, int]) func(context.Context, int) (int, error) {
			return func(ctx context.Context, in int) (int, error) {
				time.Sleep(time.Second)
				if calm.Load() {
					return in, nil
				}
				time.AfterFunc(time.Millisecond, func() { calm.Store(true) })
				return (*s).Run(ctx, in)
			}
		}
		a = bind(t, ex, StepConfig[int, int]{Name: "a", Results: FreshFor(time.Hour), Run: other(&b)})
		b = bind(t, ex, StepConfig[int, int]{Name: "b", Results: FreshFor(time.Hour), Run: other(&a)})
		var all sync.WaitGroup
		for _, s := range []*Step[int, int]{a, b} {
			all.Go(func() { require.Equal(t, 1, must(s.Run(t.Context(), 1))(t)) })
		}
		all.Wait()

		// A step that runs itself with the same input, until it need not.
		calm.Store(false)
		var self *Step[int, int]
		self = bind(t, ex, StepConfig[int, int]{Name: "self", Results: FreshFor(time.Hour), Run: func(ctx context.Context, in int) (int, error) {
			if calm.Swap(true) {
				return in, nil
			}
			return self.Run(ctx, in)
		}})
		require.Equal(t, 2, must(self.Run(t.Context(), 2))(t))
	})
}

func TestShare_withTheCacheRunsOnceUnderLoad(t *testing.T) {
	ex := start(t, Config{EnableCacheOptimization: true, EnableStepOptimization: true, CacheSize: 10_000})
	var runs [200]atomic.Int64
	s := bind(t, ex, StepConfig[int, int]{Results: Pure(), Run: func(_ context.Context, in int) (int, error) {
		runs[in].Add(1)
		runtime.Gosched()
		return in, nil
	}})
	newGroup(16, func() {
		for i := range runs {
			if out, err := s.Run(context.Background(), i); out != i || err != nil {
				t.Errorf("%d: %d, %v", i, out, err)
			}
		}
	}).Wait()
	for i := range runs {
		require.EqualValues(t, 1, runs[i].Load(), "input %d", i)
	}
	stats := ex.Stats()
	require.Equal(t, stats.Executions, stats.CacheHits+stats.CacheMisses)
	require.EqualValues(t, 200, stats.CacheMisses-stats.Shared)
}

// Between an execution's look at the cache and its turn to lead, the leader
// before may have stored the result and gone.
func TestShare_leaderLooksAtTheCacheAgain(t *testing.T) {
	runs := 0
	ex := start(t, Config{EnableCacheOptimization: true, EnableStepOptimization: true})
	s := bind(t, ex, StepConfig[int, int]{Results: Pure(), Run: counted(&runs)})
	must(s.Run(t.Context(), 1))(t)
	id, held, _ := s.identify.of(1, false, 0)
	id = held.own(id)
	f, leads := s.flights.join(id, ex.clock.NowNano(), 0)
	require.True(t, leads)
	out, from, err := s.lead(t.Context(), ex.current.Load(), id, f, 1)
	require.NoError(t, err)
	require.Equal(t, 2, out)
	require.Equal(t, joined, from)
	require.Equal(t, 1, runs)
	require.Empty(t, s.flights.m)
}

func TestWaitGraph(t *testing.T) {
	var g waitGraph
	var a, b, c flightNode
	require.True(t, g.enter([]*flightNode{&a}, &b))
	require.True(t, g.enter([]*flightNode{&b}, &c))
	require.False(t, g.enter([]*flightNode{&c}, &a), "c would wait for a, that for b, and that for c")
	require.False(t, g.enter([]*flightNode{&a}, &a))
	g.leave([]*flightNode{&a}, &b)
	require.True(t, g.enter([]*flightNode{&c}, &a))
	g.leave([]*flightNode{&c}, &a)
	g.leave([]*flightNode{&b}, &c)
	for _, n := range []*flightNode{&a, &b, &c} {
		require.Empty(t, n.waitsFor)
	}
}
