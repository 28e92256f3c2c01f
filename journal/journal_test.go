package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/controller"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func fixed() time.Time { return start }

func note(i int) controller.Record {
	return controller.Record{At: start.Add(time.Duration(i) * time.Second), Kind: controller.RecordNote, Note: fmt.Sprintf("n%d", i)}
}

func session(seed uint64) controller.Record {
	return controller.Record{At: start, Kind: controller.RecordSession, Session: &controller.Session{
		Seed: seed, Policy: "ladder",
		Space: controller.Space{Knobs: []controller.Knob{{Name: "cache_size", Kind: controller.Int, Min: 1, Max: 4096}}},
		Goals: []controller.Goal{{Metric: controller.LatencyP95}},
	}}
}

func state(next int) controller.Record {
	s := controller.SettingOf(map[string]float64{"cache_size": float64(next)})
	return controller.Record{At: start, Kind: controller.RecordState, State: &controller.State{
		Version: controller.StateVersion, Initial: s, Safe: s, NextTrial: next, Wealth: 0.025,
	}}
}

func mustOpen(t testing.TB, dir string, opts Options) *Journal {
	t.Helper()
	j, err := Open(dir, opts)
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func readAll(t testing.TB, path string) []Entry {
	t.Helper()
	var all []Entry
	for e, err := range Read(path) {
		require.NoError(t, err)
		all = append(all, e)
	}
	return all
}

func notes(entries []Entry) []string {
	var out []string
	for _, e := range entries {
		if e.Record.Kind == controller.RecordNote {
			out = append(out, e.Record.Note)
		}
	}
	return out
}

func TestJournal_keepsWhatWasAppendedAcrossReopens(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	var want []string
	for run := range 3 {
		j := mustOpen(t, dir, Options{})
		assert.Empty(t, j.Recovered())
		if run == 0 {
			assert.Nil(t, j.State())
		} else {
			assert.Equal(t, run-1, j.State().NextTrial)
		}
		require.NoError(t, j.Append(session(uint64(run))))
		for i := range 5 {
			r := note(run*10 + i)
			require.NoError(t, j.Append(r))
			want = append(want, r.Note)
		}
		require.NoError(t, j.Append(state(run)))
		require.NoError(t, j.Sync())
		assert.Equal(t, run, j.State().NextTrial)
		require.NoError(t, j.Close())
		require.NoError(t, j.Close(), "idempotent")
		assert.ErrorIs(t, j.Append(note(0)), ErrClosed)
		assert.ErrorIs(t, j.Sync(), ErrClosed)
	}
	entries := readAll(t, dir)
	assert.Equal(t, want, notes(entries))
	assert.Len(t, entries, 3*7)
	last, err := LastState(dir)
	require.NoError(t, err)
	assert.Equal(t, 2, last.NextTrial)

	info, err := os.Stat(dir)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}

func TestJournal_segmentsStandAloneAndAreBounded(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, dir, Options{SegmentBytes: 2048, Segments: 3, Now: fixed})
	require.NoError(t, j.Append(session(7)))
	require.NoError(t, j.Append(state(1)))
	var all []string
	for i := range 200 {
		require.NoError(t, j.Append(note(i)))
		all = append(all, note(i).Note)
	}
	require.NoError(t, j.Append(state(2)))
	files, err := filepath.Glob(filepath.Join(dir, "journal-*.jsonl"))
	require.NoError(t, err)
	require.Len(t, files, 3)
	for _, f := range files {
		info, err := os.Stat(f)
		require.NoError(t, err)
		assert.LessOrEqual(t, info.Size(), int64(2048))
		var kinds []string
		for e, err := range ReadFile(f) {
			require.NoError(t, err)
			if e.Repeat {
				kinds = append(kinds, string(e.Record.Kind))
			}
		}
		assert.Equal(t, []string{"session", "state"}, kinds, f)
	}
	entries := readAll(t, dir)
	assert.True(t, entries[0].Repeat && entries[1].Repeat)
	got := notes(entries)
	assert.Equal(t, all[len(all)-len(got):], got, "each record once, the oldest dropped")
	for _, e := range entries[2:] {
		assert.False(t, e.Repeat)
	}
	require.NoError(t, j.Close())
	assert.Equal(t, 2, mustOpen(t, dir, Options{}).State().NextTrial)
}

func TestJournal_stateIsACopy(t *testing.T) {
	j := mustOpen(t, t.TempDir(), Options{})
	r := state(1)
	require.NoError(t, j.Append(r))
	r.State.NextTrial = 99
	j.State().NextTrial = 98
	assert.Equal(t, 1, j.State().NextTrial)
}

func TestOpen_secondWriterIsRefusedWithOneLine(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, dir, Options{})
	_, err := Open(dir, Options{})
	require.ErrorIs(t, err, ErrInUse)
	assert.Equal(t, fmt.Sprintf("journal %s: already open for writing: a journal has one writer (process %d)", dir, os.Getpid()), err.Error())
	require.NoError(t, j.Close())
	mustOpen(t, dir, Options{})
}

func TestOpen_folderThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, dir := range []string{file, filepath.Join(file, "below"), "/proc/journal", "/sys/kernel", ""} {
		t.Run(dir, func(t *testing.T) {
			if strings.HasPrefix(dir, "/") && !strings.HasPrefix(dir, file) {
				if _, err := os.Stat(filepath.Dir(dir)); err != nil {
					t.Skip("this system has no " + dir)
				}
			}
			_, err := Open(dir, Options{})
			require.Error(t, err)
			assert.Contains(t, err.Error(), dir)
			assert.NotContains(t, err.Error(), "\n")
			t.Log(err)
		})
	}
}

func TestOptions_reportEveryFault(t *testing.T) {
	err := Options{SegmentBytes: 3, Segments: 1}.Validate()
	require.Error(t, err)
	assert.Equal(t, "segment_bytes 3: must be at least 1024, or 0 for 4194304\nsegments 1: must be at least 2, or 0 for 16", err.Error())
	require.NoError(t, Options{}.Validate())
	_, err = Open(t.TempDir(), Options{Segments: -1})
	assert.ErrorContains(t, err, "segments -1: must be at least 2")
}

func TestAppend_refusesWhatCannotBeReadBack(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, dir, Options{})
	require.NoError(t, j.Append(state(1)))
	nan := note(0)
	nan.Pair = &controller.Pair{Effects: []controller.Effect{{Low: -1 / zero}}}
	assert.ErrorContains(t, j.Append(nan), "append note: json: unsupported value: -Inf")
	odd := state(2)
	odd.State.Trials = []controller.Trial{{Outcome: 99}}
	assert.ErrorContains(t, j.Append(odd), "append state: does not read back")
	assert.ErrorContains(t, j.Append(controller.Record{}), "kind is empty")
	assert.Equal(t, 1, j.State().NextTrial)
	require.NoError(t, j.Append(note(1)))
	assert.Len(t, readAll(t, dir), 2)
}

var zero float64

func TestLineError_isFound(t *testing.T) {
	dir := t.TempDir()
	path := segmentPath(dir, 1)
	require.NoError(t, os.WriteFile(path, []byte("hello\n"), 0o600))
	_, err := Open(dir, Options{})
	le, ok := errors.AsType[*LineError](err)
	require.True(t, ok)
	assert.Equal(t, 1, le.Line)
	assert.Equal(t, path, le.Path)
}
