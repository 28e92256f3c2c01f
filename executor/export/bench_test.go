//go:build unix

package export_test

import (
	"context"
	"errors"
	"io"
	"syscall"
	"testing"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"autotune/executor"
	"autotune/executor/export"
)

// What a span of an execution costs, and what one costs that is not sampled,
// next to what a user would write with the OpenTelemetry SDK's sampler and
// batcher instead. Run all in one go, and compare within it. Spans that are
// dropped are cheap, so each says what share of them was exported. The cost is
// processor time of the whole process (cpu-ns/op), which has the exporting
// goroutine in it, and what other processes take away is not.

// discard is where spans end up.
type discard struct{}

func (discard) Export(context.Context, []*executor.Span) error        { return nil }
func (discard) ExportSpans(context.Context, []sdk.ReadOnlySpan) error { return nil }
func (discard) Shutdown(context.Context) error                        { return nil }
func (discard) OnStart(context.Context, sdk.ReadWriteSpan)            {}
func (discard) OnEnd(sdk.ReadOnlySpan)                                {}
func (discard) ForceFlush(context.Context) error                      { return nil }

var (
	_ sdk.SpanExporter  = discard{}
	_ sdk.SpanProcessor = discard{}
)

//go:noinline
func work(_ context.Context, in int) (int, error) {
	if in < 0 {
		return 0, errors.New("negative")
	}
	return in + 1, nil
}

type call func(context.Context, int) (int, error)

func bench(b *testing.B, f call) {
	b.Helper()
	ctx := context.Background()
	b.Run("serial", func(b *testing.B) {
		b.ReportAllocs()
		defer reportCPU(b)()
		for i := 0; b.Loop(); i++ {
			if _, err := f(ctx, i); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		defer reportCPU(b)()
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				if _, err := f(ctx, i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

// reportCPU begins to count, and what it returns reports.
func reportCPU(b *testing.B) func() {
	b.Helper()
	used := func() int64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return u.Utime.Nano() + u.Stime.Nano()
	}
	from := used()
	return func() { b.ReportMetric(float64(used()-from)/float64(b.N), "cpu-ns/op") }
}

func benchStep(b *testing.B, name string, cfg executor.Config, options ...executor.Option) {
	b.Helper()
	b.Run(name, func(b *testing.B) {
		ex, err := executor.New(cfg, options...)
		if err != nil {
			b.Fatal(err)
		}
		s, err := executor.NewStep(ex, executor.StepConfig[int, int]{Name: "step", Run: work})
		if err != nil {
			b.Fatal(err)
		}
		bench(b, s.Run)
		if err := ex.Close(); err != nil {
			b.Fatal(err)
		}
		if n := ex.Stats(); n.Spans > 0 {
			b.Logf("%s: %d spans, %.1f %% exported", name, n.Spans, 100*float64(n.SpansExported)/float64(n.Spans))
		}
	})
}

// benchSDK is a function with a span around it, as its user would write it.
func benchSDK(b *testing.B, name string, options ...sdk.TracerProviderOption) {
	b.Helper()
	b.Run(name, func(b *testing.B) {
		provider := sdk.NewTracerProvider(options...)
		defer func() { _ = provider.Shutdown(context.Background()) }()
		tracer := provider.Tracer("bench")
		bench(b, func(ctx context.Context, in int) (int, error) {
			ctx, span := tracer.Start(ctx, "step")
			defer span.End()
			out, err := work(ctx, in)
			if err != nil {
				span.SetStatus(codes.Error, err.Error())
			}
			return out, err
		})
	})
}

func BenchmarkTelemetry(b *testing.B) {
	on := func(rate float64) executor.Config {
		cfg := executor.Defaults()
		cfg.EnableOptimizedTelemetry, cfg.TelemetrySamplingRate = true, rate
		return cfg
	}
	to := func() executor.Option { return executor.WithExporter(discard{}) }
	tracer := func(options ...sdk.TracerProviderOption) trace.Tracer {
		return sdk.NewTracerProvider(options...).Tracer("bench")
	}
	b.Run("call", func(b *testing.B) { bench(b, work) })
	benchStep(b, "no-exporter", executor.Config{})
	benchStep(b, "no-exporter-on", on(0.5))
	benchStep(b, "sampled-0", on(0), to())
	benchStep(b, "sampled-0.01", on(0.01), to())
	benchStep(b, "sampled-0.5", on(0.5), to())
	benchStep(b, "batches", on(1), to())
	benchStep(b, "each", executor.Config{}, to())
	benchStep(b, "zerolog-batches", on(1), executor.WithExporter(export.Zerolog(zerolog.New(io.Discard))))
	benchStep(b, "otel-0.01", on(0.01), executor.WithExporter(export.OpenTelemetry(tracer(sdk.WithSpanProcessor(discard{})))))
	benchStep(b, "otel-batches", on(1), executor.WithExporter(export.OpenTelemetry(tracer(sdk.WithSpanProcessor(discard{})))))
	benchStep(b, "otel-each", executor.Config{}, executor.WithExporter(export.OpenTelemetry(tracer(sdk.WithSpanProcessor(discard{})))))
	benchSDK(b, "sdk-never", sdk.WithSampler(sdk.NeverSample()), sdk.WithBatcher(discard{}))
	benchSDK(b, "sdk-0.01", sdk.WithSampler(sdk.TraceIDRatioBased(0.01)), sdk.WithBatcher(discard{}))
	benchSDK(b, "sdk-batcher", sdk.WithSampler(sdk.AlwaysSample()), sdk.WithBatcher(discard{}))
	benchSDK(b, "sdk-syncer", sdk.WithSampler(sdk.AlwaysSample()), sdk.WithSyncer(discard{}))
}
