package nethttp_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/controller"
	"autotune/sensors"
	"autotune/sensors/nethttp"
)

func ask(h http.Handler, path string) {
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
}

// The pattern is the label, so that strangers who ask for what they like make no
// more labels than there are patterns.
func TestRoutes_patternsAreLabels(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{id}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	routes := nethttp.NewRoutes(10, nil)
	h := nethttp.Middleware(sensors.NewRecorder(), mux, nethttp.ByRoute(routes))
	for i := range 50 {
		ask(h, fmt.Sprintf("/orders/%d", i))
		ask(h, fmt.Sprintf("/nothing/%d", i))
	}
	ask(h, "/broken")
	var got []string
	for _, r := range routes.Snapshot() {
		got = append(got, fmt.Sprintf("%s %d %d %d", r.Label, r.Requests, r.Failed, r.Latency.Count()))
	}
	require.Equal(t, []string{"GET /broken 1 1 1", "GET /orders/{id} 50 0 50", "other 50 0 50"}, got)
}

func TestRoutes_neverMoreThanWasSaid(t *testing.T) {
	routes := nethttp.NewRoutes(3, func(r *http.Request) string { return r.URL.Path })
	h := nethttp.Middleware(sensors.NewRecorder(), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nethttp.ByRoute(routes))
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 200 {
				ask(h, fmt.Sprintf("/%d", (i*7+w)%20))
			}
		})
	}
	all.Wait()
	total := uint64(0)
	snapshot := routes.Snapshot()
	require.Len(t, snapshot, 4)
	for _, r := range snapshot {
		total += r.Requests
	}
	require.EqualValues(t, 1600, total, "each is counted once")
	require.Equal(t, nethttp.Other, snapshot[3].Label)
}

// A route's latencies are the recorder's: from when the request was meant to be
// sent, until the handler returned or took the connection over.
func TestRoutes_latencyIsTheRecorders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			handler http.HandlerFunc
			late    time.Duration
			want    time.Duration
		}{
			"returned":  {func(http.ResponseWriter, *http.Request) { time.Sleep(time.Second) }, 0, time.Second},
			"sent late": {func(http.ResponseWriter, *http.Request) { time.Sleep(time.Second) }, 3 * time.Second, 4 * time.Second},
			"hijacked": {func(w http.ResponseWriter, _ *http.Request) {
				time.Sleep(time.Second)
				_, _, _ = w.(http.Hijacker).Hijack()
				time.Sleep(time.Hour)
			}, 0, time.Second},
		} {
			rec := sensors.NewRecorder()
			routes := nethttp.NewRoutes(1, nil)
			h := nethttp.Middleware(rec, c.handler, nethttp.ByRoute(routes), nethttp.IntendedTimeHeader("Intended"))
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Intended", strconv.FormatInt(time.Now().Add(-c.late).UnixNano(), 10))
			h.ServeHTTP(connection{httptest.NewRecorder()}, r)

			var s controller.Sample
			rec.Take(time.Now(), &s)
			recorded, _ := s.Latency.Mean()
			require.InDelta(t, c.want.Seconds(), recorded, 1e-9, name)
			route := routes.Snapshot()[0]
			mean, _ := route.Latency.Mean()
			require.InDelta(t, recorded, mean, 1e-9, name)
			require.EqualValues(t, 1, route.Requests, name)
		}
	})
}

// connection has what the server's writer for HTTP/1 has.
type connection struct{ *httptest.ResponseRecorder }

func (connection) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, nil }
func (connection) ReadFrom(io.Reader) (int64, error)            { return 0, nil }

func TestRoutes_aPanicFailsAndGoesOn(t *testing.T) {
	routes := nethttp.NewRoutes(1, func(*http.Request) string { return "x" })
	h := nethttp.Middleware(sensors.NewRecorder(), http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("no") }), nethttp.ByRoute(routes))
	require.PanicsWithValue(t, "no", func() { ask(h, "/") })
	require.EqualValues(t, 1, routes.Snapshot()[0].Failed)
}
