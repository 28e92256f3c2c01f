package dashboard_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"autotune"
	"autotune/controller"
	"autotune/dashboard"
	"autotune/executor"
)

// A server waits half a second for the client to read why it was let go.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

const token = "a token of the test"

// service is an autopilot with its dashboard on loopback.
type service struct {
	t     *testing.T
	pilot *autotune.Autopilot
	page  *dashboard.Dashboard
	url   string
	log   *syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func serve(t *testing.T, journal string) *service {
	t.Helper()
	p, err := autotune.Start(context.Background(), autotune.Config{
		Executor: executor.Config{EnableAutomaticOptimization: true}, Seed: 1, Journal: journal, Instance: "test",
	})
	require.NoError(t, err)
	s := &service{t: t, pilot: p, log: &syncBuffer{}}
	log := zerolog.New(s.log)
	s.page, err = dashboard.New(p, dashboard.Options{Token: token, Journal: journal, Logger: &log})
	require.NoError(t, err)
	l, err := dashboard.Listen("127.0.0.1:0", nil, false)
	require.NoError(t, err)
	server := dashboard.Server(s.page)
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	s.url = "http://" + l.Addr().String()
	t.Cleanup(func() {
		require.NoError(t, p.Close())
		require.NoError(t, p.Executor().Close())
		require.NoError(t, server.Close())
		<-done
		http.DefaultClient.CloseIdleConnections()
	})
	return s
}

// ask sends a request as it is, and returns status and body.
func (s *service) ask(method, path, body string, header map[string]string) (int, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	require.NoError(s.t, err)
	for k, v := range header {
		if k == "Host" {
			r.Host = v
			continue
		}
		r.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	return res.StatusCode, string(text)
}

const fine = `{"who":"me","why":"a test"}`

func as(more ...string) map[string]string {
	h := map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json"}
	for i := 0; i+1 < len(more); i += 2 {
		h[more[i]] = more[i+1]
	}
	return h
}

func TestChange_withTheToken(t *testing.T) {
	s := serve(t, "")
	status, body := s.ask("POST", "/api/pause", fine, as())
	require.Equal(t, 200, status, body)
	require.Equal(t, controller.Paused, s.pilot.Status().Phase)
	status, body = s.ask("POST", "/api/resume", fine, as())
	require.Equal(t, 200, status, body)
	require.Eventually(t, func() bool { return s.pilot.Status().Phase != controller.Paused }, 5*time.Second, 10*time.Millisecond)
	require.Contains(t, s.log.String(), `"change":"pause","who":"me","why":"a test"`)
	require.NotContains(t, s.log.String(), token)
	require.NoError(t, s.pilot.Close())
	status, body = s.ask("POST", "/api/pause", fine, as())
	require.Equal(t, 409, status, body)
}

// The attacks: all are refused, nothing changes, and the service serves on.
func TestChange_attacksAreRefused(t *testing.T) {
	s := serve(t, "")
	for name, c := range map[string]struct {
		method, path, body string
		header             map[string]string
		status             int
	}{
		"no token":                {"POST", "/api/pause", fine, map[string]string{"Content-Type": "application/json"}, 401},
		"wrong token":             {"POST", "/api/pause", fine, as("Authorization", "Bearer a token of the tesT"), 401},
		"token's beginning":       {"POST", "/api/pause", fine, as("Authorization", "Bearer a token"), 401},
		"no scheme":               {"POST", "/api/pause", fine, as("Authorization", token), 401},
		"empty token":             {"POST", "/api/pause", fine, as("Authorization", "Bearer "), 401},
		"token in the URL":        {"POST", "/api/pause?token=" + strings.ReplaceAll(token, " ", "+"), fine, map[string]string{"Content-Type": "application/json"}, 401},
		"another origin":          {"POST", "/api/pause", fine, as("Origin", "http://evil.example"), 403},
		"another site":            {"POST", "/api/pause", fine, as("Sec-Fetch-Site", "cross-site"), 403},
		"a form":                  {"POST", "/api/pause", fine, as("Content-Type", "application/x-www-form-urlencoded"), 415},
		"plain text":              {"POST", "/api/pause", fine, as("Content-Type", "text/plain"), 415},
		"by GET":                  {"GET", "/api/pause", "", as(), 405},
		"by DELETE":               {"DELETE", "/api/status", "", as(), 405},
		"oversized":               {"POST", "/api/pause", `{"who":"` + strings.Repeat("x", 10_000) + `"}`, as(), 413},
		"nobody":                  {"POST", "/api/pause", `{"why":"x"}`, as(), 400},
		"no reason":               {"POST", "/api/pause", `{"who":"x","why":"  "}`, as(), 400},
		"a lie in the log":        {"POST", "/api/pause", `{"who":"x\n{\"change\":\"resume\"}","why":"y"}`, as(), 400},
		"long":                    {"POST", "/api/pause", `{"who":"x","why":"` + strings.Repeat("y", 300) + `"}`, as(), 400},
		"unknown field":           {"POST", "/api/pause", `{"who":"x","why":"y","sudo":true}`, as(), 400},
		"two bodies":              {"POST", "/api/pause", fine + fine, as(), 400},
		"no JSON":                 {"POST", "/api/pause", "who=x", as(), 400},
		"unknown command":         {"POST", "/api/selfdestruct", fine, as(), 404},
		"path up":                 {"GET", "/../../etc/passwd", "", nil, 404},
		"path up, encoded":        {"GET", "/%2e%2e/%2e%2e/etc/passwd", "", nil, 404},
		"page's folder":           {"GET", "/page/app.js", "", nil, 404},
		"a trial with a path":     {"GET", "/api/trials/..%2f..%2fetc%2fpasswd", "", nil, 400},
		"no number of a trial":    {"GET", "/api/trials/-1", "", nil, 400},
		"rebound name":            {"GET", "/api/status", "", map[string]string{"Host": "evil.example"}, 401},
		"a proxy's stranger":      {"GET", "/api/status", "", map[string]string{"X-Forwarded-For": "203.0.113.9"}, 401},
		"a stranger with a token": {"GET", "/api/status", "", as("Host", "shop.example"), 200},
	} {
		time.Sleep(210 * time.Millisecond) // the limit on changes is another test's
		status, body := s.ask(c.method, c.path, c.body, c.header)
		require.Equal(t, c.status, status, "%s: %s", name, body)
		require.NotContains(t, body, "root:", name)
		require.NotEqual(t, controller.Paused, s.pilot.Status().Phase, name)
	}
	require.NotContains(t, s.log.String(), "done")
	status, _ := s.ask("GET", "/api/status", "", nil)
	require.Equal(t, 200, status)
}

func TestChange_floods(t *testing.T) {
	s := serve(t, "")
	refused := 0
	for range 40 {
		status, _ := s.ask("POST", "/api/pause", fine, as("Authorization", "Bearer guess"))
		if status == 429 {
			refused++
		}
	}
	require.Greater(t, refused, 20)
}

// A header that injects another line cannot be sent by a client, so it is written raw.
func TestServer_rawNonsense(t *testing.T) {
	s := serve(t, "")
	address := strings.TrimPrefix(s.url, "http://")
	for name, raw := range map[string]string{
		"header injection": "GET /api/status HTTP/1.1\r\nHost: localhost\r\nX-A: b\rSet-Cookie: c\r\n\r\n",
		"no host":          "GET /api/status HTTP/1.1\r\n\r\n",
		"long header":      "GET / HTTP/1.1\r\nHost: localhost\r\nX-A: " + strings.Repeat("x", 64<<10) + "\r\n\r\n",
		"two lengths":      "POST /api/pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabc",
	} {
		c, err := net.Dial("tcp", address)
		require.NoError(t, err)
		_, _ = io.WriteString(c, raw)
		require.NoError(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
		line, _ := bufio.NewReader(c).ReadString('\n')
		require.Regexp(t, `^HTTP/1.1 (400|401|431|501) `, line, name)
		require.NoError(t, c.Close())
	}
}

// Who sends a byte now and then is let go, and keeps nobody from being served.
func TestServer_slowClients(t *testing.T) {
	if testing.Short() {
		t.Skip("waits until a slow client is let go")
	}
	s := serve(t, "")
	var slow []net.Conn
	for range 50 {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		require.NoError(t, err)
		_, err = io.WriteString(c, "POST /api/pause HTTP/1.1\r\nHost: loc")
		require.NoError(t, err)
		slow = append(slow, c)
	}
	status, _ := s.ask("GET", "/api/status", "", nil)
	require.Equal(t, 200, status)
	require.NoError(t, slow[0].SetReadDeadline(time.Now().Add(15*time.Second)))
	_, err := io.ReadAll(slow[0])
	require.NoError(t, err, "the server has closed it")
	for _, c := range slow {
		require.NoError(t, c.Close())
	}
}

func TestEvents_streamsAreBoundedAndFollow(t *testing.T) {
	s := serve(t, "")
	ctx, stop := context.WithCancel(t.Context())
	var open []*http.Response
	stream := func() *http.Response {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/events", nil)
		require.NoError(t, err)
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		return res
	}
	for range 64 {
		res := stream() //nolint:bodyclose // all are, below
		require.Equal(t, 200, res.StatusCode)
		open = append(open, res) //nolint:bodyclose // all are, below
	}
	res := stream()
	require.Equal(t, 503, res.StatusCode)
	require.NoError(t, res.Body.Close())

	lines := bufio.NewScanner(open[0].Body)
	lines.Buffer(nil, 1<<20)
	news := 0
	for lines.Scan() && news < 3 {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			var got struct {
				Status autotune.Status
				Points []autotune.Point
			}
			require.NoError(t, json.Unmarshal([]byte(data), &got))
			require.Equal(t, "test", got.Status.Instance)
			news++
		}
	}
	stop()
	for _, r := range open {
		_ = r.Body.Close()
	}
	require.Eventually(t, func() bool {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/events", nil)
		require.NoError(t, err)
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK
	}, 10*time.Second, 100*time.Millisecond, "who has gone makes room")
}

// What the stream says last is what the autopilot ended with.
func TestEvents_endWithTheAutopilot(t *testing.T) {
	s := serve(t, "")
	res, err := http.Get(s.url + "/api/events")
	require.NoError(t, err)
	defer res.Body.Close()
	require.NoError(t, s.pilot.Close())
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err, "it ends")
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	require.Contains(t, all[len(all)-1], `"phase":"ended"`)
}

// Decisions of earlier processes come from the journal, with their pairs.
func TestDecisions_ofTheJournal(t *testing.T) {
	const golden = "../testdata/journals/keep.jsonl"
	if _, err := os.Stat(golden); err != nil {
		t.Skip(err)
	}
	p, err := autotune.Start(context.Background(), autotune.Config{Seed: 1})
	require.NoError(t, err)
	defer func() {
		require.NoError(t, p.Close())
		require.NoError(t, p.Executor().Close())
	}()
	d, err := dashboard.New(p, dashboard.Options{Journal: golden})
	require.NoError(t, err)
	require.Len(t, d.Token(), 26, "a random one")
	get := func(path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil)
		r.RemoteAddr = "127.0.0.1:1"
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		return w
	}
	var trials []controller.Trial
	require.NoError(t, json.Unmarshal(get("/api/decisions").Body.Bytes(), &trials))
	require.NotEmpty(t, trials)
	var one struct {
		Trial controller.Trial
		Pairs []controller.Pair
	}
	require.NoError(t, json.Unmarshal(get(fmt.Sprint("/api/trials/", trials[0].ID)).Body.Bytes(), &one))
	require.Equal(t, trials[0].ID, one.Trial.ID)
	require.Len(t, one.Pairs, trials[0].Pairs)
	require.Equal(t, 404, get("/api/trials/99999").Code)
}

func TestListen_refusesWhatOthersCouldRead(t *testing.T) {
	for addr, want := range map[string]string{
		"0.0.0.0:0":     `dashboard address "0.0.0.0:0": beyond loopback it must have TLS, or be behind a proxy that has`,
		":0":            `dashboard address ":0": beyond loopback it must have TLS, or be behind a proxy that has`,
		"192.0.2.1:80":  `dashboard address "192.0.2.1:80": beyond loopback it must have TLS, or be behind a proxy that has`,
		"shop.example:": `dashboard address "shop.example:": beyond loopback it must have TLS, or be behind a proxy that has`,
		"nonsense":      `dashboard address "nonsense": must be a host and a port`,
	} {
		_, err := dashboard.Listen(addr, nil, false)
		require.EqualError(t, err, want)
	}
	l, err := dashboard.Listen("0.0.0.0:0", nil, true)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = dashboard.New(nil, dashboard.Options{Token: "short"})
	require.EqualError(t, err, "dashboard: token of 5 characters: must have at least 16")
}

// The document names every route, and no other.
func TestOpenAPI_isTrue(t *testing.T) {
	s := serve(t, "")
	_, body := s.ask("GET", "/api/openapi.json", "", nil)
	var doc struct {
		Paths map[string]map[string]any
	}
	require.NoError(t, json.Unmarshal([]byte(body), &doc))
	for path, methods := range doc.Paths {
		for method := range methods {
			if path == "/api/events" { // it does not end
				continue
			}
			status, _ := s.ask(strings.ToUpper(method), strings.ReplaceAll(path, "{id}", "1"), "", nil)
			require.Contains(t, []int{200, 401, 404}, status, path)
			require.False(t, status == 404 && !strings.Contains(path, "{id}"), path)
			time.Sleep(210 * time.Millisecond)
		}
	}
	for _, name := range dashboard.Commands() {
		require.Contains(t, doc.Paths, "/api/"+name)
	}
}

func TestPage_itsPolicyAllowsNothingElse(t *testing.T) {
	s := serve(t, "")
	res, err := http.Get(s.url + "/")
	require.NoError(t, err)
	page, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Contains(t, res.Header.Get("Content-Security-Policy"), "default-src 'none'")
	require.NotContains(t, string(page), "style=")
	require.NotContains(t, string(page), "http://")
	require.NotContains(t, string(page), "https://")
	_, script := s.ask("GET", "/app.js", "", nil)
	for _, never := range []string{"innerHTML", "insertAdjacentHTML", "document.write", "eval(", "localStorage", "https://", "http://"} {
		require.NotContains(t, script, never)
	}
}
