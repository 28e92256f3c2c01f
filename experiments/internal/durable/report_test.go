package durable_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/experiments/internal/durable"
	"autotune/report"
)

// A format that cannot be written is told, and the file of before stays; the others
// are put in place.
func TestReport_eachWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	odd := filepath.Join(dir, "x.odd")
	require.NoError(t, os.WriteFile(odd, []byte("before"), 0o600))
	err := durable.Report(dir, &report.Document{Name: "x", Title: "Is it?", Rows: []report.Row{}}, "odd", report.Markdown, report.JSON)
	require.EqualError(t, err, `format "odd": must be html, md, csv or json`)
	text, err := os.ReadFile(odd)
	require.NoError(t, err)
	require.Equal(t, "before", string(text))
	text, err = os.ReadFile(filepath.Join(dir, "x.md"))
	require.NoError(t, err)
	require.Contains(t, string(text), "Is it?")
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, names, 3, "nothing is left over: %v", names)
}
