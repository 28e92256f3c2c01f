package diagnose

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/controller"
	"autotune/journal"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden holds a text against the file of that name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		require.NoError(t, os.WriteFile(path, got, 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "%s: if this is meant: go test ./diagnose -update, and read the difference", path)
}

func journalNamed(name string) string {
	return filepath.Join("..", "testdata", "journals", name+".jsonl")
}

// The golden journals of the module: one in which a gain was kept, in which there
// is nothing to find, and three in which something was tried that did harm.
func TestRead_golden(t *testing.T) {
	for _, name := range []string{"keep", "harm", "guard", "crash"} {
		d, err := Read(journalNamed(name))
		require.NoError(t, err)
		var text, lines bytes.Buffer
		require.NoError(t, d.WriteText(&text))
		golden(t, name+".txt", text.Bytes())
		require.NoError(t, d.WriteJSON(&lines))
		if name == "harm" {
			golden(t, name+".jsonl", lines.Bytes())
		}
		if name == "keep" {
			require.Empty(t, d.Findings)
		} else {
			require.Len(t, d.Findings, 1)
			require.Equal(t, "regression", d.Findings[0].Rule)
		}
	}
}

func TestRead_badInput(t *testing.T) {
	dir := t.TempDir()
	_, err := Read(filepath.Join(dir, "none"))
	require.EqualError(t, err, "journal "+filepath.Join(dir, "none")+": read: no such file or directory")
	_, err = Read(dir)
	require.ErrorIs(t, err, ErrEmpty)
	require.EqualError(t, err, "journal "+dir+": empty: must hold at least the start of a session")

	j, err := journal.Open(dir, journal.Options{})
	require.NoError(t, err)
	require.NoError(t, j.Append(controller.Record{Kind: controller.RecordSession, Session: &controller.Session{}}))
	require.NoError(t, j.Close())
	_, err = Read(dir)
	require.EqualError(t, err, "journal "+dir+": segment 1, line 2: session: goals are empty: there must be one at least")
}
