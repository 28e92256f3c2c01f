package main

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// partialLines is how many jobs a run has kept so far.
func partialLines(dir string) int {
	b, err := os.ReadFile(filepath.Join(dir, "power.partial.jsonl"))
	if err != nil {
		return 0
	}
	return bytes.Count(b, []byte("\n"))
}

// Killed, interrupted, and taken up with another number of workers, a run ends
// with the bytes of one that was left alone, and does not begin anew.
func TestExperiment_isTakenUpAfterAKillAndAnInterruption(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs an experiment twice")
	}
	dir, clean := t.TempDir(), t.TempDir()
	run := func(out, workers string) *process {
		return begin(t, "experiment", "power", "--short", "--out", out, "--workers", workers)
	}
	kept := 0
	for _, how := range []os.Signal{syscall.SIGKILL, os.Interrupt} {
		p := run(dir, "2")
		before := kept
		require.Eventually(t, func() bool { kept = partialLines(dir); return kept >= before+20 }, time.Minute, time.Millisecond)
		asked := time.Now()
		require.NoError(t, p.Process.Signal(how))
		code := p.end(t, 10*time.Second)
		if how == os.Interrupt {
			require.Equal(t, 1, code)
			require.Less(t, time.Since(asked), 5*time.Second)
			require.Contains(t, p.err.String(), "autotune: power: interrupted at ")
			require.Contains(t, p.err.String(), "the same command goes on from there\n")
		}
		require.NoFileExists(t, filepath.Join(dir, "power.md"))
	}
	last := run(dir, "1")
	require.Zero(t, last.end(t, time.Minute), last.err.String())
	require.NotContains(t, last.err.String(), "power: 0 of ", "what was kept is taken up")
	require.Contains(t, last.out.String(), "power: holds  ")

	require.Zero(t, run(clean, "2").end(t, time.Minute))
	for _, name := range []string{"power.md", "power.csv", "power.html", "power.json"} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		want, err := os.ReadFile(filepath.Join(clean, name))
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
	}
	require.NoFileExists(t, filepath.Join(dir, "power.partial.jsonl"))
}

func TestExperiment_badInput(t *testing.T) {
	for want, args := range map[string][]string{
		`experiment "nothing": must be one of aa, power, real, tables, search, noisy, drift, traps, guard, audit, order, contenders, all, list, live, live-order, overhead`: {"nothing", "--out", t.TempDir()},
		`workers 0: must be at least 1`:                                                      {"aa", "--workers", "0", "--out", t.TempDir()},
		`out is empty: must name a folder for the reports`:                                   {"aa"},
		`out is empty: must name a folder for the report; block 1ms: must be at least 250ms`: {"live", "--block", "1ms"},
	} {
		p := begin(t, append([]string{"experiment"}, args...)...)
		require.Equal(t, 2, p.end(t, 10*time.Second))
		require.Equal(t, "autotune: "+want+"\n", p.err.String())
	}
	p := begin(t, "experiment", "list")
	require.Zero(t, p.end(t, 10*time.Second))
	require.Contains(t, p.out.String(), "traps ")
	require.Contains(t, p.out.String(), "live ")
}
