package executor

import (
	"context"
	"fmt"
	"time"

	"autotune/catalog"
)

// Exporter takes spans of executions that have ended. Package
// autotune/executor/export has one for OpenTelemetry and one for zerolog.
//
// Export is called by one goroutine at a time, never by one that runs a step.
// It may keep the spans, which nobody changes any more, but not the slice. An
// error or a panic means that all of them are lost, or as many as a LostSpans says,
// which Stats counts. ctx ends after ten seconds, or when Close gives up: five
// seconds after it began to wait.
type Exporter interface {
	Export(ctx context.Context, spans []*Span) error
}

// LostSpans is the error of an Exporter that lost so many of the spans, and took
// the others.
type LostSpans int

// Error says how many.
func (n LostSpans) Error() string { return fmt.Sprintf("%d spans lost", int(n)) }

// Beginner is an Exporter that takes part where a span begins: it returns the
// context for the step's function, under which spans of others find their parent,
// and a value that comes back as Span.Begun. It runs in the goroutine of the
// execution, so it must not wait. If it panics the execution goes on without a
// span, which counts as dropped.
type Beginner interface {
	Exporter
	Begin(ctx context.Context, step string, start time.Time) (context.Context, any)
}

// telemetry is the part of enable_optimized_telemetry. Without an exporter it is
// nothing. With one, every execution has a span while the switch is off, and it
// is exported as soon as it has ended, each in a call of its own; while it is on,
// executions are sampled, and their spans are exported telemetry_batch_size at
// once, or after catalog.TelemetryFlush if that comes first.
//
// Either way a goroutine exports, and executions only queue. An exporter that
// is slow or stuck fills the queue, and then spans are dropped and counted: they
// are worth less than the executions that they are about.
type telemetry struct {
	nothingToTrim

	exporter Exporter // nil if there is none
	beginner Beginner // the same, if it is one
	queue    *spanQueue
}

func (t *telemetry) reconcile(next *snapshot) {
	if t.exporter == nil {
		return
	}
	c, batch := &next.config, 1
	next.features |= traced
	next.spanRate = 1
	if c.EnableOptimizedTelemetry {
		next.spanRate, batch = c.TelemetrySamplingRate, c.TelemetryBatchSize
	}
	if t.queue == nil {
		t.beginner, _ = t.exporter.(Beginner)
		t.queue = newSpanQueue(t.exporter, catalog.TelemetryFlush)
	}
	t.queue.setBatch(batch)
}

func (t *telemetry) readBack(c *Config) {
	if t.queue != nil && c.EnableOptimizedTelemetry {
		c.TelemetryBatchSize = t.queue.batchSize()
	}
}

func (t *telemetry) stop() {
	if t.queue != nil {
		t.queue.close()
	}
}

// begin lets the exporter take part. It returns false if that panicked.
func (t *telemetry) begin(x *tracing) (ok bool) {
	if t.beginner == nil {
		return true
	}
	defer func() { ok = recover() == nil }()
	if ctx, begun := t.beginner.Begin(x.Context, x.span.Step, x.span.Start); ctx != nil {
		x.Context, x.span.Begun = ctx, begun
	}
	return true
}

// end queues the span of an execution that has ended.
func (t *telemetry) end(s *Span, begun bool) {
	if begun {
		t.queue.add(s)
	} else {
		t.queue.drop()
	}
}

// counts are zero without an exporter.
func (t *telemetry) counts() spanCounts {
	if t.queue == nil {
		return spanCounts{}
	}
	return t.queue.now()
}
