package nethttp

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"autotune/controller"
	"autotune/sensors"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorded returns requests, completions, errors and what is in flight.
func recorded(rec *sensors.Recorder) [4]float64 {
	var s controller.Sample
	rec.Take(time.Now(), &s)
	return [4]float64{
		s.Totals[controller.Requests], s.Totals[controller.Completions],
		s.Totals[controller.Errors], s.Gauges[controller.InFlight],
	}
}

func TestMiddleware_whatFails(t *testing.T) {
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		failed  float64
		status  int
	}{
		"nothing written": {func(http.ResponseWriter, *http.Request) {}, 0, 200},
		"body":            {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fine") }, 0, 200},
		"client's fault":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, 0, 404},
		"just below":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(499) }, 0, 499},
		"server's fault":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, 1, 500},
		"overloaded":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, 1, 503},
		"the first counts": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			w.WriteHeader(http.StatusOK)
		}, 1, 503},
		"body, then status": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(nil)
			w.WriteHeader(http.StatusInternalServerError)
		}, 0, 200},
		"flush, then status": {func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			w.WriteHeader(http.StatusInternalServerError)
		}, 0, 200},
		"announcement first": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusInternalServerError)
		}, 1, 500},
	} {
		t.Run(name, func(t *testing.T) {
			rec := sensors.NewRecorder()
			h := Middleware(rec, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, [4]float64{1, 0, 0, 1}, recorded(rec), "in flight")
				c.handler(w, r)
			}))
			out := httptest.NewRecorder()
			h.ServeHTTP(out, httptest.NewRequest(http.MethodGet, "/", nil))
			assert.Equal(t, [4]float64{0, 1, c.failed, 0}, recorded(rec))
			if name != "announcement first" { // httptest takes the first status for the last
				assert.Equal(t, c.status, out.Code)
			}
		})
	}
}

func TestMiddleware_panicGoesOn(t *testing.T) {
	for _, value := range []any{"oh", http.ErrAbortHandler, errors.New("no")} {
		rec := sensors.NewRecorder()
		h := Middleware(rec, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
			panic(value)
		}))
		assert.PanicsWithValue(t, value, func() {
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
		})
		assert.Equal(t, [4]float64{1, 1, 1, 0}, recorded(rec))
	}
}

// The wrapper is all that a request allocates, by route or not, there and back.
func TestRecording_allocatesOnce(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/work", nil)
	var w http.ResponseWriter = http1Writer{http.Header{}}
	for name, h := range map[string]http.Handler{
		"plain":    Middleware(sensors.NewRecorder(), plain),
		"by route": Middleware(sensors.NewRecorder(), plain, ByRoute(NewRoutes(1, nil))),
	} {
		got := testing.AllocsPerRun(1000, func() { h.ServeHTTP(w, r) })
		assert.InDelta(t, 1, got, 0.5, name) // a collection may empty the pool meanwhile
	}
	inner := &http.Response{StatusCode: http.StatusOK}
	client := Transport(sensors.NewRecorder(), answers(func(*http.Request) (*http.Response, error) {
		inner.Body = http.NoBody
		return inner, nil
	}))
	got := testing.AllocsPerRun(1000, func() {
		if res, err := client.RoundTrip(r); err == nil {
			_ = res.Body.Close()
		}
	})
	assert.InDelta(t, 1, got, 0.5, "transport")
}

func TestMiddleware_nilRecorderAndSkip(t *testing.T) {
	calls := 0
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls++ })
	get := func(h http.Handler, path string) {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	get(Middleware(nil, next), "/")
	rec := sensors.NewRecorder()
	h := Middleware(rec, next, Skip(func(r *http.Request) bool { return r.URL.Path == "/healthz" }))
	get(h, "/healthz")
	get(h, "/work")
	assert.Equal(t, 3, calls)
	assert.Equal(t, [4]float64{1, 1, 0, 0}, recorded(rec))
}

func TestMiddleware_intendedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ago := func(d time.Duration) func() string {
			return func() string { return strconv.FormatInt(time.Now().Add(-d).UnixNano(), 10) }
		}
		is := func(s string) func() string { return func() string { return s } }
		for name, c := range map[string]struct {
			header func() string
			want   time.Duration
		}{
			"none":         {nil, 0},
			"now":          {ago(0), 0},
			"late":         {ago(3 * time.Second), 3 * time.Second},
			"an hour":      {ago(time.Hour), time.Hour},
			"too old":      {ago(time.Hour + 1), 0},
			"future":       {ago(-1), 0},
			"far future":   {is("9223372036854775807"), 0},
			"far past":     {is("-9223372036854775808"), 0},
			"out of range": {is("99999999999999999999"), 0},
			"seconds":      {is(strconv.FormatInt(time.Now().Unix(), 10)), 0},
			"no number":    {is("yesterday"), 0},
			"blank":        {is(" 1"), 0},
			"fraction":     {is("1.5"), 0},
		} {
			rec := sensors.NewRecorder()
			h := Middleware(rec, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				time.Sleep(time.Second)
			}), IntendedTimeHeader("x-intended-time"))
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			if c.header != nil {
				r.Header.Set("X-Intended-Time", c.header())
			}
			h.ServeHTTP(httptest.NewRecorder(), r)
			var s controller.Sample
			rec.Take(time.Now(), &s)
			mean, _ := s.Latency.Mean()
			assert.InDelta(t, (c.want + time.Second).Seconds(), mean, 1e-6, name)
		}
	})
}

func FuzzParseIntended(f *testing.F) {
	now := time.Unix(1_700_000_000, 0)
	f.Add("1699999999000000000")
	f.Add("-1")
	f.Add("1e18")
	f.Fuzz(func(t *testing.T, text string) {
		age, ok := parseIntended(text, now)
		if ok && (age < 0 || age > time.Hour) {
			t.Errorf("%q gives %v", text, age)
		}
	})
}

// server runs a handler on a real connection, under the middleware.
func server(t *testing.T, rec *sensors.Recorder, next http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(Middleware(rec, next))
	t.Cleanup(func() {
		s.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	return s
}

// Over a real connection a handler finds what it would find without us.
func TestMiddleware_hidesNothing(t *testing.T) {
	rec := sensors.NewRecorder()
	s := server(t, rec, func(w http.ResponseWriter, r *http.Request) {
		_, flusher := w.(http.Flusher)
		_, hijacker := w.(http.Hijacker)
		_, copier := w.(io.ReaderFrom)
		_, pusher := w.(http.Pusher)
		assert.True(t, flusher && hijacker && copier && !pusher, "%T", w)
		control := http.NewResponseController(w)
		assert.NoError(t, control.SetWriteDeadline(time.Now().Add(time.Minute)))
		n, err := io.Copy(w, io.LimitReader(r.Body, 3))
		assert.NoError(t, err)
		assert.EqualValues(t, 3, n)
		assert.NoError(t, control.Flush())
	})
	res, err := http.Post(s.URL, "text/plain", strings.NewReader("abcdef"))
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.Equal(t, "abc", string(body))
	assert.Equal(t, [4]float64{1, 1, 0, 0}, recorded(rec))
}

// http2Writer is what a handler gets for a stream of HTTP/2.
type http2Writer struct {
	*httptest.ResponseRecorder
	pushed string
}

func (w *http2Writer) Push(target string, _ *http.PushOptions) error { w.pushed = target; return nil }

// bare has no more than it must.
type bare struct{ http.ResponseWriter }

func TestResponse_asTheWriterBelow(t *testing.T) {
	h2 := &http2Writer{ResponseRecorder: httptest.NewRecorder()}
	w := (&response{ResponseWriter: h2}).as()
	require.NoError(t, w.(http.Pusher).Push("/style.css", nil))
	assert.Equal(t, "/style.css", h2.pushed)
	w.(http.Flusher).Flush()
	assert.True(t, h2.Flushed)
	_, hijacker := w.(http.Hijacker)
	assert.False(t, hijacker)

	w = (&response{ResponseWriter: bare{httptest.NewRecorder()}}).as()
	_, flusher := w.(http.Flusher)
	assert.False(t, flusher)
	_, err := io.WriteString(w, "text")
	assert.NoError(t, err)
}

// After a hijack the request is over, though the handler serves the connection on.
func TestMiddleware_hijackEndsTheRequest(t *testing.T) {
	rec := sensors.NewRecorder()
	s := server(t, rec, func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := w.(http.Hijacker).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\n\r\n")
		_ = rw.Flush()
		_, _ = rw.ReadByte() // until the client has looked
	})
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	line, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	assert.Contains(t, line, "101")
	assert.Equal(t, [4]float64{1, 1, 0, 0}, recorded(rec))
	_, _ = conn.Write([]byte("x"))
}

// Clients on real connections, samples taken all along: the samples add up to
// what the clients did.
func TestMiddleware_samplesAddUp(t *testing.T) {
	const clients, each = 20, 50
	rec := sensors.NewRecorder()
	s := server(t, rec, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/broken" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	rec.Begin(1)
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for i := range each {
				res, err := http.Get(s.URL + []string{"/fine", "/broken"}[i%2])
				if assert.NoError(t, err) {
					_ = res.Body.Close()
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { defer close(done); wg.Wait() }()
	var all controller.Sample
	sample := func() {
		var tick controller.Sample
		rec.Take(time.Now(), &tick)
		all.Merge(&tick)
	}
	for running := true; running; {
		select {
		case <-done:
			running = false
		case <-time.After(time.Millisecond):
			sample()
		}
	}
	s.Close() // waits for handlers, which end after their clients have the answer
	sample()
	assert.Equal(t, float64(clients*each), all.Totals[controller.Requests])
	assert.Equal(t, float64(clients*each), all.Totals[controller.Completions])
	assert.Equal(t, float64(clients*each/2), all.Totals[controller.Errors])
	assert.EqualValues(t, clients*each/2, all.Latency.Count())
	assert.Nil(t, all.Unfinished)
}
