package executor

import (
	"context"
	"testing"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/maypok86/otter/v2"
	"github.com/sony/gobreaker/v2"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"golang.org/x/sync/errgroup"
	weights "golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"
)

// Each optimization beside the library that a user would take instead, used the
// way that its documentation shows.
func BenchmarkPeer(b *testing.B) {
	b.Run("cache", benchCachePeers)
	b.Run("circuit", benchCircuitPeers)
	b.Run("flow", benchFlowPeers)
	b.Run("telemetry", benchTelemetryPeers)
}

// inStep is what somebody would write who keeps results of several steps in one cache.
type inStep[In comparable] struct {
	step uint64
	in   In
}

type inputPair struct {
	A int
	B string
}

func benchCachePeers(b *testing.B) {
	typed := Config{EnableCacheOptimization: true, CacheSize: 4096, EnableAlgorithmOptimization: true}
	ints, texts := inputs()
	var pairs []inputPair
	for i, s := range texts {
		pairs = append(pairs, inputPair{i, s})
	}
	pure := StepConfig[int, int]{Run: bare, Results: Pure()}
	pureString := StepConfig[string, int]{Run: bareString, Results: Pure()}
	purePair := StepConfig[inputPair, int]{Run: ok[inputPair], Results: Pure()}
	beside(b, "hit-int/otter", otterHits(b, ints), running(b, typed, pure, ints))
	beside(b, "hit-string/otter", otterHits(b, texts), running(b, typed, pureString, texts))
	beside(b, "hit-struct/otter", otterHits(b, pairs), running(b, typed, purePair, pairs))
	beside(b, "hit-int/otter-by-step", otterHits(b, byStep(ints)), running(b, typed, pure, ints))
	beside(b, "hit-string/otter-by-step", otterHits(b, byStep(texts)), running(b, typed, pureString, texts))

	one := typed
	one.CacheSize = 1
	c := otter.Must(&otter.Options[string, int]{MaximumSize: 1, ExpiryCalculator: otter.ExpiryWriting[string, int](time.Hour)})
	b.Cleanup(func() { c.StopAllGoroutines() })
	beside(b, "miss-string/otter", func(i int) {
		if _, ok := c.GetIfPresent(texts[i]); !ok {
			v, _ := bareString(context.Background(), texts[i])
			c.Set(texts[i], v)
		}
	}, running(b, one, pureString, texts))
}

func byStep[In comparable](ins []In) []inStep[In] {
	var keys []inStep[In]
	for _, in := range ins {
		keys = append(keys, inStep[In]{7, in})
	}
	return keys
}

// otterHits looks up keys that are all there, with a TTL.
func otterHits[K comparable](b *testing.B, keys []K) func(i int) {
	b.Helper()
	c := otter.Must(&otter.Options[K, int]{MaximumSize: 4096, ExpiryCalculator: otter.ExpiryWriting[K, int](time.Hour)})
	b.Cleanup(func() { c.StopAllGoroutines() })
	for i, k := range keys {
		c.Set(k, i)
	}
	return func(i int) { _, _ = c.GetIfPresent(keys[i]) }
}

func benchCircuitPeers(b *testing.B) {
	ints, _ := inputs()
	ctx := context.Background()
	plain := StepConfig[int, int]{Run: bare}
	retrying := StepConfig[int, int]{Run: bare, Attempts: 3}
	breaking := Config{EnableCircuitBreaker: true}

	permits := circuitbreaker.NewBuilder[any]().WithFailureThreshold(10).Build()
	beside(b, "works/failsafe-permit", func(i int) {
		if !permits.TryAcquirePermit() {
			return
		}
		if _, err := bare(ctx, ints[i]); err != nil {
			permits.RecordFailure()
		} else {
			permits.RecordSuccess()
		}
	}, running(b, breaking, plain, ints))
	with := failsafe.With[int](circuitbreaker.NewBuilder[int]().WithFailureThreshold(10).Build())
	beside(b, "works/failsafe-get", func(i int) {
		_, _ = with.Get(func() (int, error) { return bare(ctx, ints[i]) })
	}, running(b, breaking, plain, ints))
	sony := gobreaker.NewCircuitBreaker[int](gobreaker.Settings{ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= 10 }})
	beside(b, "works/gobreaker", func(i int) {
		_, _ = sony.Execute(func() (int, error) { return bare(ctx, ints[i]) })
	}, running(b, breaking, plain, ints))

	open := circuitbreaker.NewBuilder[any]().WithDelay(time.Hour).Build()
	open.Open()
	rejecting := running(b, breaker(1, time.Hour), StepConfig[int, int]{Run: alwaysFails}, ints)
	beside(b, "rejects/failsafe-permit", func(int) { open.TryAcquirePermit() }, rejecting)
	tripped := gobreaker.NewCircuitBreaker[int](gobreaker.Settings{Timeout: time.Hour, ReadyToTrip: func(gobreaker.Counts) bool { return true }})
	_, _ = tripped.Execute(func() (int, error) { return 0, errBroken })
	beside(b, "rejects/gobreaker", func(i int) {
		_, _ = tripped.Execute(func() (int, error) { return bare(ctx, ints[i]) })
	}, rejecting)

	retry := failsafe.With[int](retrypolicy.NewBuilder[int]().WithMaxAttempts(3).Build())
	beside(b, "retry-succeeds/failsafe-get", func(i int) {
		_, _ = retry.Get(func() (int, error) { return bare(ctx, ints[i]) })
	}, running(b, classifying, retrying, ints))
	beside(b, "retry-outage/failsafe-get", func(i int) {
		_, _ = retry.Get(func() (int, error) { return alwaysFails(ctx, ints[i]) })
	}, running(b, classifying, StepConfig[int, int]{Run: alwaysFails, Attempts: 3}, ints))
	beside(b, "permanent-error/failsafe-get", func(int) {
		_, _ = retry.Get(func() (int, error) { return 0, context.Canceled })
	}, running(b, classifying, StepConfig[int, int]{Attempts: 3, Run: func(context.Context, int) (int, error) { return 0, context.Canceled }}, ints))
}

func benchFlowPeers(b *testing.B) {
	ints, texts := inputs()
	ctx := context.Background()
	weighted := weights.NewWeighted(1000)
	beside(b, "permit/semaphore", func(i int) {
		if weighted.Acquire(ctx, 1) == nil {
			_, _ = bare(ctx, ints[i])
			weighted.Release(1)
		}
	}, running(b, Config{EnableConcurrencyOptimization: true, MaxConcurrentExecutions: 1000}, StepConfig[int, int]{Run: bare}, ints))

	var group singleflight.Group
	beside(b, "alone/singleflight", func(i int) {
		_, _, _ = group.Do(texts[i], func() (any, error) { return bareString(ctx, texts[i]) })
	}, running(b, Config{EnableStepOptimization: true, EnableAlgorithmOptimization: true}, StepConfig[string, int]{Run: bareString, Results: Pure()}, texts))

	ex := start(b, Config{})
	step := Node[int, int](bind(b, ex, StepConfig[int, int]{Run: bare}))
	three := flowOf(b, ex, Parallel(Reduce(func(a, b int) int { return a + b }), step, step, step))
	beside(b, "parallel-three/errgroup", func(i int) {
		g, ctx := errgroup.WithContext(ctx)
		var outs [3]int
		for j := range outs {
			g.Go(func() (err error) {
				outs[j], err = bare(ctx, ints[i])
				return err
			})
		}
		_ = g.Wait()
	}, func(i int) { _, _ = three.Run(ctx, ints[i]) })
}

// discarded is where spans end up.
type discarded struct{}

func (discarded) Export(context.Context, []*Span) error                 { return nil }
func (discarded) ExportSpans(context.Context, []sdk.ReadOnlySpan) error { return nil }
func (discarded) Shutdown(context.Context) error                        { return nil }

func benchTelemetryPeers(b *testing.B) {
	ints, _ := inputs()
	span := func(sampler sdk.Sampler) func(i int) {
		provider := sdk.NewTracerProvider(sdk.WithSampler(sampler), sdk.WithBatcher(discarded{}))
		b.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
		tracer := provider.Tracer("bench")
		return func(i int) {
			ctx, span := tracer.Start(context.Background(), "step")
			defer span.End()
			if _, err := bare(ctx, ints[i]); err != nil {
				span.SetStatus(codes.Error, err.Error())
			}
		}
	}
	step := func(rate float64) func(i int) {
		cfg := Defaults()
		cfg.EnableOptimizedTelemetry, cfg.TelemetrySamplingRate = true, rate
		return running(b, cfg, StepConfig[int, int]{Run: bare}, ints, WithExporter(discarded{}))
	}
	beside(b, "sampled-0/sdk", span(sdk.NeverSample()), step(0))
	beside(b, "sampled-0.01/sdk", span(sdk.TraceIDRatioBased(0.01)), step(0.01))
	beside(b, "all-in-batches/sdk", span(sdk.AlwaysSample()), step(1))
}
