package overhead

import (
	"context"
	"fmt"
	"math"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"autotune"
	"autotune/controller"
	"autotune/internal/stats"
	"autotune/sensors"
	"autotune/sensors/nethttp"
)

// way to record a request, beside the same request unrecorded.
type way struct {
	name string
	// without and with make a caller each: one goroutine's.
	without, with func() func(context.Context) error
}

// discard is the least that a handler can write to.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

// ways are this module's, and what one would mount for the same figures otherwise.
func ways() []way {
	plain := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	job := func(context.Context) (int, error) { return 1, nil }
	rec := sensors.NewRecorder()
	routes := nethttp.ByRoute(nethttp.NewRoutes(16, nil))
	return []way{
		{"nethttp.Middleware", handled(plain), handled(nethttp.Middleware(rec, plain))},
		{"nethttp.Middleware, ByRoute", handled(plain), handled(nethttp.Middleware(rec, plain, routes))},
		{"sensors.Observe", func() func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := job(ctx)
				return err
			}
		}, func() func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := sensors.Observe(ctx, rec, job)
				return err
			}
		}},
		{"promhttp: duration and in flight", handled(plain), handled(instrumented(plain))},
	}
}

// handled makes callers of a handler, each with a request of its own.
func handled(h http.Handler) func() func(context.Context) error {
	return func() func(context.Context) error {
		w := &discard{header: http.Header{}}
		r, err := http.NewRequest(http.MethodGet, "http://service"+workPath, http.NoBody)
		if err != nil {
			panic(err) // it is part of the program
		}
		r.Pattern = "GET " + workPath
		return func(context.Context) error {
			h.ServeHTTP(w, r)
			return nil
		}
	}
}

// instrumented has latency, failures and what is in flight, by promhttp.
func instrumented(next http.Handler) http.Handler {
	took := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "took_seconds", Buckets: prometheus.DefBuckets}, []string{"code"})
	flying := prometheus.NewGauge(prometheus.GaugeOpts{Name: "in_flight"})
	return promhttp.InstrumentHandlerInFlight(flying, promhttp.InstrumentHandlerDuration(took, next))
}

// RequestCost is what recording adds to a request.
type RequestCost struct {
	Name string
	// Added nanoseconds of CPU time, with 95 % confidence within Low to High.
	Added, Low, High float64
	// Allocs and Bytes that it adds.
	Allocs, Bytes float64
}

// costOf a measurement: the relative change of the CPU time a call, times what a call
// without takes. CPU time, because a machine that others have too takes only time from
// a loop that never waits.
func costOf(name string, m *autotune.Measurement) RequestCost {
	c := RequestCost{Name: name, Allocs: m.Candidate.Allocs - m.Baseline.Allocs, Bytes: m.Candidate.AllocBytes - m.Baseline.AllocBytes}
	for _, e := range m.Effects {
		if e.Metric == controller.CPUPerRequest {
			ns := m.Baseline.CPUSeconds * 1e9
			middle, low, high := stats.SignedRank(e.Differences, level)
			c.Added, c.Low, c.High = math.Expm1(middle)*ns, math.Expm1(low)*ns, math.Expm1(high)*ns
		}
	}
	return c
}

// String tells it in a line.
func (c RequestCost) String() string {
	return fmt.Sprintf("%s: +%.0f ns a request (%.0f to %.0f), %+.1f allocations, %+.0f bytes", c.Name, c.Added, c.Low, c.High, c.Allocs, c.Bytes)
}
