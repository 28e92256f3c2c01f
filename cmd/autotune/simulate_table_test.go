package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// servers writes a table of 2 releases, a choice of three, a switch and a number:
// each step away from beta, on and 4 costs a tenth, the other way round in the
// second release.
func servers(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	out.WriteString("release,alpha,beta,gamma,cache,threads,root,latency,rsd\n")
	for release, sign := range []float64{1, -1} {
		for choice := range 3 {
			for cache := range 2 {
				for i, threads := range []int{1, 2, 4, 8, 16} {
					cost := 0.2*float64(choice*choice-2*choice+1) + 0.1*float64(1-cache) + 0.1*float64((i-2)*(i-2))
					row := [3]int{}
					row[choice] = 1
					fmt.Fprintf(&out, "v%d,%d,%d,%d,%d,%d,1,%.4f,0.02\n", release+1, row[0], row[1], row[2], cache, threads, 2+sign*cost)
				}
			}
		}
	}
	path := filepath.Join(t.TempDir(), "servers.csv")
	require.NoError(t, os.WriteFile(path, []byte(out.String()), 0o600))
	return path
}

func TestSimulateTable_aLineForEachSeed(t *testing.T) {
	path := servers(t)
	run := func(args ...string) (stdout, stderr string) {
		p := begin(t, append([]string{
			"simulate", "--table", path, "--metric", "latency", "--relative-sd", "rsd", "--environment", "release",
			"--evaluations", "30", "--seeds", "3",
		}, args...)...)
		require.Equal(t, 0, p.end(t, 30*time.Second), p.err.String())
		return p.out.String(), p.err.String()
	}
	lines, notes := run("--json", "--at", "v1", "--seed", "5", "--judge", "exact")
	require.Equal(t, `note: the same in every row, so no knob: root
note: folded into the enum alpha|beta|gamma: alpha, beta, gamma
`, notes)
	require.Equal(t, 3, strings.Count(lines, "\n"))
	for i, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		var got map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &got))
		assert.Equal(t, map[string]any{"alpha": 0.0, "beta": 1.0, "gamma": 0.0, "cache": 1.0, "threads": 4.0, "root": 1.0}, got["final"])
		for name, want := range map[string]any{
			"type": "run", "seed": float64(5 + i), "final_value": 2.0, "best_value": 2.0, "gap": 0.0, "rank": 0.0, "kept_worse": 0.0, "idle": 0.0,
		} {
			assert.Equal(t, want, got[name], name)
		}
		for _, name := range []string{"evaluations", "measurements", "default_value", "median_value", "kept", "rolled_back"} {
			assert.Contains(t, got, name)
		}
		assert.NotContains(t, got, "environments")
	}
	again, _ := run("--json", "--at", "v1", "--seed", "5", "--judge", "exact")
	require.Equal(t, lines, again, "the same seeds")

	defaults := filepath.Join(t.TempDir(), "default.csv")
	require.NoError(t, os.WriteFile(defaults, []byte("alpha;beta;gamma;cache;threads_8;threads_16\n0;0;1;0;0;1\n"), 0o600))
	lines, _ = run("--json", "--at", "v1,v2", "--default", defaults, "--seeds", "1")
	var got struct {
		Default      float64 `json:"default_value"`
		Environments []struct {
			At      string
			Default float64 `json:"default_value"`
			Rank    int
		}
	}
	require.NoError(t, json.Unmarshal([]byte(lines), &got))
	require.Equal(t, 1.3, got.Default)
	require.Len(t, got.Environments, 2)
	require.Equal(t, "v1", got.Environments[0].At)
	require.Equal(t, 2.7, got.Environments[0].Default)
	require.Less(t, got.Environments[0].Rank, 5)

	text, _ := run("--at", "v1")
	require.Contains(t, text, "3 runs of greedy, judge sequential, to minimize latency: 30 configurations, 3 knobs, noise: standard deviation.\nGap median ")
	require.Contains(t, text, "(n=3). Rank: median ")
	text, _ = run("--maximize", "--policy", "random", "--judge", "exact")
	require.Contains(t, text, "3 runs of random, judge exact, to maximize latency: 30 configurations, 3 knobs, noise: not looked at; 2 environments, the figures are of the last, v2.")
	for _, policy := range []string{"guide", "static"} {
		text, _ = run("--policy", policy)
		require.Contains(t, text, "3 runs of "+policy)
	}
}

// What the README shows: a compressor in 1,440 configurations (perfevolution,
// GPL-2.0). Without noise one knob at a time finds the best one from anywhere;
// with it, what is left is hardly worth having, and no keep is truly worse.
func TestSimulateTable_published(t *testing.T) {
	data := os.Getenv("AUTOTUNE_DATA")
	if data == "" {
		t.Skip("AUTOTUNE_DATA is not set: no published tables to search")
	}
	type line struct {
		Kept  int
		Worse int     `json:"kept_worse"`
		Final float64 `json:"final_value"`
		Best  float64 `json:"best_value"`
		Gap   float64
		Rank  int
	}
	run := func(judge string) (out []line) {
		p := begin(
			t, "simulate", "--table", filepath.Join(data, "perfevolution", "lrzip.csv.gz"), "--metric", "performance",
			"--relative-sd", "rsd", "--environment", "revision", "--at", "530", "--judge", judge, "--json",
		)
		require.Equal(t, 0, p.end(t, 60*time.Second), p.err.String())
		for text := range strings.Lines(p.out.String()) {
			var l line
			require.NoError(t, json.Unmarshal([]byte(text), &l))
			out = append(out, l)
		}
		require.Len(t, out, 20)
		return out
	}
	for _, l := range run("exact") {
		require.Zero(t, l.Rank)
		require.Zero(t, l.Gap)
	}
	kept, worse := 0, 0
	for _, l := range run("sequential") {
		require.Less(t, l.Final/l.Best, 1.03, "less than is worth having")
		kept, worse = kept+l.Kept, worse+l.Worse
	}
	require.Greater(t, kept, 60)
	require.LessOrEqual(t, worse, kept/20, "at most 5 % of keeps are truly worse")
}

func TestSimulateTable_badInput(t *testing.T) {
	path := servers(t)
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	for _, c := range []struct{ args, want string }{
		{"--table " + path, "metric is empty: must name the column of the results"},
		{"--table " + path + " --metric latencies", `servers.csv: column "latencies": is not in the header: the nearest is "latency"`},
		{"--table /nowhere.csv --metric y", "table /nowhere.csv: no such file or directory"},
		{"--table " + file("empty.csv", "") + " --metric y", "empty.csv: empty: must have a header"},
		{"--table " + file("ragged.csv", "a,y\n1,2\n1\n") + " --metric y", "ragged.csv: line 3: must have as many fields as the header"},
		{"--table " + file("text.csv", "a,y\n1,2\n2,slow\n") + " --metric y", `text.csv: line 3, column "y": "slow": must be a number`},
		{"--table " + file("zero.csv", "a,y\n1,2\n2,0\n") + " --metric y", "zero.csv: value 0 of configuration 1 (a=2): must be above 0, the sequential judge compares ratios"},
		{"--table " + path + " --metric latency --policy guid", `policy "guid": must be one of greedy, guide, random, search, static`},
		{"--table " + path + " --metric latency --judge fair", `judge "fair": must be one of sequential, exact`},
		{"--table " + path + " --metric latency --evaluations 0", "evaluations 0: must be at least 1"},
		{"--table " + path + " --metric latency --environment release --evaluations 1", "evaluations 1: must be at least 2, one an environment"},
		{"--table " + path + " --metric latency --environment release --at v3", `at "v3": no row has it in "release": the nearest is "v`},
		{"--table " + path + " --metric latency --seeds 0", "seeds 0: must be at least 1"},
		{"--table " + path + " --metric latency --knob cache", `knob "cache": must be name=kind`},
		{"--table " + path + " --metric latency --knob cache=bool", `knob "cache=bool": must be name=kind, the kind one of switch, int, float, enum`},
		{"--table " + path + " --metric latency --invalid crash", `invalid "crash": must be a number`},
		{"--table " + path + " --metric latency --repeats never", `repeats "never": must be one of order, random`},
		{"--table " + path + " --metric latency --default " + file("d.csv", "threads\n3\n"), `d.csv: column "threads": 3: the table has values 1 to 16`},
		{"--table " + path + " --metric latency --trials 5", "--trials: is no flag of simulate --table"},
		{"--table " + path + " --series " + path, "2 inputs given: must be exactly one of --series, --table"},
		{"--series " + path + " --column latency --metric latency", "--metric: is no flag of simulate --series"},
	} {
		p := begin(t, append([]string{"simulate"}, strings.Fields(c.args)...)...)
		assert.Equal(t, 2, p.end(t, 20*time.Second), c.args)
		assert.Contains(t, p.err.String(), c.want, c.args)
		assert.Equal(t, 1, strings.Count(p.err.String(), "\n"), "%s: one line: %s", c.args, p.err.String())
		assert.Empty(t, p.out.String())
	}
}
