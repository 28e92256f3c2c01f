package nethttp

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"autotune/sensors"
)

// http1Writer has the methods of the server's writer for HTTP/1 and does nothing,
// so that what is measured is the middleware.
type http1Writer struct{ header http.Header }

func (w http1Writer) Header() http.Header                        { return w.header }
func (http1Writer) Write(p []byte) (int, error)                  { return len(p), nil }
func (http1Writer) WriteHeader(int)                              {}
func (http1Writer) Flush()                                       {}
func (http1Writer) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, http.ErrHijacked }
func (http1Writer) ReadFrom(src io.Reader) (int64, error)        { return io.Copy(io.Discard, src) }

var plain = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })

func BenchmarkMiddleware(b *testing.B) {
	for _, c := range []struct {
		name string
		h    http.Handler
	}{
		{"without", plain},
		{"with", Middleware(sensors.NewRecorder(), plain)},
		{"by-route", Middleware(sensors.NewRecorder(), plain, ByRoute(NewRoutes(16, nil)))},
		{"intended", Middleware(sensors.NewRecorder(), plain, IntendedTimeHeader("X-Intended-Time"))},
	} {
		r := httptest.NewRequest(http.MethodGet, "/work", nil)
		r.Pattern = "GET /work"
		r.Header.Set("X-Intended-Time", strconv.FormatInt(time.Now().UnixNano(), 10))
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var w http.ResponseWriter = http1Writer{http.Header{}}
			for b.Loop() {
				c.h.ServeHTTP(w, r)
			}
		})
	}
}

// The pieces of which "with" is made: two readings of the clock, which the
// recorder has in it, and the wrapper, most of which is its allocation.
func BenchmarkMiddleware_pieces(b *testing.B) {
	b.Run("clock-twice", func(b *testing.B) {
		began := time.Now()
		for b.Loop() {
			_ = time.Since(began)
			_ = time.Since(began)
		}
	})
	b.Run("recorder", func(b *testing.B) {
		rec := sensors.NewRecorder()
		for b.Loop() {
			rec.StartNow().End(false)
		}
	})
	b.Run("wrapper", func(b *testing.B) {
		b.ReportAllocs()
		var w http.ResponseWriter = http1Writer{http.Header{}}
		r := httptest.NewRequest(http.MethodGet, "/work", nil)
		for b.Loop() {
			plain.ServeHTTP((&response{ResponseWriter: w}).as(), r)
		}
	})
	b.Run("route", func(b *testing.B) {
		routes := NewRoutes(16, nil)
		r := httptest.NewRequest(http.MethodGet, "/work", nil)
		r.Pattern = "GET /work"
		for b.Loop() {
			routes.count(r, time.Millisecond, false)
		}
	})
}

func BenchmarkTransport(b *testing.B) {
	body := io.NopCloser(strings.NewReader(""))
	next := answers(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: body}, nil
	})
	for name, t := range map[string]http.RoundTripper{"without": next, "with": Transport(sensors.NewRecorder(), next)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			for b.Loop() {
				res, err := t.RoundTrip(r)
				if err != nil {
					b.Fatal(err)
				}
				_ = res.Body.Close()
			}
		})
	}
}
