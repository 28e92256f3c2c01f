package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/executor"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Each broken file gets its answers, with line, column, field, value and rule,
// and exit code 2.
func TestConfigCheck_brokenFiles(t *testing.T) {
	t.Chdir("testdata/config")
	files, err := filepath.Glob("*.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 10)
	var all strings.Builder
	all.WriteString("# What `autotune config check FILE` says of each broken file, on stderr.\n")
	for _, file := range files {
		p := begin(t, "config", "check", file)
		assert.Equal(t, 2, p.end(t, 20*time.Second), file)
		assert.Empty(t, p.out.String())
		fmt.Fprintf(&all, "\n%s", p.err.String())
	}
	if *update {
		require.NoError(t, os.WriteFile("answers.txt", []byte(all.String()), 0o600))
	}
	want, err := os.ReadFile("answers.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), all.String(), "make golden, and look at the difference")
}

func TestConfigCheck_json(t *testing.T) {
	t.Chdir("testdata/config")
	p := begin(t, "config", "check", "--json", "out-of-range.yaml")
	assert.Equal(t, 2, p.end(t, 20*time.Second))
	lines := strings.Split(strings.TrimSpace(p.out.String()), "\n")
	require.Len(t, lines, 4)
	assert.JSONEq(t, `{"type":"fault","file":"out-of-range.yaml","line":3,"column":12,"field":"cache_ttl","value":"500ms","rule":"must be within 1s..720h0m0s"}`, lines[1])
	assert.JSONEq(t, `{"type":"check","file":"out-of-range.yaml","ok":false,"faults":3}`, lines[3])
	assert.Equal(t, "autotune: out-of-range.yaml: 3 faults\n", p.err.String())
}

// What show prints, check accepts, and diff finds no difference in.
func TestConfigShow_isAFileThatCheckAccepts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.yaml")
	const name = "high-frequency+memory-constrained"
	p := begin(t, "config", "show", name)
	require.Zero(t, p.end(t, 20*time.Second), p.err.String())
	require.NoError(t, os.WriteFile(file, p.out.Bytes(), 0o600))

	p = begin(t, "config", "check", file)
	require.Zero(t, p.end(t, 20*time.Second), p.err.String())
	require.Equal(t, file+": ok\n", p.out.String())
	p = begin(t, "config", "check", "--json", file)
	require.Zero(t, p.end(t, 20*time.Second), p.err.String())
	require.Contains(t, p.out.String(), `"ok":true,"faults":0`)

	p = begin(t, "config", "diff", name, file)
	require.Zero(t, p.end(t, 20*time.Second), p.err.String())
	require.Empty(t, p.out.String())
	p = begin(t, "config", "diff", "--json", "high-frequency", file)
	require.Zero(t, p.end(t, 20*time.Second), p.err.String())
	require.Contains(t, p.out.String(), `{"type":"difference","field":"cache_size","from":4096,"to":512}`+"\n")
	p = begin(t, "config", "diff", "baseline", "high-frequency")
	require.Zero(t, p.end(t, 20*time.Second), p.err.String())
	require.Contains(t, p.out.String(), "enable_cache_optimization: false -> true\n")

	p = begin(t, "config", "show", "--json", file)
	require.Zero(t, p.end(t, 20*time.Second), p.err.String())
	var shown struct {
		Type, Name string
		Config     map[string]any
	}
	require.NoError(t, json.Unmarshal(p.out.Bytes(), &shown))
	require.Equal(t, "config", shown.Type)
	require.Equal(t, true, shown.Config["enable_cache_optimization"])
	require.EqualValues(t, 512, shown.Config["cache_size"])
}

func TestConfigList_andSchema(t *testing.T) {
	p := begin(t, "config", "list", "--json")
	require.Zero(t, p.end(t, 20*time.Second), p.err.String())
	overlays := 0
	for line := range strings.Lines(p.out.String()) {
		var preset struct {
			Type, Name string
			Overlay    bool
		}
		require.NoError(t, json.Unmarshal([]byte(line), &preset))
		require.Equal(t, "preset", preset.Type)
		_, err := executor.Preset(preset.Name)
		require.NoError(t, err)
		if preset.Overlay {
			overlays++
		}
	}
	require.Equal(t, 2, overlays)
	p = begin(t, "config", "list")
	require.Zero(t, p.end(t, 20*time.Second), p.err.String())
	require.Contains(t, p.out.String(), "memory-constrained  systems with little memory (overlay)\n")

	p = begin(t, "config", "schema")
	require.Zero(t, p.end(t, 20*time.Second), p.err.String())
	schema, err := executor.Schema()
	require.NoError(t, err)
	require.Equal(t, string(schema)+"\n", p.out.String())
}
