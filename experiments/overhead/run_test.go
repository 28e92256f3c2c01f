package overhead

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
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

// The whole of it, as short as it may be: what costs nothing to measure exactly is
// looked at, and no time.
func TestRun_measuresEveryArm(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process and takes some 20 s")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	out, told, procs := t.TempDir(), 0, runtime.GOMAXPROCS(0)
	r, err := Run(t.Context(), Options{
		Out: out, Rounds: leastRounds, Part: leastPart, Pairs: leastPairs, LoadCommand: []string{self, serveLoad},
		Commit: "test", Tell: func(string) { told++ },
	})
	require.NoError(t, err)
	assert.Equal(t, procs, runtime.GOMAXPROCS(0), "the processors are given back")
	assert.Equal(t, leastRounds+len(ways()), told)
	require.Len(t, r.Rounds, leastRounds)
	for _, round := range r.Rounds {
		require.Len(t, round, len(Arms()))
		for arm, b := range round {
			assert.True(t, b.Throughput > 0 && b.CPU > 0 && b.P50 > 0 && b.P99 >= b.P50, "%v: %+v", arm, b)
			assert.Equal(t, arm == Page, b.Events > 0, "%v: %d events", arm, b.Events)
		}
	}
	for _, x := range r.Ratios() {
		if x.Measure == "allocs_per_request" && x.To == Alone {
			assert.Greater(t, x.Ratio, 1.0, "%v records requests, which is not free of allocations", x.Of)
		}
	}
	middleware, observe := r.Requests[0], r.Requests[2]
	assert.InDelta(t, 1, middleware.Allocs, 0.1)
	assert.InDelta(t, 0, observe.Allocs, 0.1)
	for _, name := range []string{"overhead.md", "overhead.csv"} {
		assert.FileExists(t, filepath.Join(out, name))
	}
}

func TestRun_refusesWhatItCannotDo(t *testing.T) {
	_, err := Run(t.Context(), Options{Rounds: 5, Part: time.Millisecond, Pairs: 7})
	assert.EqualError(t, err, "out is empty: must name a folder for the report\n"+
		"rounds 5: must be at least 6: with fewer no interval is bounded\n"+
		"part 1ms: must be at least 100ms\npairs 7: must be at least 8")
	_, err = Run(t.Context(), Options{Out: t.TempDir(), Pairs: 8, Part: leastPart, LoadCommand: []string{"/does/not/exist"}})
	assert.ErrorIs(t, err, ErrFailed)
}

// jobsDone runs jobs against a handler.
func jobsDone(t *testing.T, h http.HandlerFunc, jobs ...job) (out []sent, err error) {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	var in, answers bytes.Buffer
	for _, j := range jobs {
		if j.URL == "" {
			j.URL = server.URL
		}
		require.NoError(t, json.NewEncoder(&in).Encode(j))
	}
	err = ServeLoad(context.Background(), &in, &answers)
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
	assert.Greater(t, open[0].P99, 0.2)
	assert.Greater(t, open[0].Mean, 0.03, "120 of 320 were due in the stall, 150 ms before its end on average")
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

// planted has blocks with known ratios, and noise that all arms of a round share.
func planted(rounds int, cost map[Arm]float64) *Result {
	r := &Result{LoadBefore: -1, LoadAfter: -1, Part: time.Second, Procs: 1, Rate: 1000, Began: time.Unix(1_790_000_000, 0)}
	for i := range rounds {
		drift := 1 + 0.3*float64(i%5)
		round := Round{}
		for _, a := range Arms() {
			f := drift * (1 + cost[a])
			round[a] = Block{Throughput: 2000 / f, CPU: 150e-6 * f, Allocs: 40 * (1 + cost[a]), P50: 1e-3 * f, P99: 4e-3 * f}
		}
		r.Rounds = append(r.Rounds, round)
	}
	return r
}

// Drift that the arms share cancels, and what is planted comes out.
func TestRatios_findWhatIsPlanted(t *testing.T) {
	r := planted(12, map[Arm]float64{Idle: 0.004, Trial: 0.03, Page: 0.03})
	for _, x := range r.Ratios() {
		want := map[Arm]float64{Alone: 1, Idle: 1.004, Trial: 1.03, Page: 1.03}
		ratio := want[x.Of] / want[x.To]
		if x.Measure == "throughput" {
			ratio = 1 / ratio
		}
		assert.InDelta(t, ratio, x.Ratio, 1e-9, "%v to %v: %s", x.Of, x.To, x.Measure)
		assert.InDelta(t, ratio, x.Low, 1e-9)
		assert.InDelta(t, ratio, x.High, 1e-9)
		assert.Equal(t, 12, x.Rounds)
	}
	text := string(r.Markdown())
	assert.Contains(t, text, "| throughput | 0.9960 (0.9960 to 0.9960) | 0.9709 (0.9709 to 0.9709) | 1.0000 (1.0000 to 1.0000) |")
	assert.Contains(t, text, "throughput, idle to alone: costs 0.40 %, below 1 % with all of the interval: met")
	assert.Contains(t, text, "p99 latency, in trial to alone: costs 3.00 %, above 1 % with all of the interval: not met")
	rows, err := csv.NewReader(bytes.NewReader(r.CSV())).ReadAll()
	require.NoError(t, err)
	assert.Len(t, rows, 1+len(r.Ratios()))
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
	for _, a := range Arms() {
		assert.NotContains(t, a.String(), "arm ")
	}
	assert.Equal(t, "arm 0, arm 5", fmt.Sprintf("%v, %v", Arm(0), Page+1))
}
