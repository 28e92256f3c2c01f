// Package metrics shows a running autopilot to monitoring: as a Prometheus
// collector, and as observable instruments of OpenTelemetry. Both are made from
// one table, so they say the same.
//
//	http.Handle("/metrics", metrics.Handler(pilot, routes))   // a registry of its own
//	prometheus.MustRegister(metrics.Collector(pilot, nil))    // the service's
//	metrics.Register(meter, pilot)                            // OpenTelemetry
//
// Nothing is counted twice and nothing is on a request's path: the counters are
// there already, and are read when somebody scrapes. A label never comes from
// outside: knobs, outcomes, phases and goals are the program's own, and routes
// are bounded by who made them (sensors/nethttp).
//
// Names end in their unit (seconds, bytes, ratio), counters in _total, as
// https://prometheus.io/docs/practices/naming/ asks, and a test holds them to it.
// docs/metrics.md lists all of them.
package metrics
