package autotune_test

import (
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"autotune"
	"autotune/controller"
	"autotune/journal"
)

// A journal of two sessions, the second one going on from the first, decides the
// same again; with one input changed it does not, and the replay says where.
func TestReplay_decidesTheSame(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		cfg := s.config("slow", "fast")
		cfg.Journal = dir
		pilot := start(t, cfg)
		until(t, pilot, "both tried", tried(2))
		finish(t, pilot)
		s.fast.Store(false)
		pilot = start(t, cfg)
		until(t, pilot, "put back and measured", func(st autotune.Status) bool { return st.Phase == controller.Idle })
		require.NoError(t, pilot.CloseToInitial())
		require.NoError(t, pilot.Executor().Close())
	})
	sum, err := autotune.Replay(dir)
	require.NoError(t, err)
	require.Equal(t, 2, sum.Sessions)
	require.GreaterOrEqual(t, sum.Verdicts, 2)
	require.Greater(t, sum.Steps, 500)
	require.Zero(t, sum.Skipped)

	other := filepath.Join(t.TempDir(), "tampered")
	tampered, err := journal.Open(other, journal.Options{})
	require.NoError(t, err)
	defer tampered.Close()
	n := 0
	for e, err := range journal.Read(dir) {
		require.NoError(t, err)
		if in := e.Record.Input; in != nil {
			if n++; n == 300 {
				in.ApplyErr, in.ObserveErr = "invented", "invented"
			}
		}
		require.NoError(t, tampered.Append(e.Record))
	}
	require.NoError(t, tampered.Close())
	_, err = autotune.Replay(other)
	var diff *autotune.DifferenceError
	require.ErrorAs(t, err, &diff)
	require.Positive(t, diff.Line)
}
