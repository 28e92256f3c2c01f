package executor

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var cacheOn = Config{EnableCacheOptimization: true}

func TestCache_hitDoesNotRun(t *testing.T) {
	runs := 0
	ex := start(t, cacheOn)
	s := bind(t, ex, StepConfig[int, int]{Results: Pure(), Run: counted(&runs)})
	undeclared := bind(t, ex, StepConfig[int, int]{Run: counted(&runs)})
	for range 5 {
		require.Equal(t, 8, must(s.Run(context.Background(), 4))(t))
	}
	require.Equal(t, 1, runs)
	for range 5 {
		require.Equal(t, 8, must(undeclared.Run(context.Background(), 4))(t))
	}
	require.Equal(t, 6, runs, "a step that declares nothing always runs")
	stats := ex.Stats()
	require.EqualValues(t, 10, stats.Executions)
	require.EqualValues(t, 4, stats.CacheHits)
	require.EqualValues(t, 1, stats.CacheMisses)
	require.EqualValues(t, 1, stats.CacheEntries)
}

func TestCache_errorsAreNotKept(t *testing.T) {
	runs := 0
	s := bind(t, start(t, cacheOn), StepConfig[int, int]{Results: Pure(), Run: func(context.Context, int) (int, error) {
		if runs++; runs == 1 {
			return 5, errBroken
		}
		return runs, nil
	}})
	_, err := s.Run(context.Background(), 1)
	require.ErrorIs(t, err, errBroken)
	require.Equal(t, 2, must(s.Run(context.Background(), 1))(t))
	require.Equal(t, 2, must(s.Run(context.Background(), 1))(t))
}

// The same value of different types, at different steps, and values that == calls
// equal though a function can tell them apart.
func TestCache_identityTellsInputsApart(t *testing.T) {
	for _, exact := range []bool{false, true} {
		identityTellsInputsApart(t, Config{EnableCacheOptimization: true, EnableAlgorithmOptimization: exact})
	}
}

func identityTellsInputsApart(t *testing.T, cfg Config) {
	t.Helper()
	ex := start(t, cfg)
	type celsius float64
	type point struct {
		Name string
		At   [2]float64
	}
	show := func(_ context.Context, p point) (string, error) { return fmt.Sprintf("%v", p), nil }
	points := bind(t, ex, StepConfig[point, string]{Results: Pure(), Run: show})
	inverse := bind(t, ex, StepConfig[celsius, float64]{Results: Pure(), Run: func(_ context.Context, x celsius) (float64, error) { return 1 / float64(x), nil }})
	texts := bind(t, ex, StepConfig[string, string]{Results: Pure(), Run: func(_ context.Context, s string) (string, error) { return "text " + s, nil }})
	keyed := bind(t, ex, StepConfig[[]int, int]{
		Results: Pure(), Key: func(in []int) string { return fmt.Sprint(in) },
		Run: func(_ context.Context, in []int) (int, error) { return len(in), nil },
	})
	small := bind(t, ex, StepConfig[int32, int]{Results: Pure(), Run: func(_ context.Context, in int32) (int, error) { return int(in), nil }})
	ctx := context.Background()
	negativeZero := math.Copysign(0, -1)
	for range 3 {
		require.Equal(t, "{ [0 0]}", must(points.Run(ctx, point{}))(t))
		require.Equal(t, "{ [0 -0]}", must(points.Run(ctx, point{At: [2]float64{0, negativeZero}}))(t))
		require.Equal(t, "{ [NaN 0]}", must(points.Run(ctx, point{At: [2]float64{math.NaN(), 0}}))(t))
		require.Equal(t, math.Inf(1), must(inverse.Run(ctx, 0))(t))
		require.Equal(t, math.Inf(-1), must(inverse.Run(ctx, celsius(negativeZero)))(t))
		require.Equal(t, "text ", must(texts.Run(ctx, ""))(t))
		require.Equal(t, "text 0", must(texts.Run(ctx, "0"))(t))
		require.Equal(t, 0, must(keyed.Run(ctx, nil))(t))
		require.Equal(t, 2, must(keyed.Run(ctx, []int{0, 0}))(t))
		require.Equal(t, 0, must(small.Run(ctx, 0))(t))
		require.Equal(t, -1, must(small.Run(ctx, -1))(t))
	}
	require.EqualValues(t, 11, ex.Stats().CacheEntries)
	require.EqualValues(t, 22, ex.Stats().CacheHits, "the second and third time all are found, NaN too")
}

func TestCache_callersGetResultsOfTheirOwn(t *testing.T) {
	ex := start(t, cacheOn)
	s := bind(t, ex, StepConfig[int, []int]{
		Results: Pure(), Copy: slices.Clone[[]int],
		Run: func(_ context.Context, in int) ([]int, error) { return []int{in, in}, nil },
	})
	for range 4 {
		out := must(s.Run(context.Background(), 3))(t)
		require.Equal(t, []int{3, 3}, out)
		out[0] = 99
	}
	require.EqualValues(t, 3, ex.Stats().CacheHits)
}

func TestCache_copyThatPanicsIsAnError(t *testing.T) {
	for _, cfg := range []Config{cacheOn, {EnableStepOptimization: true}, {EnableCacheOptimization: true, EnableStepOptimization: true}} {
		s := bind(t, start(t, cfg), StepConfig[int, []int]{
			Results: Pure(), Copy: func([]int) []int { panic("copy") }, Key: func(in int) string {
				if in < 0 {
					panic("key")
				}
				return "x"
			},
			Run: func(_ context.Context, in int) ([]int, error) { return []int{in}, nil },
		})
		var p *PanicError
		_, err := s.Run(context.Background(), -1)
		require.ErrorAs(t, err, &p)
		_, err = s.Run(context.Background(), 1)
		if cfg.EnableCacheOptimization {
			require.ErrorAs(t, err, &p)
		}
		_, err = s.Run(context.Background(), 1)
		_ = err // and nothing hangs
	}
}

func TestCache_freshForAndTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := start(t, Config{EnableCacheOptimization: true, CacheTTL: time.Minute})
		now := func(context.Context, int) (time.Time, error) {
			at := time.Now()
			time.Sleep(time.Second) // a result is as old as its execution
			return at, nil
		}
		pure := bind(t, ex, StepConfig[int, time.Time]{Results: Pure(), Run: now})
		fresh := bind(t, ex, StepConfig[int, time.Time]{Results: FreshFor(10 * time.Second), Run: now})
		never := bind(t, ex, StepConfig[int, time.Time]{Results: FreshFor(time.Second), Run: now})

		first := must(fresh.Run(t.Context(), 1))(t)
		time.Sleep(9*time.Second - 1)
		require.Equal(t, first, must(fresh.Run(t.Context(), 1))(t), "10 s - 1 ns after it began")
		time.Sleep(time.Nanosecond)
		require.NotEqual(t, first, must(fresh.Run(t.Context(), 1))(t), "10 s after")

		must(never.Run(t.Context(), 1))(t)
		require.NotEqual(t, must(never.Run(t.Context(), 1))(t), must(never.Run(t.Context(), 1))(t), "too old when it is ready")

		first = must(pure.Run(t.Context(), 1))(t)
		time.Sleep(59*time.Second - 1)
		require.Equal(t, first, must(pure.Run(t.Context(), 1))(t))
		time.Sleep(time.Nanosecond)
		require.NotEqual(t, first, must(pure.Run(t.Context(), 1))(t), "a minute after")
	})
}

func TestCache_ttlMovesWithTheEntriesThatAreThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		cfg := Config{EnableCacheOptimization: true, CacheTTL: time.Minute}
		ex := start(t, cfg)
		s := bind(t, ex, StepConfig[int, int]{Results: Pure(), Run: counted(&runs)})
		run := func(want int, why string) { // runs so far, afterwards
			t.Helper()
			must(s.Run(t.Context(), 1))(t)
			require.Equal(t, want, runs, why)
		}
		run(1, "computed")
		time.Sleep(30 * time.Second)
		cfg.CacheTTL = time.Hour
		require.NoError(t, ex.Apply(cfg))
		time.Sleep(20 * time.Minute)
		run(1, "a longer TTL keeps what is warm")
		cfg.CacheTTL = 21 * time.Minute
		require.NoError(t, ex.Apply(cfg))
		run(1, "and so does a shorter one that it has not reached")
		time.Sleep(time.Minute)
		run(2, "which then ends it")
		time.Sleep(10 * time.Second)
		cfg.CacheTTL = 5 * time.Second
		require.NoError(t, ex.Apply(cfg))
		run(3, "a shorter TTL ends at once what is older")
	})
}

func TestCache_offKeepsEntriesAndTheyAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		on, off := Config{EnableCacheOptimization: true, CacheTTL: time.Minute}, Config{CacheTTL: time.Minute}
		ex := start(t, on)
		s := bind(t, ex, StepConfig[int, int]{Results: Pure(), Run: counted(&runs)})
		must(s.Run(t.Context(), 1))(t)
		must(s.Run(t.Context(), 2))(t)
		require.NoError(t, ex.Apply(off))
		must(s.Run(t.Context(), 1))(t)
		require.Equal(t, 3, runs, "off is off")
		s.Invalidate(2)
		time.Sleep(30 * time.Second)
		require.NoError(t, ex.Apply(on))
		must(s.Run(t.Context(), 1))(t)
		require.Equal(t, 3, runs, "still warm")
		must(s.Run(t.Context(), 2))(t)
		require.Equal(t, 4, runs, "invalidated while off")
		require.NoError(t, ex.Apply(off))
		time.Sleep(31 * time.Second)
		require.NoError(t, ex.Apply(on))
		must(s.Run(t.Context(), 1))(t)
		require.Equal(t, 5, runs, "aged while off")
	})
}

func TestCache_sizeMovesLive(t *testing.T) {
	runs := 0
	cfg := Config{EnableCacheOptimization: true, CacheSize: 1000}
	ex := start(t, cfg)
	s := bind(t, ex, StepConfig[int, int]{Results: Pure(), Run: counted(&runs)})
	again := func() (hits int) {
		before := ex.Stats().CacheHits
		for i := range 500 {
			must(s.Run(context.Background(), i))(t)
		}
		return int(ex.Stats().CacheHits - before)
	}
	require.Zero(t, again())
	require.Equal(t, 500, again())
	cfg.CacheSize = 2000
	require.NoError(t, ex.Apply(cfg))
	require.Equal(t, 500, again(), "growing loses nothing")
	cfg.CacheSize = 50
	require.NoError(t, ex.Apply(cfg))
	require.LessOrEqual(t, ex.Stats().CacheEntries, uint64(50), "shrinking evicts before Apply returns")
	require.Greater(t, ex.Stats().CacheEntries, uint64(40), "and no more than it must")
	require.Less(t, again(), 100)
	cfg.CacheSize = 1000
	require.NoError(t, ex.Apply(cfg))
	again()
	require.Equal(t, 500, again())
}

func TestInvalidate_executionThatBeganBeforeIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, sharing := range []bool{false, true} {
			ex := start(t, Config{EnableCacheOptimization: true, EnableStepOptimization: sharing})
			var value atomic.Int64
			value.Store(1)
			s := bind(t, ex, StepConfig[string, int64]{Results: FreshFor(time.Hour), Run: func(context.Context, string) (int64, error) {
				v := value.Load()
				time.Sleep(time.Second)
				return v, nil
			}})
			results := make(chan int64, 2)
			go func() { results <- must(s.Run(t.Context(), "x"))(t) }()
			time.Sleep(500 * time.Millisecond)
			value.Store(2)
			s.Invalidate("x")
			begin := time.Now()
			require.EqualValues(t, 2, must(s.Run(t.Context(), "x"))(t), "who begins after a write sees it")
			require.Equal(t, time.Second, time.Since(begin), "by an execution of its own")
			require.EqualValues(t, 1, <-results)
			require.EqualValues(t, 2, must(s.Run(t.Context(), "x"))(t))
			require.EqualValues(t, 1, ex.Stats().CacheHits)

			value.Store(3)
			s.Invalidate("x")
			go func() { results <- must(s.Run(t.Context(), "x"))(t) }()
			time.Sleep(500 * time.Millisecond)
			value.Store(4)
			s.Invalidate("x")
			require.EqualValues(t, 3, <-results)
			require.EqualValues(t, 4, must(s.Run(t.Context(), "x"))(t), "nobody is served what was read before the write")

			value.Store(5)
			s.Invalidate("x")
			require.EqualValues(t, 5, must(s.Run(t.Context(), "x"))(t))
		}
	})
}

func TestCache_slowExecutionDoesNotReplaceAYoungerResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := start(t, cacheOn)
		takes := make(chan time.Duration, 2)
		s := bind(t, ex, StepConfig[int, time.Time]{Results: FreshFor(time.Hour), Run: func(context.Context, int) (time.Time, error) {
			at := time.Now()
			time.Sleep(<-takes)
			return at, nil
		}})
		takes <- time.Minute
		slow := newGroup(1, func() { must(s.Run(t.Context(), 1))(t) })
		synctest.Wait()
		time.Sleep(time.Second)
		takes <- time.Second
		younger := must(s.Run(t.Context(), 1))(t)
		slow.Wait()
		require.Equal(t, younger, must(s.Run(t.Context(), 1))(t))
	})
}

// A write, then its invalidation, then reads, at random: no read that begins
// after an invalidation returned may see an older value.
func TestInvalidate_noReadGoesBack(t *testing.T) {
	ex := start(t, Config{EnableCacheOptimization: true, EnableStepOptimization: true})
	written := newRegister()
	s := bind(t, ex, StepConfig[int, int64]{Results: FreshFor(time.Hour), Run: func(context.Context, int) (int64, error) {
		return written.read(), nil
	}})
	stop := make(chan struct{})
	readers := newGroup(4, func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			least := written.invalidated.Load()
			if got, err := s.Run(context.Background(), 1); err != nil || got < least {
				t.Errorf("read %d (%v) after %d was written and invalidated", got, err, least)
				return
			}
		}
	})
	for range 3000 {
		v := written.value.Add(1)
		s.Invalidate(1)
		written.invalidated.Store(v)
		for range v % 8 {
			runtime.Gosched()
		}
	}
	close(stop)
	readers.Wait()
}
