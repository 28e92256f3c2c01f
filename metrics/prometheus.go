package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"autotune"
	"autotune/sensors/nethttp"
)

// Collector reads an autopilot, and routes if not nil, whenever it is scraped. It
// is safe for concurrent use, and goes on after the autopilot's end with the last
// that was known.
func Collector(p *autotune.Autopilot, routes *nethttp.Routes) prometheus.Collector {
	c := &collector{pilot: p, routes: routes}
	for _, m := range Table() {
		var labels []string
		if m.Label != "" {
			labels = []string{m.Label}
		}
		c.rows = append(c.rows, row{m, prometheus.NewDesc(m.Name, m.Help, labels, nil)})
	}
	return c
}

// Handler serves a registry of its own that has nothing but the collector: what
// Go and the process say, a service's own registry has already.
func Handler(p *autotune.Autopilot, routes *nethttp.Routes) http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(Collector(p, routes))
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}

type row struct {
	Metric
	desc *prometheus.Desc
}

type collector struct {
	pilot  *autotune.Autopilot
	routes *nethttp.Routes
	rows   []row
}

// Describe sends every description.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, r := range c.rows {
		out <- r.desc
	}
	if c.routes != nil {
		out <- routeSeconds
		out <- routeFailures
	}
}

// Collect sends what there is now.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	v := look(c.pilot)
	for _, r := range c.rows {
		kind := prometheus.GaugeValue
		if r.Kind == Counter {
			kind = prometheus.CounterValue
		}
		for _, p := range r.read(v) {
			var labels []string
			if r.Label != "" {
				labels = []string{p.label}
			}
			out <- prometheus.MustNewConstMetric(r.desc, kind, p.value, labels...)
		}
	}
	if c.routes != nil {
		collectRoutes(c.routes.Snapshot(), out)
	}
}

const (
	routeSecondsName  = "autotune_http_request_duration_seconds"
	routeSecondsHelp  = "Time from the arrival of a request to the end of its answer, by route."
	routeFailuresName = "autotune_http_request_failures_total"
	routeFailuresHelp = "Requests that ended in 5xx or a panic, by route."
	routeLabel        = "route"
)

var (
	routeSeconds  = prometheus.NewDesc(routeSecondsName, routeSecondsHelp, []string{routeLabel}, nil)
	routeFailures = prometheus.NewDesc(routeFailuresName, routeFailuresHelp, []string{routeLabel}, nil)
)

// buckets of route latencies, three to a decade.
var buckets = []time.Duration{
	100 * time.Microsecond, 200 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond,
	10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second,
}

func collectRoutes(routes []nethttp.Route, out chan<- prometheus.Metric) {
	for i := range routes {
		r := &routes[i]
		n := r.Latency.Count()
		mean, _ := r.Latency.Mean()
		upTo := make(map[float64]uint64, len(buckets))
		for _, b := range buckets {
			upTo[b.Seconds()] = n - r.Latency.Above(b)
		}
		out <- prometheus.MustNewConstHistogram(routeSeconds, n, mean*float64(n), upTo, r.Label)
		out <- prometheus.MustNewConstMetric(routeFailures, prometheus.CounterValue, float64(r.Failed), r.Label)
	}
}
