package demo

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/controller"
	"autotune/executor"
	"autotune/sensors"
)

// start starts a small service, with a client whose connections end with the test.
func start(t *testing.T, config Config) (*Service, func(method, path string) (int, string)) {
	t.Helper()
	if config.Dir == "" {
		config.Dir = t.TempDir()
	}
	config.Items, config.Seed = 1000, 1
	s, err := Start(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	return s, func(method, path string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, http.NoBody)
		require.NoError(t, err)
		resp, err := client.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(body)
	}
}

func TestRoutes_answer(t *testing.T) {
	_, do := start(t, Config{})
	for _, test := range []struct {
		method, path string
		status       int
		contains     string
	}{
		{"GET", "/items/7", 200, `"id":7,`},
		{"GET", "/items/999", 200, `"description":"`},
		{"GET", "/items/1000", 404, "not found"},
		{"GET", "/items/x", 400, `id "x": must be a whole number`},
		{"GET", "/search?category=3&q=amber", 200, `"score":`},
		{"GET", "/search?category=3&q=nonesuch", 200, `[]`},
		{"GET", "/search?category=99&q=amber", 200, `[]`},
		{"GET", "/search?q=amber", 400, `category "": must be a whole number`},
		{"GET", "/packing/12", 200, `"order":12,`},
		{"GET", "/packing/1e3", 400, `order "1e3": must be a whole number`},
		{"POST", "/items/7/stock?by=1", 200, `"stock":`},
		{"POST", "/items/7/stock", 400, `by "": must be a whole number`},
		{"POST", "/items/1000/stock?by=1", 404, "not found"},
		{"GET", "/offers/7", 200, `"cents":`},
		{"GET", "/offers/1000", 404, "not found"},
		{"GET", "/reports/7", 200, `"rows":1200,`},
		{"GET", "/reports/1000", 404, "not found"},
		{"GET", "/reports/x", 400, `id "x": must be a whole number`},
		{"GET", "/baskets/7", 200, `"total":`},
		{"GET", "/baskets/64", 404, "not found"},
		{"GET", "/baskets/-1", 404, "not found"},
		{"GET", "/nothing", 404, ""},
		{"DELETE", "/items/7", 405, ""},
	} {
		status, body := do(test.method, test.path)
		assert.Equal(t, test.status, status, "%s %s: %s", test.method, test.path, body)
		assert.Contains(t, body, test.contains, "%s %s", test.method, test.path)
	}
}

func TestRoutes_writeInvalidates(t *testing.T) {
	ex, err := executor.New(executor.Config{EnableCacheOptimization: true})
	require.NoError(t, err)
	defer ex.Close()
	_, do := start(t, Config{Executor: ex})
	stock := func() int {
		var it Item
		status, body := do("GET", "/items/7")
		require.Equal(t, 200, status)
		require.NoError(t, json.Unmarshal([]byte(body), &it))
		return it.Stock
	}
	before := stock()
	assert.Equal(t, before, stock())
	assert.NotZero(t, ex.Stats().CacheHits, "the second read comes from the cache")
	do("POST", "/items/7/stock?by=5")
	assert.Equal(t, before+5, stock(), "a read after a write sees it")
	do("POST", "/items/7/stock?by=-100000")
	assert.Zero(t, stock(), "stock is never negative")
}

// The same requests have the same answers whether or not anything is optimized.
// Offers are left out: the upstream's moods are random.
func TestRoutes_sameAnswersOptimized(t *testing.T) {
	ex, err := executor.New(executor.Config{
		EnableCacheOptimization: true, EnableStepOptimization: true, EnableConcurrencyOptimization: true,
		EnableObjectPool: true, EnableContextOptimization: true, EnableOptimizedErrorHandling: true, EnableCircuitBreaker: true,
		EnableMemoryOptimization: true, EnableOptimizedTelemetry: true, EnablePerformanceMonitoring: true, EnableAlgorithmOptimization: true,
	})
	require.NoError(t, err)
	defer ex.Close()
	controls := NewControls()
	require.NoError(t, controls.Knobs()[1].Set(1))
	_, viaOptimized := start(t, Config{Executor: ex, Controls: controls})
	_, viaPlain := start(t, Config{})
	schedule := Workload{mix: []share{{ReadItem, 600}, {Search, 100}, {Pack, 50}, {WriteStock, 50}, {Report, 100}, {Basket, 100}}}.
		schedule(3, DefaultRate, nil, 1000)
	for range 150 {
		a := schedule.Next()
		if a.Kind == Offer || a.Kind == Pack && a.Key > 20 {
			continue
		}
		method, path := requestOf(a.Kind, a.Key)
		status, want := viaPlain(method, path)
		require.Equal(t, 200, status)
		_, got := viaOptimized(method, path)
		require.Equal(t, want, got, "%s %s", method, path)
	}
	assert.NotZero(t, ex.Stats().CacheHits)
	assert.NotZero(t, ex.Stats().PoolMade)
}

func TestStart_measures(t *testing.T) {
	rec := sensors.NewRecorder()
	_, do := start(t, Config{Recorder: rec})
	for range 5 {
		do("GET", "/items/1")
	}
	do("GET", "/items/x")
	var sample controller.Sample
	rec.Take(time.Now(), &sample)
	assert.EqualValues(t, 6, sample.Totals[controller.Requests])
}

func TestStart_leavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "own.txt")
	require.NoError(t, os.WriteFile(own, nil, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, databaseFile), []byte("left by a killed process"), 0o600))
	s, do := start(t, Config{Dir: dir})
	do("POST", "/items/1/stock?by=1")
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "closing again is no error")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
	assert.Equal(t, "own.txt", left[0].Name())

	t.Setenv("TMPDIR", dir)
	s, err = Start(t.Context(), Config{Items: 1000})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	left, err = os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 1)
}

func TestStart_badInput(t *testing.T) {
	s, _ := start(t, Config{})
	taken := s.URL()[len("http://"):]
	dir := t.TempDir()
	for _, test := range []struct {
		config Config
		want   string
	}{
		{Config{Addr: "0.0.0.0:0"}, `addr "0.0.0.0:0": host must be loopback`},
		{Config{Addr: ":8080"}, `addr ":8080": host must be loopback`},
		{Config{Addr: "example.org:80"}, `addr "example.org:80": host must be loopback`},
		{Config{Addr: "localhost"}, `addr "localhost": must be host:port`},
		{Config{Addr: "127.0.0.1:99999"}, `addr "127.0.0.1:99999": must be an address to listen on`},
		{Config{Addr: taken}, `addr "` + taken + `": port in use`},
		{Config{Items: 3}, "items 3: must be within 1000..1000000"},
		{Config{Dir: filepath.Join(dir, "missing")}, "database in"},
	} {
		s, err := Start(t.Context(), test.config)
		require.Nil(t, s)
		require.ErrorContains(t, err, test.want)
		assert.NotContains(t, err.Error(), "\n")
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestPackOrder_isAPacking(t *testing.T) {
	for order := range 5 {
		plan := packOrder(order)
		assert.Equal(t, plan, packOrder(order), "pure")
		assert.True(t, slices.IsSortedFunc(plan.Boxes, func(a, b int) int { return b - a }), "each box is as full as can be: %v", plan.Boxes)
		for _, used := range plan.Boxes {
			assert.LessOrEqual(t, used, boxVolume)
			assert.Positive(t, used)
		}
		same := plan.clone()
		same.Boxes[0]++
		assert.NotEqual(t, plan.Boxes[0], same.Boxes[0], "a clone shares nothing")
	}
}

// fillBox against trying every subset.
func TestFillBox_isOptimal(t *testing.T) {
	for _, parts := range [][]int{{boxVolume}, {6001, 4000, 3999, 2500, 10}, {3333, 3334, 3335, 1}, {7000, 2999, 2998, 1500, 1499, 3}} {
		best := 0
		for set := range 1 << len(parts) {
			sum := 0
			for i, p := range parts {
				if set&(1<<i) != 0 {
					sum += p
				}
			}
			if sum <= boxVolume {
				best = max(best, sum)
			}
		}
		used, left := fillBox(parts)
		assert.Equal(t, best, used)
		total := used
		for _, p := range left {
			total += p
		}
		for _, p := range parts {
			total -= p
		}
		assert.Zero(t, total, "parts are packed or left")
	}
}

func TestOffer_fallsBackToTheListPrice(t *testing.T) {
	s, do := start(t, Config{})
	listed := 0
	const n = 60
	for range n {
		status, body := do("GET", "/offers/5")
		require.Equal(t, 200, status)
		var p Price
		require.NoError(t, json.NewDecoder(bytes.NewBufferString(body)).Decode(&p))
		list, err := s.store.listPrice(t.Context(), 5)
		require.NoError(t, err)
		if p.Listed {
			assert.Equal(t, list, p.Cents)
			listed++
		} else {
			assert.InDelta(t, 0.85*float64(list), p.Cents, 0.16*float64(list))
		}
	}
	assert.Less(t, listed, n/4, "attempts make failures rare")
}
