package metrics

import (
	"context"
	"fmt"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"autotune"
)

// Register makes an observable instrument of a meter for each row of the table.
// They are read when the meter's reader asks, until the registration ends.
func Register(meter metric.Meter, p *autotune.Autopilot) (metric.Registration, error) {
	type instrument struct {
		Metric
		of metric.Float64Observable
	}
	var all []instrument
	var observables []metric.Observable
	for _, m := range Table() {
		var of metric.Float64Observable
		var err error
		if m.Kind == Counter {
			of, err = meter.Float64ObservableCounter(m.otelName(), metric.WithDescription(m.Help), metric.WithUnit(m.Unit))
		} else {
			of, err = meter.Float64ObservableGauge(m.otelName(), metric.WithDescription(m.Help), metric.WithUnit(m.Unit))
		}
		if err != nil {
			return nil, fmt.Errorf("instrument %s: %w", m.otelName(), err)
		}
		all, observables = append(all, instrument{m, of}), append(observables, of)
	}
	return meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		v := look(p)
		for _, i := range all {
			for _, at := range i.read(v) {
				if i.Label == "" {
					o.ObserveFloat64(i.of, at.value)
				} else {
					o.ObserveFloat64(i.of, at.value, metric.WithAttributes(attribute.String(i.Label, at.label)))
				}
			}
		}
		return nil
	}, observables...)
}

// otelName is the name as OpenTelemetry has it: the parts with dots, and the kind
// and the unit not in it.
func (m *Metric) otelName() string {
	name := strings.TrimSuffix(m.Name, "_total")
	if m.Unit == "s" {
		name = strings.TrimSuffix(name, "_seconds")
	}
	for _, part := range []string{"autotune_executor_", "autotune_"} {
		if rest, ok := strings.CutPrefix(name, part); ok {
			return strings.ReplaceAll(part, "_", ".") + rest
		}
	}
	return name
}
