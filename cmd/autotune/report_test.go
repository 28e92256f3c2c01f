package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const goldenJournals = "../../testdata/journals/"

// The golden journal in every format, to stdout and to a file.
func TestReport_ofAJournal(t *testing.T) {
	for _, format := range []string{"html", "md", "csv", "json"} {
		p := begin(t, "report", goldenJournals+"keep.jsonl", "--format", format)
		require.Zero(t, p.end(t, 20*time.Second), p.err.String())
		require.Contains(t, p.out.String(), "fast on")

		out := filepath.Join(t.TempDir(), "report."+format)
		q := begin(t, "report", goldenJournals+"keep.jsonl", "--out", out)
		require.Zero(t, q.end(t, 20*time.Second), q.err.String())
		text, err := os.ReadFile(out)
		require.NoError(t, err)
		require.Equal(t, p.out.String(), string(text))
	}
}

// Two journals, and the JSON of one beside the other, compare alike.
func TestReport_comparesTwo(t *testing.T) {
	asJSON := filepath.Join(t.TempDir(), "harm.json")
	p := begin(t, "report", goldenJournals+"harm.jsonl", "--out", asJSON)
	require.Zero(t, p.end(t, 20*time.Second), p.err.String())
	var got [2]string
	for i, other := range []string{goldenJournals + "harm.jsonl", asJSON} {
		p := begin(t, "report", goldenJournals+"keep.jsonl", other)
		require.Zero(t, p.end(t, 20*time.Second), p.err.String())
		got[i] = p.out.String()
	}
	require.Equal(t, got[0], got[1])
	require.Contains(t, got[0], "| worse |")

	p = begin(t, "report", goldenJournals+"keep.jsonl", goldenJournals+"guard.jsonl")
	require.Equal(t, 2, p.end(t, 20*time.Second))
	require.Equal(t, "autotune: compare: no row in common: two reports must share scenario, contender and measure\n", p.err.String())
}
