package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recording writes a CSV file: two machines with 10 % noise, and one that was
// measured ten times only.
func recording(t *testing.T, values int) string {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	var out strings.Builder
	out.WriteString("vm,time,value\n")
	for i := range values {
		for vm := range 2 {
			fmt.Fprintf(&out, "%d,%d,%.6g\n", vm, i, 50*math.Exp(0.1*rng.NormFloat64()))
		}
		if i < 10 {
			fmt.Fprintf(&out, "9,%d,50\n", i)
		}
	}
	path := filepath.Join(t.TempDir(), "recording.csv")
	require.NoError(t, os.WriteFile(path, []byte(out.String()), 0o600))
	return path
}

func TestSimulateSeries_oneLine(t *testing.T) {
	path := recording(t, 500)
	run := func(args ...string) string {
		p := begin(t, append([]string{"simulate", "--series", path, "--column", "value", "--group", "vm", "--trials", "50"}, args...)...)
		require.Equal(t, 0, p.end(t, 20*time.Second), p.err.String())
		assert.Equal(t, "left out 1 of 3 series: vm=9: 10 values: a trial in blocks of 1 needs 37, for 22 baseline blocks and 7 pairs\n", p.err.String())
		return p.out.String()
	}
	line := run("--json", "--effect", "-0.2", "--seed", "3")
	require.Equal(t, 1, strings.Count(line, "\n"))
	require.Equal(t, line, run("--json", "--effect", "-0.2", "--seed", "3", "--workers", "3"), "the same seed")
	var got map[string]any
	require.NoError(t, json.Unmarshal([]byte(line), &got))
	require.InDelta(t, math.Pow(0.025, 1.0/50), got["low"], 1e-9)
	require.Contains(t, []any{7.0, 8.0}, got["median_pairs"])
	delete(got, "low")
	delete(got, "median_pairs")
	require.Equal(t, map[string]any{
		"type": "trials", "n": 50.0, "kept": 50.0, "reverted": 0.0, "inconclusive": 0.0, "aborted": 0.0,
		"keep_rate": 1.0, "high": 1.0,
	}, got)

	text := run("--effect", "0.25")
	require.Contains(t, text, "50 trials of a candidate that changes value by +25%, a loss (less is better), on 2 series of 500 values, in blocks of 1: kept 0 (0.0% to 7.1%), reverted 50 (92.9% to 100.0%)")
	require.Contains(t, text, "pairs are to be planned for such an effect.")
	require.Contains(t, run("--effect", "0.25", "--maximize"), "+25%, a gain (more is better)")
	require.Contains(t, run("--effect", "-0.01"), "and a trial has at most 120")
	require.Contains(t, run(), "a candidate without any effect")
}

// An interrupt ends it with the trials that ended, and says how many these are.
func TestSimulateSeries_interrupted(t *testing.T) {
	path := recording(t, 2000)
	for _, args := range [][]string{{"--json"}, nil} {
		p := begin(t, append([]string{"simulate", "--series", path, "--column", "value", "--group", "vm", "--trials", "100000000"}, args...)...)
		time.Sleep(500 * time.Millisecond)
		require.NoError(t, p.Process.Signal(syscall.SIGINT))
		require.Equal(t, 0, p.end(t, 20*time.Second), p.err.String())
		if args == nil {
			require.Regexp(t, `^Interrupted after \d+ of 100000000 trials\. `, p.out.String())
			continue
		}
		var got struct {
			N, Kept, Reverted, Inconclusive int
			Interrupted                     bool
		}
		require.NoError(t, json.Unmarshal(p.out.Bytes(), &got))
		require.True(t, got.Interrupted)
		require.Less(t, got.N, 100_000_000)
		require.Equal(t, got.N, got.Kept+got.Reverted+got.Inconclusive)
	}
}

func TestSimulateSeries_badInput(t *testing.T) {
	path := recording(t, 100)
	broken := filepath.Join(t.TempDir(), "broken.csv")
	require.NoError(t, os.WriteFile(broken, []byte("value\n1\n-2\n"), 0o600))
	short := filepath.Join(t.TempDir(), "short.csv")
	require.NoError(t, os.WriteFile(short, []byte("value\n1\n2\n"), 0o600))
	for _, c := range []struct{ args, want string }{
		{"", "0 inputs given: must be exactly one of --series, --"},
		{"--series " + path, "column is empty: must name the column to judge by"},
		{"--column value --series /nowhere.csv", "series /nowhere.csv: no such file or directory"},
		{"--column valve --series " + path, `recording.csv: column "valve": is not in the header: the nearest is "value"`},
		{"--column value --group vms --series " + path, `column "vms": is not in the header: the nearest is "vm"`},
		{"--column value --series " + broken, `broken.csv: line 3, column "value": -2: must be above 0`},
		{"--column value --series " + short, "short.csv: 2 values: a trial in blocks of 1 needs 37"},
		{"--column value --group vm --block 9 --series " + path, "vm=0: 100 values: a trial in blocks of 9 needs 325"},
		{"--column value --effect -1 --series " + path, "effect -1: must be finite and above -1"},
		{"--column value --effect NaN --series " + path, "effect NaN: must be finite"},
		{"--column value --trials 0 --series " + path, "trials 0: must be at least 1"},
		{"--column value --block 0 --series " + path, "block 0: must be at least 1"},
		{"--column value --workers -1 --series " + path, "workers -1: must be at least 1"},
		{"--column value --effect much --series " + path, `"much"`},
		{"--scenario burst", `scenario "burst"`},
	} {
		p := begin(t, append([]string{"simulate"}, strings.Fields(c.args)...)...)
		assert.Equal(t, 2, p.end(t, 20*time.Second), c.args)
		assert.Contains(t, p.err.String(), c.want)
		assert.Equal(t, 1, strings.Count(p.err.String(), "\n"), p.err.String())
		assert.Empty(t, p.out.String())
	}
}
