package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Every command in the documentation runs: those of autotune here, one after the
// other in a folder of their own, and examples and tasks exist. What looks at the
// live page of a service looks at one that is served here.
func TestDocs_commandsRun(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	makefile, err := os.ReadFile("../../Makefile")
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```console\n(.*?)```")
	commands := 0
	live := livePage(t)
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		dir := t.TempDir()
		for _, b := range block.FindAllStringSubmatch(string(text), -1) {
			for line := range strings.Lines(b[1]) {
				words, ok := strings.CutPrefix(strings.TrimSpace(line), "$ ")
				if !ok {
					continue
				}
				commands++
				args := strings.Fields(words)
				switch {
				case args[0] == "autotune":
					if testing.Short() {
						continue
					}
					for i := range args {
						args[i] = strings.Replace(args[i], "http://127.0.0.1:8080", live, 1)
					}
					c := exec.Command(program, args[1:]...)
					c.Dir = dir
					timer := time.AfterFunc(3*time.Minute, func() { _ = c.Process.Kill() })
					out, err := c.CombinedOutput()
					timer.Stop()
					require.NoError(t, err, "%s: %s: %s", page, words, out)
				case strings.HasPrefix(words, "go run ./examples/"):
					require.FileExists(t, filepath.Join("../..", args[2], "main.go"), page)
				case args[0] == "make":
					require.Contains(t, string(makefile), "\n"+args[1]+":", page)
				default:
					require.Fail(t, "nobody can run it", "%s: %s", page, words)
				}
			}
		}
	}
	require.Greater(t, commands, 5)
}

// Links between pages lead somewhere.
func TestDocs_linksLeadSomewhere(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, page := range append(pages, "../../README.md", "../../DESIGN.md") {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, to := range link.FindAllStringSubmatch(string(text), -1) {
			_, err := os.Stat(filepath.Join(filepath.Dir(page), to[1]))
			require.NoError(t, err, "%s links to %s", page, to[1])
		}
	}
}
