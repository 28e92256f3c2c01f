package overhead

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// thinnest is the whole machinery, as short as it may be.
func thinnest(t *testing.T, arms []Arm) *Result {
	t.Helper()
	if testing.Short() {
		t.Skip("starts some dozens of processes")
	}
	if runtime.GOOS != "linux" || runtime.NumCPU() < 2 {
		t.Skip("needs Linux and two processors")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	out, told := t.TempDir(), 0
	r, err := Run(t.Context(), Options{
		Out: out, Arms: arms, Generations: leastGenerations, Rounds: 3, Part: leastPart, TrialBlock: leastTrialBlock, Pairs: leastPairs,
		Command: []string{self, serve}, Commit: "test", Tell: func(string) { told++ },
	})
	require.NoError(t, err)
	assert.GreaterOrEqual(t, told, leastGenerations+len(ways()))
	require.Len(t, r.Generations, leastGenerations)
	for _, g := range r.Generations {
		require.Len(t, g, len(arms))
		for arm, f := range g {
			assert.True(t, f.Throughput > 0 && f.CPU > 0 && f.P50 > 0 && f.P99 >= f.P50 && f.Rate > 0, "%v: %+v", arm, f)
		}
	}
	for _, name := range []string{"overhead.md", "overhead.csv"} {
		assert.FileExists(t, filepath.Join(out, name))
	}
	return r
}

// What costs nothing to measure exactly is looked at, and no time. A trial that has
// not begun, or did not last, fails the run.
func TestRun_measuresEveryArm(t *testing.T) {
	r := thinnest(t, Arms())
	for _, g := range r.Generations {
		assert.Positive(t, g[Page].Events)
	}
	for _, x := range r.Ratios() {
		if x.Measure == "allocs_per_request" && x.To == Alone {
			assert.Greater(t, x.Low, 1.0, "%v records requests, which is not free of allocations", x.Of)
		}
	}
	middleware, observe := r.Requests[0], r.Requests[2]
	assert.InDelta(t, 1, middleware.Allocs, 0.1)
	assert.InDelta(t, 0, observe.Allocs, 0.1)
}

// The instrument sees what a burden allocates, and nothing between twins.
func TestRun_checksItself(t *testing.T) {
	r := thinnest(t, CheckArms())
	for _, x := range r.Ratios() {
		switch {
		case x.Measure != "allocs_per_request":
		case x.Of == Burdened:
			assert.Greater(t, x.Low, 1+target)
		default:
			assert.InDelta(t, 1, x.Ratio, target/2)
		}
	}
}

func TestRun_refusesWhatItCannotDo(t *testing.T) {
	_, err := Run(t.Context(), Options{Generations: 5, Part: time.Millisecond, TrialBlock: time.Millisecond, Pairs: 7, Procs: -1})
	assert.EqualError(t, err, "out is empty: must name a folder for the report\n"+
		"generations 5: must be at least 6: with fewer no interval is bounded\n"+
		"part 1ms: must be at least 20ms\ntrial-block 1ms: must be at least 100ms\n"+
		"pairs 7: must be at least 8\nprocs -1: must be at least 1")
	_, err = Run(t.Context(), Options{Out: t.TempDir(), Procs: 4096})
	assert.ErrorIs(t, err, ErrFailed)
}

// jobsDone runs jobs against a handler.
func jobsDone(t *testing.T, h http.HandlerFunc, jobs ...job) (out []sent, err error) {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	var in, answers bytes.Buffer
	require.NoError(t, json.NewEncoder(&in).Encode(spec{}))
	for _, j := range jobs {
		if j.URL == "" {
			j.URL = server.URL
		}
		require.NoError(t, json.NewEncoder(&in).Encode(j))
	}
	err = Serve(context.Background(), &in, &answers)
	for d := json.NewDecoder(&answers); d.More(); {
		var s sent
		require.NoError(t, d.Decode(&s))
		out = append(out, s)
	}
	return out, err
}

// A service that stands still once delays all that was due meanwhile. An open
// loop has them all in its latencies; a closed one only its clients, once each.
func TestLoad_aStallIsSeenByWhatWasDue(t *testing.T) {
	stalling := func() http.HandlerFunc {
		var mu sync.Mutex
		n := 0
		return func(http.ResponseWriter, *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if n++; n == 50 {
				time.Sleep(300 * time.Millisecond)
			}
		}
	}
	open, err := jobsDone(t, stalling(), job{Seconds: 0.8, Rate: 400, Seed: 1})
	require.NoError(t, err)
	assert.Zero(t, open[0].Failed)
	assert.InDelta(t, 320, open[0].Completed, 90, "a Poisson number")
	late := 0
	for _, s := range open[0].Took {
		if s > 0.1 {
			late++
		}
	}
	assert.Greater(t, late, 40, "120 of 320 were due in the stall, 80 of them in its first 200 ms")
}

func TestLoad_schedulesRepeat(t *testing.T) {
	n := func(seed uint64) int {
		got, err := jobsDone(t, func(http.ResponseWriter, *http.Request) {}, job{Seconds: 0.2, Rate: 500, Seed: seed})
		require.NoError(t, err)
		return got[0].Completed
	}
	assert.Equal(t, n(3), n(3))
}

func TestLoad_whatFailsIsCounted(t *testing.T) {
	got, err := jobsDone(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusTeapot) }, job{Seconds: 0.05})
	require.NoError(t, err)
	assert.Positive(t, got[0].Failed)
	assert.Zero(t, got[0].Completed)
	assert.Contains(t, got[0].Failure, "teapot")
	for _, bad := range []job{{Seconds: -1}, {Seconds: 1, Rate: -1}, {Seconds: 1, URL: "ftp://x"}} {
		_, err := jobsDone(t, nil, bad)
		assert.ErrorContains(t, err, "must have a URL, seconds within")
	}
}

// planted has generations with known ratios, and noise: what all arms of a
// generation share, and each process' own luck, of a size relative to its cost.
func planted(generations int, luck float64, cost map[Arm]float64) *Result {
	r := &Result{LoadBefore: -1, LoadAfter: -1, Arms: Arms(), Part: time.Second, Procs: 1, Began: time.Unix(1_790_000_000, 0)}
	rng := rand.New(rand.NewPCG(7, 7))
	for range generations {
		drift := math.Exp(0.3 * rng.NormFloat64())
		g := Generation{}
		for _, a := range Arms() {
			f := drift * (1 + cost[a]) * math.Exp(luck*rng.NormFloat64())
			g[a] = Figures{Throughput: 2000 / f, CPU: 150e-6 * f, Allocs: 40 * f, P50: 1e-3 * f, P99: 4e-3 * f}
		}
		r.Generations = append(r.Generations, g)
	}
	return r
}

// Drift that the arms share cancels, and what is planted comes out.
func TestRatios_findWhatIsPlanted(t *testing.T) {
	cost := map[Arm]float64{Idle: 0.004, Trial: 0.03, Page: 0.03}
	r := planted(12, 0, cost)
	for _, x := range r.Ratios() {
		ratio := (1 + cost[x.Of]) / (1 + cost[x.To])
		if x.Measure == "throughput" {
			ratio = 1 / ratio
		}
		assert.InDelta(t, ratio, x.Ratio, 1e-9, "%v to %v: %s", x.Of, x.To, x.Measure)
		assert.InDelta(t, ratio, x.Low, 1e-9)
		assert.InDelta(t, ratio, x.High, 1e-9)
		assert.Equal(t, 12, x.Generations)
	}
	text := string(r.Markdown())
	assert.Contains(t, text, "| throughput | 0.9960 (0.9960 to 0.9960) | 0.9709 (0.9709 to 0.9709) | 0.9709 (0.9709 to 0.9709) | 1.0000 (1.0000 to 1.0000) |")
	assert.Contains(t, text, "throughput, idle to alone: costs 0.40 %, below 1 % with all of the interval: met")
	assert.Contains(t, text, "p99 latency, in trial to alone: costs 3.00 %, above 1 % with all of the interval: not met")
	rows, err := csv.NewReader(bytes.NewReader(r.CSV())).ReadAll()
	require.NoError(t, err)
	assert.Len(t, rows, 1+len(r.Ratios()))
}

// With a percent of luck for each process, 16 generations tell 5 % from 1 %, and
// do not tell equal arms apart.
func TestRatios_seeThroughLuck(t *testing.T) {
	r := planted(16, 0.01, map[Arm]float64{Idle: 0.05})
	for _, m := range measures() {
		burden, twin := r.ratio(comparison{Idle, Alone}, m), r.ratio(comparison{Page, Trial}, m)
		assert.Contains(t, targetOf(burden, m.name == "throughput"), "not met")
		assert.True(t, twin.Low < 1 && 1 < twin.High, "%+v", twin)
		assert.Less(t, twin.High-twin.Low, 0.02)
	}
}

// Whatever the interval has of the target within it is not decided.
func TestTarget(t *testing.T) {
	for want, x := range map[string]Ratio{
		"met":         {Ratio: 0.998, Low: 0.991, High: 1.004},
		"not met":     {Ratio: 0.97, Low: 0.96, High: 0.98},
		"not decided": {Ratio: 0.997, Low: 0.98, High: 1.01},
	} {
		assert.True(t, strings.HasSuffix(targetOf(x, true), ": "+want), targetOf(x, true))
	}
}

func TestArm_hasAName(t *testing.T) {
	for a := Alone; a <= Burdened; a++ {
		assert.NotContains(t, a.String(), "arm ")
	}
	assert.Equal(t, "arm 0, arm 7", fmt.Sprintf("%v, %v", Arm(0), Burdened+1))
}
