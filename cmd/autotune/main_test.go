package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/controller"
	"autotune/internal/demo"
	"autotune/journal"
)

var program string

func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "-test.fuzzworker") { // it needs no program
		os.Exit(m.Run())
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "autotune-test-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "autotune")
		if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", out, err)
			return 1
		}
		return m.Run()
	}())
}

// process is the program while it runs.
type process struct {
	*exec.Cmd
	out, err bytes.Buffer
}

func begin(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(program, args...)}
	p.Stdout, p.Stderr = &p.out, &p.err
	require.NoError(t, p.Start())
	t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

// end waits for the exit code.
func (p *process) end(t *testing.T, within time.Duration) int {
	t.Helper()
	timer := time.AfterFunc(within, func() { _ = p.Process.Kill() })
	defer timer.Stop()
	_ = p.Wait()
	return p.ProcessState.ExitCode()
}

func (p *process) summary(t *testing.T) demo.Summary {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(p.out.String()), "\n")
	var s demo.Summary
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &s), "%s%s", p.out.String(), p.err.String())
	return s
}

func TestBadInput_isOneLineAndExitTwo(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	trace := filepath.Join(t.TempDir(), "trace.csv")
	require.NoError(t, os.WriteFile(trace, []byte("second,requests\n0,ten\n"), 0o600))
	broken, automatic := filepath.Join(t.TempDir(), "broken.yaml"), filepath.Join(t.TempDir(), "automatic.yaml")
	require.NoError(t, os.WriteFile(broken, []byte("cache_sise: 4096\n"), 0o600))
	require.NoError(t, os.WriteFile(automatic, []byte("enable_automatic_optimization: true\n"), 0o600))
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"run", "--duration", "10s"}, []string{"duration 10s", "at least 1m40s"}},
		{[]string{"run", "--rate", "-1"}, []string{"rate -1", "above 0"}},
		{[]string{"run", "--policy", "oracle"}, []string{`policy "oracle"`, "guide, static"}},
		{[]string{"run", "--policy", "giude"}, []string{`policy "giude"`, "did you mean guide?"}},
		{[]string{"run", "--policy", "guide/workload=fast"}, []string{"policy guide", `workload "fast"`, "must be one of"}},
		{[]string{"run", "--policy", "static/depth=2"}, []string{`policy static: parameter "depth": it takes none`}},
		{[]string{"run", "--workload", "fast"}, []string{`workload "fast"`, "must be one of"}},
		{[]string{"run", "--offer", "cash"}, []string{`offer "cash"`, "must be one of"}},
		{[]string{"run", "--offer", "all"}, []string{"duration 3m48s: must be at least", "13 that are offered"}},
		{[]string{"run", "--max-pairs", "0"}, []string{"max-pairs 0", "at least 1"}},
		{[]string{"run", "--trace", "/nowhere.csv"}, []string{"/nowhere.csv"}},
		{[]string{"run", "--report", "run.pdf"}, []string{"report run.pdf", ".html, .md, .csv or .json"}},
		{[]string{"run", "--report", "/nowhere/run.html"}, []string{"report /nowhere/run.html", "must be a folder"}},
		{[]string{"report", "/nowhere"}, []string{"journal /nowhere: read: no such file or directory"}},
		{[]string{"report", "/nowhere.json"}, []string{"/nowhere.json", "no such file"}},
		{[]string{"report", "/nowhere", "--format", "pdf"}, []string{`format "pdf"`, "html, md, csv or json"}},
		{[]string{"report", "/nowhere", "--out", "x.txt"}, []string{"out x.txt", `ending "txt"`}},
		{[]string{"run", "--trace", trace}, []string{"trace.csv", "ten"}},
		{[]string{"run", "--addr", taken.Addr().String()}, []string{taken.Addr().String(), "port in use"}},
		{[]string{"run", "--addr", "0.0.0.0:0"}, []string{"0.0.0.0", "loopback"}},
		{[]string{"run", "--journal", "/dev/null/j"}, []string{"/dev/null/j"}},
		{[]string{"run", "--sed", "1"}, []string{"--sed"}},
		{[]string{"run", "now"}, []string{"now"}},
		{[]string{"validate"}, []string{"candidate is empty"}},
		{[]string{"validate", "--candidate", "/nowhere.yaml"}, []string{"/nowhere.yaml"}},
		{[]string{"validate", "--candidate", "fast"}, []string{`preset "fast": must be one of`}},
		{[]string{"validate", "--candidate", broken}, []string{"broken.yaml:1:1: cache_sise", "did you mean cache_size?"}},
		{[]string{"validate", "--candidate", automatic}, []string{"candidate " + automatic, "enable_automatic_optimization true: must be off"}},
		{[]string{"validate", "--baseline", automatic, "--candidate", "high-frequency"}, []string{"baseline " + automatic, "must be off"}},
		{[]string{"validate", "--candidate", "high-frequency", "--workload", "fast"}, []string{`workload "fast"`, "must be one of"}},
		{[]string{"validate", "--candidate", "high-frequency", "--rate", "0"}, []string{"rate 0", "above 0"}},
		{[]string{"validate", "--candidate", "high-frequency", "--duration", "30s"}, []string{"duration 30s: must be at least 1m", "8 pairs"}},
		{[]string{"validate", "--candidate", "high-frequency", "--duration", "-1s"}, []string{"duration -1s", "negative"}},
		{[]string{"ruin"}, []string{"ruin"}},
		{[]string{"diagnose"}, []string{"nothing to look at", "a journal, --profile, or both"}},
		{[]string{"diagnose", "/nowhere"}, []string{"journal /nowhere: read: no such file or directory"}},
		{[]string{"diagnose", "--profile", "localhost:6060"}, []string{"profile localhost:6060: no such file or directory"}},
		{[]string{"diagnose", "--profile", "ftp://localhost"}, []string{`profile "ftp://localhost": must be a URL`}},
		{[]string{"diagnose", "--profile", "http://localhost", "--for", "1ms"}, []string{"length 1ms", "within 1s..5m0s"}},
		{[]string{"config", "export", "/nowhere"}, []string{"journal /nowhere: read: no such file or directory"}},
		{[]string{"replay", "/nowhere"}, []string{"/nowhere"}},
		{[]string{"replay", t.TempDir()}, []string{"empty: must hold at least the start of a session"}},
		{[]string{"replay"}, []string{"1 arg"}},
		{[]string{"config", "show", "fast"}, []string{`preset "fast"`, "must be one of baseline, "}},
		{[]string{"config", "show", "baseline+staging"}, []string{`preset "staging"`, "must come first"}},
		{[]string{"config", "show", "./fast.yaml"}, []string{"./fast.yaml"}},
		{[]string{"config", "diff", "baseline", "/nowhere.yaml"}, []string{"/nowhere.yaml"}},
		{[]string{"config", "check", "/nowhere.yaml"}, []string{"/nowhere.yaml"}},
		{[]string{"config", "shwo", "baseline"}, []string{"shwo"}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			p := begin(t, c.args...)
			assert.Equal(t, 2, p.end(t, 20*time.Second))
			last := strings.TrimSpace(p.err.String())
			last = last[strings.LastIndex(last, "\n")+1:]
			for _, w := range c.want {
				assert.Contains(t, last, w)
			}
			assert.Empty(t, p.out.String())
		})
	}
}

// An interrupt at any moment ends the run cleanly, with its summary.
func TestInterrupt_printsTheSummary(t *testing.T) {
	for _, after := range []time.Duration{100 * time.Millisecond, 2 * time.Second, 7 * time.Second} {
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			page := filepath.Join(t.TempDir(), "run.html")
			p := begin(t, "run", "--json", "--seed", "1", "--rate", "250", "--report", page)
			time.Sleep(after)
			require.NoError(t, p.Process.Signal(syscall.SIGINT))
			assert.Equal(t, 0, p.end(t, 20*time.Second), p.err.String())
			s := p.summary(t)
			assert.True(t, s.Interrupted)
			assert.Equal(t, s.Initial, s.Final)
			text, err := os.ReadFile(page)
			require.NoError(t, err)
			assert.Contains(t, string(text), "Interrupted: the candidate was withdrawn")
		})
	}
}

// A process killed in a candidate's block comes back, on the same journal, with
// the last kept setting, the candidate quarantined, and a journal that says so.
func TestKill_inACandidateBlock(t *testing.T) {
	if testing.Short() {
		t.Skip("takes two minutes: not in short mode")
	}
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "journal")
	args := []string{"run", "--json", "--seed", "1", "--rate", "250", "--offer", "placebo", "--journal", dir}
	p := begin(t, args...)
	require.Eventually(t, func() bool { return candidateInForce(dir) }, 90*time.Second, 100*time.Millisecond)
	require.NoError(t, p.Process.Signal(syscall.SIGKILL))
	p.end(t, time.Second)

	p = begin(t, args...)
	require.Eventually(t, func() bool { return verdicts(t, dir) > 0 }, 20*time.Second, 100*time.Millisecond)
	time.Sleep(2 * time.Second)
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	assert.Equal(t, 0, p.end(t, 20*time.Second), p.err.String())
	s := p.summary(t)
	require.Len(t, s.Tried, 1)
	assert.Equal(t, controller.Aborted, s.Tried[0].Outcome)
	assert.Equal(t, controller.Crashed, s.Tried[0].Reason)
	assert.False(t, s.Final.On("placebo"))
	replayed := begin(t, "replay", "--json", dir)
	assert.Equal(t, 0, replayed.end(t, 20*time.Second), replayed.err.String())
	assert.Contains(t, replayed.out.String(), `"identical":true,"sessions":2`)
	state, err := journal.LastState(dir)
	require.NoError(t, err)
	assert.Contains(t, state.Memory["placebo"].Quarantined, "died")
}

// candidateInForce reads from the journal that the last setting read back has
// the placebo on.
func candidateInForce(dir string) bool {
	on := false
	for e, err := range journal.Read(dir) {
		if err != nil {
			return false
		}
		if in := e.Record.Input; in != nil && !in.Current.IsZero() {
			on = in.Current.On("placebo")
		}
	}
	return on
}

func verdicts(t *testing.T, dir string) int {
	t.Helper()
	n := 0
	for e, err := range journal.Read(dir) {
		require.NoError(t, err)
		if e.Record.Kind == controller.RecordVerdict {
			n++
		}
	}
	return n
}
