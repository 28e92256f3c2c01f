package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Findings are no failure; a service that gives no profile is one.
func TestDiagnose(t *testing.T) {
	journal := filepath.Join("..", "..", "testdata", "journals", "harm.jsonl")
	p := begin(t, "diagnose", journal)
	require.Zero(t, p.end(t, time.Minute), p.err.String())
	assert.Contains(t, p.out.String(), "1. regression: fast on made cost worse, and was put back\n")
	p = begin(t, "diagnose", "--json", journal)
	require.Zero(t, p.end(t, time.Minute), p.err.String())
	lines := strings.Split(strings.TrimSpace(p.out.String()), "\n")
	require.Contains(t, lines[0], `{"type":"finding","rule":"regression"`)
	require.Contains(t, lines[len(lines)-1], `{"type":"diagnosis","source":"harm.jsonl"`)

	p = begin(t, "diagnose", "--profile", "http://127.0.0.1:1/debug/pprof", "--for", "1s")
	require.Equal(t, 1, p.end(t, time.Minute))
	assert.Contains(t, p.err.String(), "autotune: profile http://127.0.0.1:1/debug/pprof/")
	assert.Equal(t, 1, strings.Count(p.err.String(), "\n"))
}

// What export writes, check accepts.
func TestConfigExport_isAFileThatCheckAccepts(t *testing.T) {
	p := begin(t, "config", "export", filepath.Join("..", "..", "testdata", "journals", "keep.jsonl"))
	require.Zero(t, p.end(t, time.Minute), p.err.String())
	assert.Contains(t, p.out.String(), "# kept by trial 1, fast on, on 2026-03-01 09:00:23 UTC: cost -29.7 % (-44.5 % to -14.5 %) in 7 pairs")
	file := filepath.Join(t.TempDir(), "kept.yaml")
	require.NoError(t, os.WriteFile(file, p.out.Bytes(), 0o600))
	p = begin(t, "config", "check", file)
	require.Zero(t, p.end(t, time.Minute), p.err.String())
}
