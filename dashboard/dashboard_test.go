package dashboard_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
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

// body is what a command of the API takes, with one field changed or added.
func body(fields ...string) string {
	all := map[string]any{"who": "me", "why": "a test"}
	for i := 0; i+1 < len(fields); i += 2 {
		all[fields[i]] = json.RawMessage(fields[i+1])
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestChange_withTheToken(t *testing.T) {
	s := serve(t, "")
	s.page.Unlimited()
	require.Eventually(t, func() bool { return s.pilot.Status().Phase != controller.Starting }, 10*time.Second, 10*time.Millisecond)
	do := func(command, body string) {
		t.Helper()
		status, text := s.ask("POST", "/api/"+command, body, as())
		require.Equal(t, 200, status, text)
		require.JSONEq(t, `{"done":"`+command+`"}`, text)
	}
	do("pause", fine)
	st := s.pilot.Status()
	require.Equal(t, controller.Paused, st.Phase)
	require.Equal(t, controller.Operator{Who: "me", Why: "a test"}, st.PausedBy.By)
	do("pin", body("name", `"enable_cache_optimization"`))
	require.Contains(t, s.pilot.Status().Pins, "enable_cache_optimization")
	do("pin-at", body("name", `"cache_size"`, "value", "2048"))
	st = s.pilot.Status()
	require.Equal(t, map[string]float64{"cache_size": 2048}, st.Pins["cache_size"].Values)
	now, _ := st.InForce.Get("cache_size")
	require.EqualValues(t, 2048, now)
	do("unpin", body("name", `"cache_size"`))
	require.NotContains(t, s.pilot.Status().Pins, "cache_size")
	do("unpin", body("name", `"enable_cache_optimization"`))
	do("revert-all", fine)
	st = s.pilot.Status()
	require.True(t, st.Safe.Equal(st.Initial))
	do("resume", fine)
	require.Eventually(t, func() bool { return s.pilot.Status().Phase != controller.Paused }, 5*time.Second, 10*time.Millisecond)
	require.Contains(t, s.log.String(), `"change":"pause","who":"me","why":"a test"`)
	require.NotContains(t, s.log.String(), token)
	require.NoError(t, s.pilot.Close())
	status, text := s.ask("POST", "/api/pause", fine, as())
	require.Equal(t, 409, status, text)
	require.Contains(t, text, "the autopilot has ended")
}

// What is wrong is said in one line with field, value and rule: 400 for what can be
// told from the body alone, 409 for what the controller refuses.
func TestChange_saysWhatIsWrong(t *testing.T) {
	s := serve(t, "")
	s.page.Unlimited()
	require.Eventually(t, func() bool { return s.pilot.Status().Phase != controller.Starting }, 10*time.Second, 10*time.Millisecond)
	for _, c := range []struct {
		command, body string
		status        int
		want          string
	}{
		{"pin", fine, 400, "name: missing: must be there"},
		{"pin", body("name", "7"), 400, "name 7: must be a string"},
		{"pin", body("name", `"x"`, "value", "1"), 400, `field "value": must be one of who, why, name`},
		{"pin", body("name", `"enable_cash_optimization"`), 409, `pin "enable_cash_optimization": must name a knob or an optimization that is offered; did you mean enable_cache_optimization?`},
		{"pin-at", body("name", `"cache_size"`), 400, "value: missing: must be there"},
		{"pin-at", body("name", `"cache_size"`, "value", `"many"`), 400, `value "many": must be a number`},
		{"pin-at", body("name", `"cache_size"`, "value", "1e999"), 400, "value 1e999: must be a number"},
		{"pin-at", body("name", `"cache_size"`, "value", "-4"), 409, "pin-at cache_size -4: must be within "},
		{"unpin", body("name", `"x"`), 409, `unpin "x": must be pinned: nothing is`},
		{"revert", body("trial", "1.5"), 400, "trial 1.5: must be a whole number"},
		{"revert", body("trial", "1"), 409, "revert trial 1: must be a kept change that is in force: there is none"},
		{"approve", body("proposal", `"abc"`), 409, `approve "abc": must be in advise mode: otherwise nothing waits for approval`},
		{"decline", body("proposal", `"abc"`), 409, `decline "abc": must be the id of a proposal: there is none now`},
		{"reopen", body("proposal", "null"), 400, "proposal: missing: must be there"},
		{"resume", body("who", `"`+strings.Repeat("x", 65)+`"`), 400, "who of 65 bytes: must be at most 64"},
		{"resume", body("who", `" "`), 400, `who \" \": must say who asks`},
	} {
		status, text := s.ask("POST", "/api/"+c.command, c.body, as())
		require.Equal(t, c.status, status, "%s %s: %s", c.command, c.body, text)
		var said struct{ Error string }
		require.NoError(t, json.Unmarshal([]byte(text), &said))
		require.Contains(t, said.Error, strings.ReplaceAll(c.want, `\`, ""), c.command)
		require.NotContains(t, said.Error, "\n")
	}
	require.Empty(t, s.pilot.Status().Pins)
}

// A disabled autopilot says by what it is, and refuses what would move something.
func TestChange_disabled(t *testing.T) {
	p, err := autotune.Start(context.Background(), autotune.Config{Seed: 1, Disabled: true})
	require.NoError(t, err)
	defer func() {
		require.NoError(t, p.Close())
		require.NoError(t, p.Executor().Close())
	}()
	d, err := dashboard.New(p, dashboard.Options{Token: token})
	require.NoError(t, err)
	ask := func(method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
		r.RemoteAddr = "127.0.0.1:1"
		for k, v := range as() {
			r.Header.Set(k, v)
		}
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		return w
	}
	require.Contains(t, ask("GET", "/api/status", "").Body.String(), `"disabled":true`)
	w := ask("POST", "/api/revert-all", fine)
	require.Equal(t, 409, w.Code)
	require.JSONEq(t, `{"error":"disabled: Config.Disabled is set"}`, w.Body.String())
	require.Equal(t, 200, ask("GET", "/api/knobs", "").Code)
}

// held is all that a change could change.
func (s *service) held() string {
	st := s.pilot.Status()
	text, err := json.Marshal([]any{st.Initial, st.Safe, st.InForce, st.Pins, st.PausedBy, st.Advice, st.Phase == controller.Paused})
	require.NoError(s.t, err)
	return string(text)
}

// good has a body for each command that would be granted or refused on its merits.
var good = map[string]string{
	"pause": fine, "resume": fine, "revert-all": fine,
	"pin": body("name", `"enable_cache_optimization"`), "unpin": body("name", `"enable_cache_optimization"`),
	"pin-at": body("name", `"cache_size"`, "value", "2048"), "revert": body("trial", "1"),
	"approve": body("proposal", `"abc"`), "decline": body("proposal", `"abc"`), "reopen": body("proposal", `"abc"`),
}

// The attacks, on each command: all are refused, nothing changes, and the service
// serves on.
func TestChange_attacksAreRefused(t *testing.T) {
	s := serve(t, "")
	s.page.Unlimited()
	require.Eventually(t, func() bool { return s.pilot.Status().Phase == controller.Measuring }, 10*time.Second, 10*time.Millisecond)
	before := s.held()
	attack := func(name, method, path, body string, header map[string]string, want int) {
		t.Helper()
		status, text := s.ask(method, path, body, header)
		require.Equal(t, want, status, "%s %s: %s", name, path, text)
		require.NotContains(t, text, "root:", name)
		require.Equal(t, before, s.held(), "%s %s", name, path)
	}
	bare := map[string]string{"Content-Type": "application/json"}
	commands := 0
	for _, pattern := range s.page.Patterns() {
		command, ok := strings.CutPrefix(pattern, "POST /api/")
		if !ok {
			continue
		}
		commands++
		path, fine := "/api/"+command, good[command]
		require.NotEmpty(t, fine, command)
		with := func(field, value string) string {
			return strings.Replace(fine, `"`+field+`":`, `"`+field+`":`+value+`,"x":`, 1)
		}
		attack("no token", "POST", path, fine, bare, 401)
		attack("wrong token", "POST", path, fine, as("Authorization", "Bearer a token of the tesT"), 401)
		attack("token's beginning", "POST", path, fine, as("Authorization", "Bearer a token"), 401)
		attack("no scheme", "POST", path, fine, as("Authorization", token), 401)
		attack("empty token", "POST", path, fine, as("Authorization", "Bearer "), 401)
		attack("token in the URL", "POST", path+"?token="+strings.ReplaceAll(token, " ", "+"), fine, bare, 401)
		attack("token in the body", "POST", path, with("who", `"`+token+`"`), bare, 401)
		attack("token in a cookie", "POST", path, fine, map[string]string{"Content-Type": "application/json", "Cookie": "token=" + strings.ReplaceAll(token, " ", "+")}, 401)
		attack("another origin", "POST", path, fine, as("Origin", "http://evil.example"), 403)
		attack("no origin in particular", "POST", path, fine, as("Origin", "null"), 403)
		attack("another site", "POST", path, fine, as("Sec-Fetch-Site", "cross-site"), 403)
		attack("a form", "POST", path, fine, as("Content-Type", "application/x-www-form-urlencoded"), 415)
		attack("plain text", "POST", path, fine, as("Content-Type", "text/plain"), 415)
		attack("by GET", "GET", path, "", as(), 405)
		attack("by PUT", "PUT", path, fine, as(), 405)
		attack("oversized", "POST", path, `{"who":"`+strings.Repeat("x", 10_000)+`"}`, as(), 413)
		attack("oversized after", "POST", path, fine+strings.Repeat(" ", 10_000)+"{}", as(), 413)
		attack("nobody", "POST", path, `{"why":"x"}`, as(), 400)
		attack("no reason", "POST", path, body("why", `"  "`), as(), 400)
		attack("a lie in the log", "POST", path, strings.Replace(fine, `"me"`, `"x\n{\"change\":\"resume\"}"`, 1), as(), 400)
		attack("a line that turns back", "POST", path, strings.Replace(fine, `"me"`, `"\u202eadmin"`, 1), as(), 400)
		attack("long", "POST", path, strings.Replace(fine, `"a test"`, `"`+strings.Repeat("y", 300)+`"`, 1), as(), 400)
		attack("unknown field", "POST", path, with("who", `"x"`), as(), 400)
		attack("two bodies", "POST", path, fine+fine, as(), 400)
		attack("no JSON", "POST", path, "who=x", as(), 400)
		attack("no object", "POST", path, `["me","x"]`, as(), 400)
		attack("deep", "POST", path, strings.Repeat(`{"who":`, 500), as(), 400)
		attack("path beyond", "POST", path+"/../../etc/passwd", fine, bare, 404)
		attack("path beyond, encoded", "POST", path+"%2f..%2f..%2fetc%2fpasswd", fine, as(), 404)
		attack("path with an end", "POST", path+"/", fine, as(), 404)
		attack("path in capitals", "POST", strings.ToUpper(path), fine, as(), 404)
	}
	require.Equal(t, len(good), commands)
	for name, c := range map[string]struct {
		method, path, body string
		header             map[string]string
		status             int
	}{
		"by DELETE":               {"DELETE", "/api/status", "", as(), 405},
		"unknown command":         {"POST", "/api/selfdestruct", fine, as(), 404},
		"path up":                 {"GET", "/../../etc/passwd", "", nil, 404},
		"path up, encoded":        {"GET", "/%2e%2e/%2e%2e/etc/passwd", "", nil, 404},
		"page's folder":           {"GET", "/page/app.js", "", nil, 404},
		"a trial with a path":     {"GET", "/api/trials/..%2f..%2fetc%2fpasswd", "", nil, 400},
		"no number of a trial":    {"GET", "/api/trials/-1", "", nil, 400},
		"rebound name":            {"GET", "/api/status", "", map[string]string{"Host": "evil.example"}, 401},
		"rebound name, knobs":     {"GET", "/api/knobs", "", map[string]string{"Host": "evil.example"}, 401},
		"a proxy's stranger":      {"GET", "/api/status", "", map[string]string{"X-Forwarded-For": "203.0.113.9"}, 401},
		"a stranger with a token": {"GET", "/api/status", "", as("Host", "shop.example"), 200},
	} {
		attack(name, c.method, c.path, c.body, c.header, c.status)
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
	for range 1000 - len(open) { // a thousand in all, and the page is still read
		res := stream()
		require.Equal(t, 503, res.StatusCode)
		_, _ = io.Copy(io.Discard, res.Body)
		require.NoError(t, res.Body.Close())
	}
	res, err := http.Get(s.url + "/api/status")
	require.NoError(t, err)
	require.Equal(t, 200, res.StatusCode)
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

// The document has each route of the API and no other, says of each change what it
// takes, and its references lead somewhere.
func TestOpenAPI_isTrue(t *testing.T) {
	s := serve(t, "")
	s.page.Unlimited()
	_, text := s.ask("GET", "/api/openapi.json", "", nil)
	var doc struct {
		Paths map[string]map[string]struct {
			Responses   map[string]any
			RequestBody struct {
				Content map[string]struct {
					Schema struct {
						Required   []string
						Properties map[string]any
					}
				}
			}
		}
		Components struct{ Schemas, Responses map[string]any }
	}
	require.NoError(t, json.Unmarshal([]byte(text), &doc))
	var told, served []string
	for path, methods := range doc.Paths {
		for method, operation := range methods {
			told = append(told, strings.ToUpper(method)+" "+path)
			require.Contains(t, operation.Responses, "200", path)
			if method != "post" {
				continue
			}
			// Each change takes just the fields that it is said to.
			schema := operation.RequestBody.Content["application/json"].Schema
			var fields map[string]any
			require.NoError(t, json.Unmarshal([]byte(good[strings.TrimPrefix(path, "/api/")]), &fields))
			require.ElementsMatch(t, slices.Collect(maps.Keys(fields)), schema.Required, path)
			require.ElementsMatch(t, slices.Collect(maps.Keys(fields)), slices.Collect(maps.Keys(schema.Properties)), path)
			for name := range fields {
				status, said := s.ask("POST", path, strings.Replace(good[strings.TrimPrefix(path, "/api/")], `"`+name+`":`, `"`+name+`":null,"`+name+`2":`, 1), as())
				require.Equal(t, 400, status, "%s without %s: %s", path, name, said)
			}
		}
	}
	for _, pattern := range s.page.Patterns() {
		if strings.Contains(pattern, "/api/") {
			served = append(served, pattern)
		}
	}
	require.ElementsMatch(t, served, told)
	for _, m := range regexp.MustCompile(`"#/components/(schemas|responses)/([^"]*)"`).FindAllStringSubmatch(text, -1) {
		in := doc.Components.Schemas
		if m[1] == "responses" {
			in = doc.Components.Responses
		}
		require.Contains(t, in, m[2])
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
