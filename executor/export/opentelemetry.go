package export

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"autotune/executor"
)

// Names of attributes. Count is how many executions a span stands for, and is
// left out where it is 1: multiply by it to count executions or to sum durations.
const (
	Count  attribute.Key = "executor.count"
	Reason attribute.Key = "executor.reason"
)

type openTelemetry struct{ tracer trace.Tracer }

// OpenTelemetry returns an exporter to a tracer. A span is started around the
// step's function, so that spans that the function starts, here or in a service
// that it calls, are below it. It is ended, with its events and its status, when
// the executor exports it: whatever the tracer's span processors do at the end
// of a span, they do it off the path of executions. What they do at its start is
// on it.
//
// The executor has decided already which executions get a span, and batches them
// itself: give the tracer's provider a sampler that follows the parent or samples
// always. With the SDK's batching processor, which has a queue of its own, spans
// that that one drops are not in the executor's count.
func OpenTelemetry(tracer trace.Tracer) executor.Beginner { return openTelemetry{tracer} }

func (o openTelemetry) Begin(ctx context.Context, step string, start time.Time) (context.Context, any) {
	ctx, span := o.tracer.Start(ctx, step, trace.WithTimestamp(start))
	return ctx, span
}

// Export ends the spans, all of them even if a processor panics at some.
func (openTelemetry) Export(_ context.Context, spans []*executor.Span) error {
	lost := 0
	for _, s := range spans {
		if !ended(s) {
			lost++
		}
	}
	if lost > 0 {
		return executor.LostSpans(lost)
	}
	return nil
}

func ended(s *executor.Span) (ok bool) {
	defer func() { ok = recover() == nil }()
	span := s.Begun.(trace.Span)
	if span.IsRecording() {
		if s.Count != 1 {
			span.SetAttributes(Count.Float64(s.Count))
		}
		for _, e := range s.Events {
			options := []trace.EventOption{trace.WithTimestamp(s.Start.Add(e.At))}
			if e.Err != nil {
				options = append(options, trace.WithAttributes(Reason.String(describe(e.Err))))
			}
			span.AddEvent(string(e.Name), options...)
		}
		if s.Err != nil {
			span.SetStatus(codes.Error, describe(s.Err))
		}
	}
	span.End(trace.WithTimestamp(s.Start.Add(s.Duration)))
	return true
}

// describe is err.Error(), which is somebody else's code and may panic: then the
// span has the type of the error instead.
func describe(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("%T", err)
		}
	}()
	return err.Error()
}
