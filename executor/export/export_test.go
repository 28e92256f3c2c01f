package export_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"autotune/executor"
	"autotune/executor/export"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errBroken = errors.New("broken")

// rude panics when it is described.
type rude struct{}

func (rude) Error() string { panic("no") }

func start(t *testing.T, cfg executor.Config, e executor.Exporter) *executor.Executor {
	t.Helper()
	ex, err := executor.New(cfg, executor.WithExporter(e))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ex.Close()) })
	return ex
}

func bind(t *testing.T, ex *executor.Executor, cfg executor.StepConfig[int, int]) *executor.Step[int, int] {
	t.Helper()
	s, err := executor.NewStep(ex, cfg)
	require.NoError(t, err)
	return s
}

// price fails for inputs below 0, and at the first attempt; it runs a span of
// its own.
func price(tracer trace.Tracer) func(context.Context, int) (int, error) {
	attempts := 0
	return func(ctx context.Context, in int) (int, error) {
		_, span := tracer.Start(ctx, "query")
		defer span.End()
		if attempts++; attempts == 1 || in < 0 {
			return 0, errBroken
		}
		return in, nil
	}
}

func TestOpenTelemetry_spansFormTrees(t *testing.T) {
	recorded := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(recorded))
	tracer := provider.Tracer("test")
	cfg := executor.Config{EnableOptimizedTelemetry: true, TelemetrySamplingRate: 1}
	ex := start(t, cfg, export.OpenTelemetry(tracer))
	inner := bind(t, ex, executor.StepConfig[int, int]{Name: "price", Attempts: 2, Run: price(tracer)})
	outer := bind(t, ex, executor.StepConfig[int, int]{Name: "order", Run: inner.Run})

	ctx, request := tracer.Start(context.Background(), "request")
	before := time.Now()
	_, err := outer.Run(ctx, 1)
	require.NoError(t, err)
	after := time.Now()
	_, err = inner.Run(ctx, -1)
	require.ErrorIs(t, err, errBroken)
	request.End()
	require.NoError(t, ex.Close())

	byName := map[string][]sdk.ReadOnlySpan{}
	for _, s := range recorded.Ended() {
		require.Equal(t, request.SpanContext().TraceID(), s.SpanContext().TraceID())
		byName[s.Name()] = append(byName[s.Name()], s)
	}
	order, prices, queries := byName["order"][0], byName["price"], byName["query"]
	require.Len(t, prices, 2)
	require.Len(t, queries, 4)
	require.Equal(t, request.SpanContext().SpanID(), order.Parent().SpanID())
	require.Equal(t, order.SpanContext().SpanID(), prices[0].Parent().SpanID())
	require.Equal(t, prices[0].SpanContext().SpanID(), queries[0].Parent().SpanID())
	require.Equal(t, prices[1].SpanContext().SpanID(), queries[3].Parent().SpanID())

	require.Equal(t, codes.Unset, prices[0].Status().Code)
	require.Empty(t, prices[0].Attributes(), "a count of one is not told")
	require.Len(t, prices[0].Events(), 1)
	require.Equal(t, "retry", prices[0].Events()[0].Name)
	require.Equal(t, []attribute.KeyValue{export.Reason.String("broken")}, prices[0].Events()[0].Attributes)
	require.Equal(t, sdk.Status{Code: codes.Error, Description: "step price: broken"}, prices[1].Status())
	for _, at := range []time.Time{order.StartTime(), prices[0].StartTime(), prices[0].Events()[0].Time, prices[0].EndTime(), order.EndTime()} {
		require.False(t, at.Before(before) || at.After(after), "times of the execution, not of the export")
		before = at
	}
}

func TestOpenTelemetry_countsAreRescaled(t *testing.T) {
	recorded := tracetest.NewSpanRecorder()
	tracer := sdk.NewTracerProvider(sdk.WithSpanProcessor(recorded)).Tracer("test")
	ex := start(t, executor.Config{EnableOptimizedTelemetry: true, TelemetrySamplingRate: 0.25}, export.OpenTelemetry(tracer))
	s := bind(t, ex, executor.StepConfig[int, int]{Name: "step", Run: func(_ context.Context, in int) (int, error) { return in, nil }})
	for i := range 1000 {
		_, err := s.Run(context.Background(), i)
		require.NoError(t, err)
	}
	require.NoError(t, ex.Close())
	require.Len(t, recorded.Started(), int(ex.Stats().Spans), "what is not sampled is not started")
	require.InDelta(t, 250, len(recorded.Ended()), 6*13.7, "6 standard deviations") // sqrt(1000 x 1/4 x 3/4) = 13.7
	for _, s := range recorded.Ended() {
		require.Equal(t, []attribute.KeyValue{export.Count.Float64(4)}, s.Attributes())
	}
}

// failing panics at the end of every third span.
type failing struct {
	sdk.SpanProcessor
	n int
}

func (f *failing) OnEnd(s sdk.ReadOnlySpan) {
	if f.n++; f.n%3 == 0 {
		panic("processor")
	}
	f.SpanProcessor.OnEnd(s)
}

func TestOpenTelemetry_brokenParts(t *testing.T) {
	recorded := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(&failing{SpanProcessor: recorded}))
	ex := start(t, executor.Config{EnableOptimizedTelemetry: true, TelemetrySamplingRate: 1}, export.OpenTelemetry(provider.Tracer("test")))
	s := bind(t, ex, executor.StepConfig[int, int]{Name: "step", Run: func(context.Context, int) (int, error) { return 0, rude{} }})
	for i := range 9 {
		_, err := s.Run(context.Background(), i)
		require.ErrorIs(t, err, rude{})
	}
	require.NoError(t, ex.Close())
	require.Len(t, recorded.Ended(), 6)
	require.Equal(t, "*executor.StepError", recorded.Ended()[0].Status().Description)
	stats := ex.Stats()
	require.EqualValues(t, 6, stats.SpansExported)
	require.EqualValues(t, 3, stats.SpansDropped)
}

func TestOpenTelemetry_closedProvider(t *testing.T) {
	recorded := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(recorded))
	tracer := provider.Tracer("test")
	ex := start(t, executor.Config{}, export.OpenTelemetry(tracer))
	s := bind(t, ex, executor.StepConfig[int, int]{Name: "step", Run: func(_ context.Context, in int) (int, error) { return in, nil }})
	require.NoError(t, provider.Shutdown(context.Background()))
	for i := range 100 {
		out, err := s.Run(context.Background(), i)
		require.NoError(t, err)
		require.Equal(t, i, out)
	}
	require.NoError(t, ex.Close())
	require.Empty(t, recorded.Ended())
}

func TestZerolog_writesALineForEach(t *testing.T) {
	var out bytes.Buffer
	ex := start(t, executor.Config{EnableOptimizedTelemetry: true, TelemetrySamplingRate: 1}, export.Zerolog(zerolog.New(&out)))
	noop := sdk.NewTracerProvider().Tracer("")
	s := bind(t, ex, executor.StepConfig[int, int]{Name: "price", Attempts: 2, Run: price(noop)})
	_, err := s.Run(context.Background(), 1)
	require.NoError(t, err)
	_, err = s.Run(context.Background(), -1)
	require.ErrorIs(t, err, errBroken)
	require.NoError(t, ex.Close())

	lines := json.NewDecoder(&out)
	var first, second map[string]any
	require.NoError(t, lines.Decode(&first))
	require.NoError(t, lines.Decode(&second))
	require.False(t, lines.More())
	require.Equal(t, "price", first["step"])
	require.Equal(t, "info", first["level"])
	require.Equal(t, "execution", first["message"])
	require.NotContains(t, first, "error")
	require.NotContains(t, first, "count")
	events := first["events"].([]any)
	require.Len(t, events, 1)
	require.Equal(t, "retry", events[0].(map[string]any)["name"])
	require.Equal(t, "broken", events[0].(map[string]any)["reason"])
	require.Equal(t, "error", second["level"])
	require.Equal(t, "step price: broken", second["error"])
	_, err = time.Parse(time.RFC3339, second["start"].(string))
	require.NoError(t, err)
}

// blocked is a writer that never returns, until it is let go.
type blocked chan struct{}

func (b blocked) Write(p []byte) (int, error) { <-b; return len(p), nil }

func TestZerolog_slowWriterHoldsUpNobody(t *testing.T) {
	w := make(blocked)
	ex := start(t, executor.Config{}, export.Zerolog(zerolog.New(w)))
	s := bind(t, ex, executor.StepConfig[int, int]{Name: "step", Run: func(_ context.Context, in int) (int, error) { return in, nil }})
	for i := range 5000 {
		_, err := s.Run(context.Background(), i)
		require.NoError(t, err)
	}
	require.Positive(t, ex.Stats().SpansDropped)
	close(w)
	require.NoError(t, ex.Close())
	stats := ex.Stats()
	require.EqualValues(t, 5000, stats.SpansExported+stats.SpansDropped)
}
