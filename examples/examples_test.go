// Package examples holds the test that builds and runs every example.
package examples

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir = dir
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	require.NoError(t, c.Run(), "%s %s: %s", name, strings.Join(args, " "), errs.String())
	return out.String()
}

// Each example builds, runs for some seconds and ends by itself. The README names
// it, and it is short enough to be read.
func TestExamples_run(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs programs")
	}
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"http":     {[]string{"-load", "50"}, "in force at the end"},
		"orders":   {nil, "orders taken; in force at the end"},
		"worker":   {nil, "rows written; in force at the end"},
		"database": {nil, "in force at the end"},
		"outside":  {nil, "and the autopilot is"},
	} {
		t.Run(name, func(t *testing.T) {
			bin := filepath.Join(t.TempDir(), name)
			command(t, name, "go", "build", "-o", bin, ".")
			assert.Contains(t, command(t, ".", bin, append(c.args, "-for", "3s")...), c.says)
			code, err := os.ReadFile(filepath.Join(name, "main.go"))
			require.NoError(t, err)
			assert.Less(t, bytes.Count(code, []byte("\n")), 120)
			assert.Contains(t, string(readme), "examples/"+name)
		})
	}
}

// A service that embeds the autopilot links no simulator, no experiments, no
// dashboard and no test library.
func TestOutside_linksNoMoreThanItNeeds(t *testing.T) {
	if testing.Short() {
		t.Skip("lists the packages of another module")
	}
	for _, p := range strings.Fields(command(t, "outside", "go", "list", "-deps", ".")) {
		for _, never := range []string{
			"autotune/simulate", "autotune/experiments", "autotune/dashboard", "autotune/report", "autotune/metrics",
			"github.com/stretchr/testify", "pgregory.net/rapid", "testing",
		} {
			assert.False(t, p == never || strings.HasPrefix(p, never+"/"), p)
		}
	}
}
