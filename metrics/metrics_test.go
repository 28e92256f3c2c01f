package metrics_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/goleak"

	"autotune"
	"autotune/executor"
	"autotune/knobs"
	"autotune/metrics"
	"autotune/sensors"
	"autotune/sensors/nethttp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "rewrite docs/metrics.md")

// pilot is one that watches and tries nothing.
func pilot(t *testing.T) *autotune.Autopilot {
	t.Helper()
	var batch atomic.Int64
	batch.Store(64)
	p, err := autotune.Start(context.Background(), autotune.Config{
		Executor: executor.Config{}, Knobs: []knobs.Actuator{knobs.Int("batch", "rows", 1, 1000, batch.Load, batch.Store)}, Seed: 1,
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, p.Close())
		require.NoError(t, p.Executor().Close())
	})
	for range 1000 {
		if !p.Status().InForce.IsZero() {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return p
}

func served(t *testing.T) *nethttp.Routes {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{id}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	routes := nethttp.NewRoutes(10, nil)
	h := nethttp.Middleware(sensors.NewRecorder(), mux, nethttp.ByRoute(routes))
	for _, path := range []string{"/orders/1", "/orders/2", "/broken"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	return routes
}

// What Prometheus's own linter has to say: nothing.
func TestCollector_isWellNamed(t *testing.T) {
	problems, err := testutil.CollectAndLint(metrics.Collector(pilot(t), served(t)))
	require.NoError(t, err)
	require.Empty(t, problems)
}

func TestHandler_saysWhatIsSo(t *testing.T) {
	p := pilot(t)
	step, err := executor.NewStep(p.Executor(), executor.StepConfig[int, int]{Name: "price", Run: func(context.Context, int) (int, error) { return 1, nil }})
	require.NoError(t, err)
	_, err = step.Run(t.Context(), 1)
	require.NoError(t, err)
	server := httptest.NewServer(metrics.Handler(p, served(t)))
	defer server.Close()
	res, err := http.Get(server.URL)
	require.NoError(t, err)
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	http.DefaultClient.CloseIdleConnections()
	for _, line := range []string{
		`autotune_phase{phase="paused"} 1`,
		`autotune_setting{knob="batch"} 64`,
		`autotune_initial_setting{knob="cache_size"} 1024`,
		`autotune_verdicts_total{outcome="kept"} 0`,
		`autotune_executor_executions_total 1`,
		`autotune_executor_in_flight 0`,
		`autotune_http_request_duration_seconds_count{route="GET /orders/{id}"} 2`,
		`autotune_http_request_duration_seconds_bucket{route="GET /broken",le="10"} 1`,
		`autotune_http_request_failures_total{route="GET /broken"} 1`,
	} {
		require.Contains(t, string(text), line+"\n")
	}
	require.NotContains(t, string(text), "autotune_trial_pairs ", "there is no trial")
}

// OpenTelemetry is shown the same rows, with names and units as it wants them.
func TestRegister_showsTheSame(t *testing.T) {
	reader := sdk.NewManualReader()
	provider := sdk.NewMeterProvider(sdk.WithReader(reader))
	registration, err := metrics.Register(provider.Meter("autotune"), pilot(t))
	require.NoError(t, err)
	var all metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &all))
	got := map[string]metricdata.Metrics{}
	for _, m := range all.ScopeMetrics[0].Metrics {
		got[m.Name] = m
		require.Regexp(t, regexp.MustCompile(`^autotune\.[a-z_.]+$`), m.Name)
		require.Regexp(t, regexp.MustCompile(`^(1|s|By|\{[a-z_]+\})$`), m.Unit, m.Name)
		require.NotContains(t, m.Name, "_total")
	}
	require.InDelta(t, 64, at(got["autotune.setting"].Data.(metricdata.Gauge[float64]).DataPoints, "batch"), 0)
	cpu := got["autotune.cpu"]
	require.Equal(t, "s", cpu.Unit)
	require.True(t, cpu.Data.(metricdata.Sum[float64]).IsMonotonic)
	require.Contains(t, got, "autotune.executor.executions")

	require.NoError(t, registration.Unregister())
	all = metricdata.ResourceMetrics{}
	require.NoError(t, reader.Collect(t.Context(), &all))
	require.Empty(t, all.ScopeMetrics)
	require.NoError(t, provider.Shutdown(t.Context()))
}

func at(points []metricdata.DataPoint[float64], label string) float64 {
	i := slices.IndexFunc(points, func(p metricdata.DataPoint[float64]) bool {
		v, _ := p.Attributes.Value("knob")
		return v.AsString() == label
	})
	if i < 0 {
		return -1
	}
	return points[i].Value
}

// docs/metrics.md is the table.
func TestTable_isDocumented(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Metrics\n\nWhat package `metrics` shows, by the names that Prometheus gets. This page is made from the table in the code.\n\n" +
		"| name | kind | unit | label | meaning |\n|---|---|---|---|---|\n")
	seen := map[string]bool{}
	for _, m := range metrics.Table() {
		require.False(t, seen[m.Name], m.Name)
		seen[m.Name] = true
		kind := "gauge"
		if m.Kind == metrics.Counter {
			kind = "counter"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", m.Name, kind, m.Unit, m.Label, m.Help)
	}
	b.WriteString("| autotune_http_request_duration_seconds | histogram | s | route | Time from the arrival of a request to the end of its answer, by route. |\n")
	b.WriteString("| autotune_http_request_failures_total | counter | {request} | route | Requests that ended in 5xx or a panic, by route. |\n")
	const path = "../docs/metrics.md"
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	}
	page, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, b.String(), string(page), "run: go test ./metrics -update")
}
