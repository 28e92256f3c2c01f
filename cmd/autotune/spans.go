package main

import (
	"context"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"autotune/executor"
	"autotune/executor/export"
)

// The demonstration service has spans as a service in production has them: made
// by the OpenTelemetry SDK, and batched by its own processor. Where they would be
// encoded and sent to a collector they are dropped, so that what a span costs
// here is what it costs at least.

// discard is the end of the spans.
type discard struct{}

var _ sdk.SpanExporter = discard{}

func (discard) ExportSpans(context.Context, []sdk.ReadOnlySpan) error { return nil }
func (discard) Shutdown(context.Context) error                        { return nil }

// spans returns an exporter for the demonstration's executor, and what ends it
// after the executor was closed.
func spans() (executor.Exporter, func()) {
	provider := sdk.NewTracerProvider(sdk.WithBatcher(discard{}))
	return export.OpenTelemetry(provider.Tracer("autotune")), func() {
		_ = provider.Shutdown(context.Background()) // nothing is lost that was not dropped anyway
	}
}
