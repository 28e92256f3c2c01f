// Package export has exporters for the spans of an executor: to the tracing API
// of OpenTelemetry, and to a zerolog logger. Only those who want one link what
// it needs.
//
//	ex, err := executor.New(cfg, executor.WithExporter(export.OpenTelemetry(otel.Tracer("shop"))))
package export
