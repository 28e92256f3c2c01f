package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune"
	"autotune/controller"
	"autotune/dashboard"
	"autotune/executor"
	"autotune/internal/terminal"
	"autotune/knobs"
	"autotune/sensors"
)

// watched is a service in virtual time, whose requests sleep for a while that its
// switches change, with a real autopilot and its live page.
type watched struct {
	fast, slow atomic.Bool
	rec        *sensors.Recorder
	pilot      *autotune.Autopilot
	stop       context.CancelFunc
	ended      sync.WaitGroup
}

func startWatched(t *testing.T, journal string) *watched {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	s := &watched{rec: sensors.NewRecorder(), stop: stop}
	s.ended.Go(func() {
		rng := rand.New(rand.NewPCG(1, 2))
		for ctx.Err() == nil {
			q := s.rec.StartNow()
			d := 2 * math.Exp(0.3*rng.NormFloat64())
			if s.fast.Load() {
				d *= 0.6
			}
			if s.slow.Load() {
				d *= 2
			}
			time.Sleep(time.Duration(d * float64(time.Millisecond)))
			q.End(false)
		}
	})
	knob := func(name string, b *atomic.Bool) knobs.Actuator { return knobs.Bool(name, b.Load, b.Store) }
	offer := func(name string) controller.Optimization {
		return controller.Optimization{Name: name, Why: "a switch of the test", Switch: name, Equivalence: controller.Exact}
	}
	var err error
	s.pilot, err = autotune.Start(context.Background(), autotune.Config{
		Executor: executor.Config{EnableAutomaticOptimization: true}, Recorder: s.rec, Seed: 7, Instance: "web-1",
		Knobs:         []knobs.Actuator{knob("fast", &s.fast), knob("slow", &s.slow)},
		Optimizations: []controller.Optimization{offer("fast"), offer("slow")}, Offer: []string{"fast", "slow"},
		Goals: []controller.Goal{{Metric: controller.LatencyP95}}, SlowGuard: -1, // what harms is tried to the end
		Timing: controller.Timing{Washout: 100 * time.Millisecond, Measure: time.Second}, Journal: journal,
	})
	require.NoError(t, err)
	return s
}

func (s *watched) page(t *testing.T, journal string) http.Handler {
	t.Helper()
	d, err := dashboard.New(s.pilot, dashboard.Options{Journal: journal})
	require.NoError(t, err)
	return d
}

// until lets virtual time pass until the status is as asked for.
func (s *watched) until(t *testing.T, what string, ok func(autotune.Status) bool) {
	t.Helper()
	for range 20_000 {
		if ok(s.pilot.Status()) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	require.Fail(t, "never: "+what, "%+v", s.pilot.Status())
}

func (s *watched) close(t *testing.T) {
	t.Helper()
	require.NoError(t, s.pilot.Close())
	require.NoError(t, s.pilot.Executor().Close())
	s.stop()
	s.ended.Wait()
}

// wire carries requests to a handler without a network, so that time may be
// virtual. While it is cut nobody answers, and streams end.
type wire struct {
	mu      sync.Mutex
	handler http.Handler
	cut     context.Context
	silent  atomic.Bool // what is sent is lost
}

func (w *wire) to(ctx context.Context, h http.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.handler, w.cut = h, ctx
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	h, cut := w.handler, w.cut
	w.mu.Unlock()
	if cut.Err() != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	ctx, end := context.WithCancel(r.Context())
	context.AfterFunc(cut, end)
	r = r.Clone(ctx)
	r.RemoteAddr, r.Host = "127.0.0.1:1", r.URL.Host
	body, in := io.Pipe()
	context.AfterFunc(ctx, func() { _ = in.CloseWithError(io.ErrUnexpectedEOF) })
	out := &answer{header: http.Header{}, body: in, begun: make(chan struct{}), silent: &w.silent}
	go func() {
		defer end()
		h.ServeHTTP(out, r)
		out.WriteHeader(http.StatusOK)
		if cut.Err() != nil { // whichever is first to close it
			_ = in.CloseWithError(io.ErrUnexpectedEOF)
		}
		_ = in.Close()
	}()
	<-out.begun
	return &http.Response{StatusCode: out.status, Header: out.header, Body: body, Request: r}, nil
}

// answer is a response on its way.
type answer struct {
	header http.Header
	status int
	body   *io.PipeWriter
	begun  chan struct{}
	silent *atomic.Bool
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
		close(a.begun)
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.silent.Load() {
		return len(p), nil
	}
	return a.body.Write(p)
}

func (a *answer) Flush() {}

// masked hides what a machine measures of itself.
func masked(text string) string {
	for _, m := range []struct{ what, by string }{
		{`CPU [0-9.e+-]+ (µs|ms|s) a request`, "CPU ... a request"},
		{`memory [0-9.]+ MB`, "memory ... MB"},
		{`, autopilot [0-9.]+ % of a core`, ""},
	} {
		text = regexp.MustCompile(m.what).ReplaceAllString(text, m.by)
	}
	return text
}

// wired is a page's reader, and what it is connected to.
func wired(t *testing.T, h http.Handler) (*page, *wire, context.CancelFunc) {
	t.Helper()
	p, err := newPage("http://127.0.0.1:8080", "")
	require.NoError(t, err)
	w := &wire{}
	up, cut := context.WithCancel(context.Background())
	w.to(up, h)
	p.client.Transport = w
	return p, w, cut
}

// How things stand, again and again, in a run that keeps what helps, takes back
// what harms, and is told to hold a knob.
func TestWatch_once(t *testing.T) {
	t.Setenv("LC_ALL", "C.UTF-8")
	synctest.Test(t, func(t *testing.T) {
		s := startWatched(t, "")
		p, _, cut := wired(t, s.page(t, ""))
		var all strings.Builder
		look := func(caption string) {
			synctest.Wait()
			var out bytes.Buffer
			require.NoError(t, p.once(context.Background(), &out, 100))
			fmt.Fprintf(&all, "== %s\n%s\n", caption, masked(out.String()))
		}
		for _, c := range []struct {
			caption string
			when    func(autotune.Status) bool
		}{
			{"measuring", func(st autotune.Status) bool { return st.Measured == 10 }},
			{"a trial", func(st autotune.Status) bool { return st.Trial != nil && st.Trial.Pairs == 4 }},
			{"kept", func(st autotune.Status) bool { return st.Safe.On("fast") }},
			{"a trial of what harms", func(st autotune.Status) bool {
				return st.Trial != nil && st.Trial.Optimization == "slow" && st.Trial.Pairs == 3
			}},
			{"quiet", func(st autotune.Status) bool { return st.Phase == controller.Idle }},
		} {
			s.until(t, c.caption, c.when)
			look(c.caption)
		}
		require.NoError(t, s.pilot.Pin(context.Background(), "slow", controller.Operator{Who: "ann", Why: "a load test"}))
		look("pinned")
		s.close(t)
		look("ended")
		cut()
		golden(t, "testdata/watch_once.txt", all.String())
	})
}

// Lines for a log: a service that restarts is watched on, one that is silent is
// told of, and an interrupt is no failure.
func TestWatch_lines(t *testing.T) {
	t.Setenv("TZ", "UTC")
	synctest.Test(t, func(t *testing.T) {
		journal := filepath.Join(t.TempDir(), "journal")
		s := startWatched(t, journal)
		p, w, cut := wired(t, s.page(t, journal))
		var out bytes.Buffer
		ctx, interrupt := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- p.watch(ctx, &out, terminal.Options{Whole: true, Mode: terminal.Plain}) }()
		s.until(t, "kept", func(st autotune.Status) bool { return st.Safe.On("fast") })
		time.Sleep(2 * time.Second)
		w.silent.Store(true)
		time.Sleep(12 * time.Second)
		w.silent.Store(false)
		time.Sleep(2 * time.Second)

		cut() // the process dies
		s.close(t)
		time.Sleep(5 * time.Second)
		s = startWatched(t, journal)
		up, cut := context.WithCancel(context.Background())
		w.to(up, s.page(t, journal))
		s.until(t, "quiet", func(st autotune.Status) bool { return st.Phase == controller.Idle })
		time.Sleep(2 * time.Second)
		s.close(t)
		time.Sleep(5 * time.Second)
		interrupt()
		require.NoError(t, <-done)
		cut()
		golden(t, "testdata/watch_lines.txt", masked(strings.ReplaceAll(out.String(), time.Now().Format("-07:00")+" ", "Z ")))
	})
}

func TestWatch_whatIsNoPage(t *testing.T) {
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "hello")
	}))
	defer html.Close()
	moved := httptest.NewServer(http.RedirectHandler("http://evil.example/", http.StatusFound))
	defer moved.Close()
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "event: news\ndata: {\n\n")
	}))
	defer broken.Close()
	empty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
	}))
	defer empty.Close()
	locked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"no"}`)
	}))
	defer locked.Close()
	full := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"error":"64 streams are open: no more"}`)
	}))
	defer full.Close()
	secure := httptest.NewUnstartedServer(html.Config.Handler)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // of refused handshakes
	secure.StartTLS()
	defer secure.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	for _, c := range []struct {
		url, token string
		code       int
		want       string
	}{
		{"127.0.0.1:8080", "", 2, `URL "127.0.0.1:8080": must be that of a page, as http://127.0.0.1:8080/`},
		{"localhost:8080", "", 2, `URL "localhost:8080": must be that of a page`},
		{"ftp://localhost/", "", 2, `must be that of a page`},
		{"http://", "", 2, `URL "http://": must be that of a page`},
		{"http://localhost/?token=abc", "", 2, `must have no user, query or fragment; the token is taken from AUTOTUNE_TOKEN`},
		{"http://ann:secret@localhost/", "", 2, `URL "http://ann:xxxxx@localhost/": must have no user`},
		{"http://shop.example/", "a-token-of-the-test", 2, `URL "http://shop.example/": must be https: the token in AUTOTUNE_TOKEN would cross the network`},
		{"http://localhost/", "a\ntoken", 2, "AUTOTUNE_TOKEN: must have printable characters only, and no spaces"},
		{gone.URL, "", 1, "connection refused"},
		{html.URL, "", 1, "200 OK and no events: must be the live page of an autopilot"},
		{html.URL + "/autotune", "", 1, "/autotune/: 200 OK and no events"},
		{moved.URL, "", 1, `it leads to "http://evil.example/`},
		{broken.URL, "", 1, "unexpected end of JSON input"},
		{empty.URL, "", 1, "it ended before it said anything"},
		{locked.URL, "", 1, "refused: reading it takes the token, in AUTOTUNE_TOKEN"},
		{locked.URL, "a-token-of-the-test", 1, "refused: the token in AUTOTUNE_TOKEN is not the page's"},
		{full.URL, "", 1, `503 Service Unavailable: "64 streams are open: no more"`},
		{secure.URL, "", 1, "failed to verify certificate"},
		{strings.Replace(html.URL, "http:", "https:", 1), "", 1, "server gave HTTP response to HTTPS client"},
	} {
		t.Run(c.want, func(t *testing.T) {
			t.Setenv(tokenVariable, c.token)
			for _, args := range [][]string{{"watch", c.url}, {"watch", "--once", c.url}} {
				p := begin(t, args...)
				assert.Equal(t, c.code, p.end(t, 20*time.Second))
				said := p.err.String()
				assert.Contains(t, said, c.want)
				assert.Equal(t, 1, strings.Count(said, "\n"), said)
				assert.NotContains(t, said, "\x1b")
				assert.NotContains(t, said, "a-token-of-the-test")
				assert.Empty(t, p.out.String())
			}
		})
	}
}

// livePage serves that of an autopilot, below /autotune and alone, and returns its
// origin.
func livePage(t *testing.T) string {
	t.Helper()
	pilot, err := autotune.Start(context.Background(), autotune.Config{Seed: 1})
	require.NoError(t, err)
	d, err := dashboard.New(pilot, dashboard.Options{})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/autotune/", http.StripPrefix("/autotune", d))
	mux.Handle("/", d)
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		require.NoError(t, pilot.Close()) // then its streams end
		server.Close()
		require.NoError(t, pilot.Executor().Close())
	})
	return server.URL
}

// Signals end it well, and whatever it wrote to a pipe has no control codes.
func TestWatch_signals(t *testing.T) {
	live := livePage(t)
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		p := begin(t, "watch", live+"/autotune")
		time.Sleep(time.Second)
		require.NoError(t, p.Process.Signal(s))
		assert.Equal(t, 0, p.end(t, 20*time.Second), p.err.String())
		assert.Contains(t, p.out.String(), "autotune at "+live+"/autotune/, ")
		assert.NotContains(t, p.out.String(), "\x1b")
		assert.Empty(t, p.err.String())
	}
}

// What a page is lured to say stays text.
func TestWatch_hostileText(t *testing.T) {
	var out bytes.Buffer
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/events") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, `data: not ours

event: news
data: {"status":{"phase":"idle","why":"a\u001b[2Jb\nc","instance":"x\u001b]0;y\u0007","policy":"p",`+
			`"initial":{"\u001b[1m":1},"safe":{"\u001b[1m":2},"in_force":{},`+
			`"pins":{"k\u001b":{"values":{"k\u001b":1},"by":{"who":"w\u001b","why":"\r"}}},"blocked":{"b\u001b":"\u202ec"},`+
			`"ended":[{"id":1,"outcome":"kept","reason":"better","optimization":"o\u001b","move":"on"}]},"points":[]}

`)
	}))
	defer page.Close()
	p, err := newPage(page.URL, "")
	require.NoError(t, err)
	require.NoError(t, p.once(t.Context(), &out, 80))
	assert.NotContains(t, out.String(), "\x1b")
	assert.NotContains(t, out.String(), "\u202e")
	assert.NotContains(t, out.String(), "\r")
	assert.Contains(t, out.String(), "idle: a [2Jb c")
}

func TestEvents(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "",
		"data: a\n\n":                  "message=a;",
		"data:a\n\n":                   "message=a;",
		"data:  a\n\n":                 "message= a;",
		"data: a\r\n\r\n":              "message=a;",
		"event: e\ndata: a\n\n":        "e=a;",
		"data: a\nevent: e\n\n":        "e=a;",
		"data: a\ndata: b\n\n":         "message=a\nb;",
		"data\n\n":                     "message=;",
		"data: \ndata: \n\n":           "message=\n;",
		": a comment\n\n":              "",
		"event: e\n\ndata: a\n\n":      "message=a;", // an event without data is none
		"id: 1\nretry: 2\ndata: a\n\n": "message=a;",
		"data: a\n":                    "", // not whole
		"data: a":                      "",
		"data: a\n\ndata: b\n\n":       "message=a;message=b;",
	} {
		got := ""
		for e, err := range eventsOf(strings.NewReader(text)) {
			require.NoError(t, err)
			got += e.kind + "=" + string(e.data) + ";"
		}
		assert.Equal(t, want, got, "%q", text)
	}
}

// What is sent as events comes out as those events, and whatever else is read does
// no harm; in pieces of any size it is the same.
func FuzzEvents(f *testing.F) {
	f.Add("event: news\ndata: {}\n\n", "a\nb", uint8(3))
	f.Add("data\r\n\r\n:\n\n", "", uint8(1))
	f.Add("data: a\ndata", "x: y", uint8(200))
	f.Fuzz(func(t *testing.T, stream, data string, piece uint8) {
		read := func(r io.Reader) (out []event, err error) {
			for e, err := range eventsOf(r) {
				if err != nil {
					return out, err
				}
				out = append(out, e)
			}
			return out, nil
		}
		whole, err := read(strings.NewReader(stream))
		require.NoError(t, err)
		pieces, err := read(&inPieces{strings.NewReader(stream), int(piece)%7 + 1})
		require.NoError(t, err)
		require.Equal(t, whole, pieces)

		if strings.Contains(data, "\r") {
			return // ends a line in the standard
		}
		var sent strings.Builder
		sent.WriteString("event: news\n")
		for line := range strings.SplitSeq(data, "\n") {
			sent.WriteString("data: " + line + "\n")
		}
		sent.WriteString("\n")
		got, err := read(strings.NewReader(sent.String()))
		require.NoError(t, err)
		require.Len(t, got, 1)
		require.Equal(t, "news", got[0].kind)
		require.Equal(t, data, string(got[0].data))
	})
}

// inPieces reads no more than n bytes at a time.
type inPieces struct {
	r io.Reader
	n int
}

func (p *inPieces) Read(b []byte) (int, error) { return p.r.Read(b[:min(len(b), p.n)]) }
