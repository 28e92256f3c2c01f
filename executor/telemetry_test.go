package executor

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// recorder keeps what it is given, and fails as it is told to.
type recorder struct {
	mu    sync.Mutex
	calls []int // spans in each call
	spans []*Span
	fault func() error // of each call, before it records anything
}

func (r *recorder) Export(_ context.Context, spans []*Span) error {
	r.mu.Lock()
	fault := r.fault
	r.mu.Unlock()
	if fault != nil {
		if err := fault(); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, len(spans))
	r.spans = append(r.spans, spans...)
	return nil
}

func (r *recorder) taken() (calls []int, spans []*Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls), slices.Clone(r.spans)
}

func startTraced(t testing.TB, cfg Config, e Exporter) *Executor {
	t.Helper()
	ex, err := New(cfg, WithExporter(e))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ex.Close()) })
	return ex
}

// sampling is a Config with telemetry optimized.
func sampling(rate float64, batch int) Config {
	cfg := Defaults()
	cfg.EnableOptimizedTelemetry, cfg.TelemetrySamplingRate, cfg.TelemetryBatchSize = true, rate, batch
	return cfg
}

func echo(_ context.Context, in int) (int, error) { return in, nil }

func runs(t testing.TB, s *Step[int, int], n int) {
	t.Helper()
	for i := range n {
		require.Equal(t, i, must(s.Run(t.Context(), i))(t))
	}
}

// Off: each span as it ends, in a call of its own. On: in batches, or what there
// is when a second has passed.
func TestTelemetry_batchesWhileOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{}
		ex := startTraced(t, Config{}, r)
		s := bind(t, ex, StepConfig[int, int]{Run: echo})
		runs(t, s, 3)
		synctest.Wait()
		calls, spans := r.taken()
		require.Equal(t, []int{1, 1, 1}, calls, "at once, one by one")
		require.Equal(t, 1.0, spans[0].Count)

		cfg := sampling(1, 10)
		require.NoError(t, ex.Apply(cfg))
		require.EqualValues(t, 10, batchInForce(t, ex))
		runs(t, s, 9)
		synctest.Wait()
		calls, _ = r.taken()
		require.Len(t, calls, 3, "no batch yet")
		runs(t, s, 1)
		synctest.Wait()
		calls, _ = r.taken()
		require.Equal(t, []int{1, 1, 1, 10}, calls, "a full batch is exported at once")

		runs(t, s, 4)
		time.Sleep(time.Second)
		synctest.Wait()
		calls, _ = r.taken()
		require.Equal(t, []int{1, 1, 1, 10, 4}, calls, "and what there is, after a second")

		runs(t, s, 8)
		cfg.TelemetryBatchSize = 3
		require.NoError(t, ex.Apply(cfg))
		synctest.Wait()
		calls, _ = r.taken()
		require.Equal(t, []int{3, 3}, calls[5:], "a smaller batch size holds for what is queued")
		require.NoError(t, ex.Apply(Config{}))
		synctest.Wait()
		calls, _ = r.taken()
		require.Equal(t, []int{1, 1}, calls[7:], "off: what is queued is exported")

		cfg.TelemetryBatchSize = 100
		require.NoError(t, ex.Apply(cfg))
		runs(t, s, 50)
		require.NoError(t, ex.Close())
		calls, _ = r.taken()
		require.Equal(t, []int{50}, calls[9:], "Close exports the rest")
		stats := ex.Stats()
		require.Equal(t, []uint64{75, 75, 0, 10}, []uint64{stats.Spans, stats.SpansExported, stats.SpansDropped, stats.SpanExports})
		_, err := s.Run(t.Context(), 1)
		require.ErrorIs(t, err, ErrClosed)
		require.EqualValues(t, 75, ex.Stats().Spans, "no span after the end")
	})
}

func batchInForce(t testing.TB, ex *Executor) float64 {
	t.Helper()
	n, ok := ex.Setting().Get("telemetry_batch_size")
	require.True(t, ok)
	return n
}

// The share of executions with a span is the rate, for each step alone, and the
// counts of the spans add up to the executions, also over changes of the rate.
// How far a binomial share may be off: 6 standard deviations, which a right
// sampler exceeds once in 5e8 (normal tail; n p is 600 at least).
func TestTelemetry_rateIsExactInExpectation(t *testing.T) {
	const n = 60_000
	r := &recorder{}
	ex := startTraced(t, Config{}, r)
	steps := []*Step[int, int]{
		bind(t, ex, StepConfig[int, int]{Name: "a", Run: echo}),
		bind(t, ex, StepConfig[int, int]{Name: "b", Run: echo, Results: Pure()}),
	}
	outer := bind(t, ex, StepConfig[int, int]{Name: "outer", Run: func(ctx context.Context, in int) (int, error) {
		_, err := steps[0].Run(ctx, in)
		return in, err
	}})
	executed := map[string]float64{}
	variance := map[string]float64{}
	sum := map[string]float64{}
	for _, rate := range []float64{0, 0.01, 0.3, 0.9, 1} {
		cfg := sampling(rate, 1e5)
		require.NoError(t, ex.Apply(cfg))
		require.Equal(t, rate, ex.Config().TelemetrySamplingRate)
		for i := range n {
			for _, s := range []*Step[int, int]{steps[1], outer} { // a runs nested, sampled for itself
				if _, err := s.Run(context.Background(), i); err != nil {
					t.Fatal(err)
				}
			}
		}
		require.NoError(t, ex.Apply(Config{})) // exports what is queued
		require.Eventually(t, func() bool { s := ex.Stats(); return s.Spans == s.SpansExported }, 10*time.Second, time.Millisecond)
		_, spans := r.taken()
		r.mu.Lock()
		r.spans = nil
		r.mu.Unlock()
		got := map[string]int{}
		for _, s := range spans {
			got[s.Step]++
			sum[s.Step] += s.Count
			require.InDelta(t, 1/rate, s.Count, 1e-9)
		}
		for _, name := range []string{"a", "b", "outer"} {
			sd := math.Sqrt(n * rate * (1 - rate))
			require.InDelta(t, n*rate, got[name], 6*sd, "%s at %v", name, rate)
			if rate > 0 {
				executed[name] += n
				variance[name] += sd * sd / (rate * rate)
			}
		}
	}
	for name, want := range executed {
		require.InDelta(t, want, sum[name], 6*math.Sqrt(variance[name]), "%s: counts rescaled", name)
	}
	require.Zero(t, ex.Stats().SpansDropped)
}

func TestTelemetry_spanTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{}
		cfg := Defaults()
		cfg.EnableCacheOptimization = true
		ex := startTraced(t, cfg, r)
		tries := 0
		s := bind(t, ex, StepConfig[int, int]{
			Name: "price", Attempts: 3, Backoff: time.Second, Results: Pure(),
			Run: func(ctx context.Context, in int) (int, error) {
				_, own := ctx.(*tracing)
				require.False(t, own, "functions get the context inside")
				time.Sleep(time.Second)
				if tries++; tries%3 != 0 || in < 0 {
					return 0, errBroken
				}
				return in, nil
			},
			Fallback: func(ctx context.Context, in int, err error) (int, error) {
				_, own := ctx.(*tracing)
				require.False(t, own)
				if in == -2 {
					panic("fallback")
				}
				return in, err
			},
		})
		began := time.Now()
		must(s.Run(t.Context(), 1))(t)
		must(s.Run(t.Context(), 1))(t)
		_, failed := s.Run(t.Context(), -1)
		_, panicked := s.Run(t.Context(), -2)
		dead, cancel := context.WithCancel(t.Context())
		cancel()
		_, canceled := s.Run(dead, 3)
		synctest.Wait()
		_, spans := r.taken()
		require.Len(t, spans, 5)

		require.Equal(t, "price", spans[0].Step)
		require.True(t, began.Equal(spans[0].Start))
		require.Equal(t, 6*time.Second, spans[0].Duration, "three attempts, waits of 1 s and 2 s")
		require.NoError(t, spans[0].Err)
		require.Equal(t, []Event{{Retry, 2 * time.Second, errBroken}, {Retry, 5 * time.Second, errBroken}}, spans[0].Events)
		require.Equal(t, []Event{{CacheHit, 0, nil}}, spans[1].Events)
		require.Equal(t, failed, spans[2].Err, "what the caller got")
		require.Len(t, spans[2].Events, 3)
		require.Equal(t, Fallback, spans[2].Events[2].Name)
		var p *PanicError
		require.ErrorAs(t, panicked, &p)
		require.Equal(t, panicked, spans[3].Err)
		require.ErrorIs(t, spans[4].Err, context.Canceled)
		require.Equal(t, canceled, spans[4].Err)
	})
}

// A step that is nested, directly and without a span, in one of the same step
// that has one, leaves that one's events alone.
func TestTelemetry_eventsAreOfTheirOwnExecution(t *testing.T) {
	r := &recorder{}
	ex := startTraced(t, Config{}, r)
	var s *Step[int, int]
	s = bind(t, ex, StepConfig[int, int]{Attempts: 2, Run: func(ctx context.Context, in int) (int, error) {
		if in == 0 {
			return 0, errBroken
		}
		cfg := sampling(0, 1)
		if err := ex.Apply(cfg); err != nil {
			return 0, err
		}
		_, _ = s.Run(ctx, 0)
		return in, nil
	}})
	must(s.Run(context.Background(), 1))(t)
	require.NoError(t, ex.Close())
	_, spans := r.taken()
	require.Len(t, spans, 1)
	require.Empty(t, spans[0].Events)
	require.EqualValues(t, 1, ex.Stats().Retries)
}

func TestTelemetry_endsWithItsGoroutine(t *testing.T) {
	r := &recorder{}
	ex := startTraced(t, Config{}, r)
	s := bind(t, ex, StepConfig[int, int]{Run: func(context.Context, int) (int, error) { runtime.Goexit(); return 0, nil }})
	newGroup(1, func() { _, _ = s.Run(context.Background(), 1) }).Wait()
	require.NoError(t, ex.Close())
	_, spans := r.taken()
	require.Len(t, spans, 1)
	require.ErrorIs(t, spans[0].Err, ErrGoexit)
}

// An exporter that fails, panics, or ends its goroutine loses its spans, which
// are counted, and no more.
func TestTelemetry_brokenExporter(t *testing.T) {
	for name, fault := range map[string]func() error{
		"fails":   func() error { return errBroken },
		"panics":  func() error { panic("exporter") },
		"goexits": func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &recorder{fault: fault}
				ex := startTraced(t, sampling(1, 10), r)
				s := bind(t, ex, StepConfig[int, int]{Run: echo})
				runs(t, s, 25)
				time.Sleep(2 * time.Second)
				synctest.Wait() // for the look that is due now
				stats := ex.Stats()
				require.Equal(t, []uint64{25, 0, 25, 3}, []uint64{stats.Spans, stats.SpansExported, stats.SpansDropped, stats.SpanExports})
				r.mu.Lock()
				r.fault = nil
				r.mu.Unlock()
				runs(t, s, 10)
				synctest.Wait()
				require.EqualValues(t, 10, ex.Stats().SpansExported, "it recovers")
				r.mu.Lock()
				r.fault = fault
				r.mu.Unlock()
				runs(t, s, 1)
				began := time.Now()
				require.NoError(t, ex.Close())
				require.Zero(t, time.Since(began))
				require.EqualValues(t, 26, ex.Stats().SpansDropped)
			})
		})
	}
}

// An exporter that is stuck holds up nobody: the queue fills to its bound, what
// is beyond is dropped and counted, and Close gives up after five seconds.
func TestTelemetry_stuckExporter(t *testing.T) {
	for name, cfg := range map[string]Config{"off": {}, "on": sampling(1, 1000)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stuck := make(chan struct{})
				r := &recorder{fault: func() error { <-stuck; return nil }}
				ex := startTraced(t, cfg, r)
				s := bind(t, ex, StepConfig[int, int]{Run: echo})
				began := time.Now()
				const n = 20_000
				runs(t, s, n)
				require.Zero(t, time.Since(began), "no execution waits")
				synctest.Wait()
				bound := max(leastQueue, queuedBatches*ex.telemetry.queue.batchSize())
				stats := ex.Stats()
				require.EqualValues(t, n, stats.Spans)
				require.Zero(t, stats.SpansExported)
				kept := int(stats.Spans - stats.SpansDropped)
				require.GreaterOrEqual(t, kept, bound)
				require.LessOrEqual(t, kept, bound+ex.telemetry.queue.batchSize(), "the bound, and what it is stuck with")
				require.NoError(t, ex.Close())
				require.Equal(t, closeTimeout, time.Since(began).Round(time.Second))
				stats = ex.Stats()
				require.Equal(t, stats.Spans, stats.SpansDropped, "all is lost, and said to be")
				close(stuck)
				synctest.Wait()
				require.Equal(t, stats, ex.Stats(), "and stays so")
			})
		})
	}
}

// An exporter that is slow, but heeds its context, ends with it.
func TestTelemetry_exportTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := startTraced(t, Config{}, exporterFunc(func(ctx context.Context, _ []*Span) error {
			<-ctx.Done()
			return ctx.Err()
		}))
		s := bind(t, ex, StepConfig[int, int]{Run: echo})
		runs(t, s, 3)
		time.Sleep(exportTimeout + time.Second)
		require.EqualValues(t, 1, ex.Stats().SpansDropped)
		began := time.Now()
		require.NoError(t, ex.Close())
		require.Equal(t, closeTimeout, time.Since(began).Round(time.Second))
		require.EqualValues(t, 3, ex.Stats().SpansDropped)
	})
}

type exporterFunc func(context.Context, []*Span) error

func (f exporterFunc) Export(ctx context.Context, spans []*Span) error { return f(ctx, spans) }

// beginner gives each function's context the name of its innermost span.
type beginner struct {
	recorder
	began  atomic.Int64
	refuse atomic.Bool
}

type beginKey struct{}

func (b *beginner) Begin(ctx context.Context, step string, _ time.Time) (context.Context, any) {
	if b.refuse.Load() {
		panic("begin")
	}
	parent, _ := ctx.Value(beginKey{}).(string)
	b.began.Add(1)
	return context.WithValue(ctx, beginKey{}, parent+"/"+step), parent + "/" + step
}

func TestTelemetry_spansBeginAroundTheFunction(t *testing.T) {
	b := &beginner{}
	ex := startTraced(t, Config{}, b)
	path := func(ctx context.Context) string { p, _ := ctx.Value(beginKey{}).(string); return p }
	leaf := bind(t, ex, StepConfig[int, string]{Name: "leaf", Timeout: time.Minute, Run: func(ctx context.Context, _ int) (string, error) { return path(ctx), nil }})
	outer := bind(t, ex, StepConfig[int, string]{Name: "outer", Run: leaf.Run})
	require.Equal(t, "/outer/leaf", must(outer.Run(context.Background(), 1))(t))
	b.refuse.Store(true)
	require.Empty(t, must(outer.Run(context.Background(), 1))(t), "the execution goes on without")
	b.refuse.Store(false)
	require.NoError(t, ex.Apply(sampling(0, 1)))
	require.Empty(t, must(outer.Run(context.Background(), 1))(t))
	require.EqualValues(t, 2, b.began.Load(), "what is not sampled does not begin")
	require.NoError(t, ex.Close())
	_, spans := b.taken()
	require.Len(t, spans, 2)
	require.Equal(t, "/outer/leaf", spans[0].Begun)
	require.Equal(t, "/outer", spans[1].Begun)
	require.EqualValues(t, 2, ex.Stats().SpansDropped)
}

// Rates, batch sizes and the switch move both ways under load, with an exporter
// that is slow, fails and panics at times: each execution ends once with its
// answer, and every span is exported or counted as dropped, once.
func TestTelemetry_movesUnderLoad(t *testing.T) {
	period := time.Second
	if testing.Short() {
		period = 300 * time.Millisecond
	}
	var seen sync.Map
	var calls, twice, exported atomic.Int64
	ex := startTraced(t, Config{}, exporterFunc(func(_ context.Context, spans []*Span) error {
		switch n := calls.Add(1); {
		case n%97 == 0:
			return errBroken
		case n%89 == 0:
			panic("exporter")
		case n%101 == 0:
			time.Sleep(time.Millisecond)
		}
		for _, s := range spans {
			if _, before := seen.LoadOrStore(s, true); before {
				twice.Add(1)
			}
		}
		exported.Add(int64(len(spans)))
		return nil
	}))
	var ran, ended atomic.Int64
	s := bind(t, ex, StepConfig[int, int]{Run: func(_ context.Context, in int) (int, error) {
		ran.Add(1)
		if in%7 == 0 {
			return 0, errBroken
		}
		return in, nil
	}})
	stop := time.Now().Add(period)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := 0; time.Now().Before(stop); i++ {
				out, err := s.Run(context.Background(), i)
				if errors.Is(err, errBroken) != (i%7 == 0) || err == nil && out != i {
					t.Errorf("%d: %d, %v", i, out, err)
					return
				}
				ended.Add(1)
			}
		})
	}
	r := rand.New(rand.NewPCG(5, 5))
	for time.Now().Before(stop) {
		cfg := sampling(float64(r.IntN(5))/4, []int{1, 3, 50, 100_000}[r.IntN(4)])
		cfg.EnableOptimizedTelemetry = r.IntN(4) > 0
		require.NoError(t, ex.Apply(cfg))
		require.EqualValues(t, cfg.TelemetryBatchSize, batchInForce(t, ex))
		time.Sleep(time.Duration(r.IntN(2000)) * time.Microsecond)
	}
	all.Wait()
	require.NoError(t, ex.Close())
	stats := ex.Stats()
	t.Logf("%+v", stats)
	require.Equal(t, ran.Load(), ended.Load())
	require.Zero(t, twice.Load())
	require.EqualValues(t, exported.Load(), stats.SpansExported)
	require.Equal(t, stats.Spans, stats.SpansExported+stats.SpansDropped)
	require.Positive(t, stats.SpansExported)
	require.EqualValues(t, calls.Load(), stats.SpanExports)
}

// The queue exports what was added, in order, in batches of no more than its
// size, whatever the sizes and the moments of its exports are.
func TestSpanQueue_keepsOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for range 300 {
		q := &spanQueue{batch: 1, wake: make(chan struct{}, 1)}
		var added, got []*Span
		for range 60 {
			q.setBatch(1 + r.IntN(6))
			for range r.IntN(9) {
				s := &Span{}
				q.add(s)
				added = append(added, s)
			}
			all := r.IntN(3) == 0
			for r.IntN(4) > 0 {
				spans, last := q.take(all)
				require.LessOrEqual(t, len(spans), q.batch)
				if !all && len(spans) > 0 {
					require.Len(t, spans, q.batch)
				}
				got = append(got, spans...)
				clear(spans)
				if last {
					break
				}
			}
		}
		for last := false; !last; {
			var spans []*Span
			spans, last = q.take(true)
			got = append(got, spans...)
			clear(spans)
		}
		require.Equal(t, len(added), len(got))
		for i := range added {
			require.Same(t, added[i], got[i])
		}
	}
}
