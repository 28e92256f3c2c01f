package demo

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fake is a service that notes what it was asked.
type fake struct {
	*httptest.Server
	mu       sync.Mutex
	requests []seen
}

type seen struct {
	path     string
	intended time.Time
	late     time.Duration
}

func newFake(t *testing.T, answer http.HandlerFunc) *fake {
	t.Helper()
	f := &fake{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at, err := strconv.ParseInt(r.Header.Get(IntendedTimeHeader), 10, 64)
		assert.NoError(t, err)
		intended := time.Unix(0, at)
		f.mu.Lock()
		f.requests = append(f.requests, seen{r.Method + " " + r.URL.String(), intended, time.Since(intended)})
		f.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func answerAtOnce(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }

// The service is asked for exactly what the schedule says, and told when each
// request was meant to be sent.
func TestRunLoad_followsTheSchedule(t *testing.T) {
	f := newFake(t, answerAtOnce)
	ctx, cancel := context.WithTimeout(t.Context(), 1200*time.Millisecond)
	defer cancel()
	report, err := RunLoad(ctx, LoadConfig{URL: f.URL, Seed: 9})
	require.NoError(t, err)
	assert.Zero(t, report.Failed+report.Dropped+report.Unfinished, report.FirstFailure)
	assert.Equal(t, report.Sent, report.Completed)
	require.Len(t, f.requests, int(report.Sent))
	assert.InDelta(t, 480, float64(report.Sent), 200)
	assert.Positive(t, report.P50)
	assert.GreaterOrEqual(t, report.P99, report.P50)
	assert.Positive(t, report.CPUSeconds)
	assert.NotEmpty(t, report.Kinds)
	assert.Empty(t, report.Note())

	slices.SortFunc(f.requests, func(a, b seen) int { return a.intended.Compare(b.intended) })
	schedule := NewSchedule(9, DefaultRate, nil, DefaultItems)
	var first time.Duration
	for i, got := range f.requests {
		want := schedule.Next()
		method, path := requestOf(want.Kind, want.Key)
		require.Equal(t, method+" "+path, got.path)
		if i == 0 {
			first = want.At
		}
		assert.InDelta(t, float64(want.At-first), float64(got.intended.Sub(f.requests[0].intended)), 1000, "nanoseconds")
	}
	late := make([]time.Duration, len(f.requests))
	for i, r := range f.requests {
		late[i] = r.late
	}
	slices.Sort(late)
	assert.Less(t, late[len(late)/2], 25*time.Millisecond, "requests leave when they should")
}

// A service that answers nothing does not slow the schedule down: requests are
// sent until too many are outstanding, and then counted as dropped.
func TestRunLoad_neverWaits(t *testing.T) {
	stuck := make(chan struct{})
	f := newFake(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stuck:
		case <-r.Context().Done():
		}
	})
	defer close(stuck)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		time.Sleep(1100 * time.Millisecond)
		cancel()
	}()
	start := time.Now()
	report, err := RunLoad(ctx, LoadConfig{URL: f.URL, Trace: []float64{4000}, Seed: 1})
	require.NoError(t, err)
	assert.Less(t, time.Since(start), 5*time.Second, "ends soon after it is told to")
	assert.LessOrEqual(t, report.Sent, uint64(MaxOutstanding))
	assert.Greater(t, report.Sent, uint64(MaxOutstanding/10), "sent although none was answered")
	assert.Equal(t, report.Sent, report.Unfinished+report.Failed)
	if report.Sent == MaxOutstanding { // a busy machine may not get so far
		assert.Positive(t, report.Dropped)
		assert.Contains(t, report.Note(), "dropped")
	}
	assert.Zero(t, report.Completed)
}

func TestRunLoad_stopsWithItsParent(t *testing.T) {
	f := newFake(t, answerAtOnce)
	parent, child := io.Pipe()
	done := make(chan LoadReport)
	go func() {
		report, err := RunLoad(t.Context(), LoadConfig{URL: f.URL, Parent: parent})
		assert.NoError(t, err)
		done <- report
	}()
	time.Sleep(100 * time.Millisecond)
	require.NoError(t, child.Close())
	select {
	case report := <-done:
		assert.Positive(t, report.Sent)
	case <-time.After(5 * time.Second):
		t.Fatal("still running after its parent is gone")
	}
}

// Latency is counted from the intended time, and what is not 2xx is a failure.
func TestRunLoad_latencyAndFailures(t *testing.T) {
	const delay = 30 * time.Millisecond
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/search" {
			http.Error(w, "no", http.StatusInternalServerError)
			return
		}
		time.Sleep(delay)
		answerAtOnce(w, r)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	report, err := RunLoad(ctx, LoadConfig{URL: f.URL, Seed: 2})
	require.NoError(t, err)
	assert.Positive(t, report.Failed)
	assert.Contains(t, report.FirstFailure, "GET /search")
	assert.GreaterOrEqual(t, report.P50, delay.Seconds())
	assert.Equal(t, report.Sent, report.Completed+report.Failed+report.Unfinished)
}

// A connection that the service closed is replaced without a failure.
func TestRunLoad_reconnects(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		answerAtOnce(w, r)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	report, err := RunLoad(ctx, LoadConfig{URL: f.URL, Seed: 2})
	require.NoError(t, err)
	assert.Zero(t, report.Failed, report.FirstFailure)
	assert.Positive(t, report.Completed)
}

func TestRunLoad_badInput(t *testing.T) {
	const ok = "http://127.0.0.1:1"
	for _, test := range []struct {
		config LoadConfig
		want   string
	}{
		{LoadConfig{URL: "127.0.0.1:1"}, `load: url "127.0.0.1:1": must be http://host:port`},
		{LoadConfig{URL: ok + "/path"}, "must be http://host:port"},
		{LoadConfig{URL: ok, Rate: -1}, "load: rate -1: must be above 0"},
		{LoadConfig{URL: ok, Rate: 1e6}, "load: rate 1e+06: must be above 0 and at most 100000 requests/s"},
		{LoadConfig{URL: ok, Items: 1}, "load: items 1: must be within 1000..1000000"},
		{LoadConfig{URL: ok, Trace: []float64{1, -2}}, "load: trace: second 1: rate -2: must be 0 or more"},
		{LoadConfig{URL: ok, Trace: []float64{0, 0}}, "load: trace: must have requests"},
	} {
		_, err := RunLoad(t.Context(), test.config)
		assert.ErrorContains(t, err, test.want)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	report, err := RunLoad(ctx, LoadConfig{URL: ok})
	require.NoError(t, err, "that nobody answers is in the report")
	assert.Equal(t, report.Sent, report.Failed+report.Unfinished)
}
