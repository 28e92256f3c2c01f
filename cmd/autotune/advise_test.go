package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune"
	"autotune/controller"
	"autotune/executor"
	"autotune/knobs"
)

// A service in advise mode changes nothing and leaves proposals to review: each
// with an id, a reason and the exact setting, and as JSON the same.
func TestAdvise_writesWhatWaitsForApproval(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "advised")
	var compress atomic.Bool
	pilot, err := autotune.Start(t.Context(), autotune.Config{
		Executor: executor.Config{EnableAutomaticOptimization: true}, Advise: true, Journal: dir,
		Knobs: []knobs.Actuator{knobs.Bool("compress", compress.Load, compress.Store)}, Offer: []string{"compress"},
		Timing: controller.Timing{Washout: -1, Measure: 50 * time.Millisecond, MinRequests: -1, BaselineBlocks: 3},
	})
	require.NoError(t, err)
	defer pilot.Executor().Close()
	for began := time.Now(); len(pilot.Status().Advice) == 0 && time.Since(began) < 30*time.Second; {
		request := pilot.Recorder().StartNow()
		time.Sleep(time.Millisecond)
		request.End(false)
	}
	require.NoError(t, pilot.Close())
	require.False(t, compress.Load(), "it changes nothing")

	text, err := exec.Command(program, "advise", dir).Output()
	require.NoError(t, err)
	lines, err := exec.Command(program, "advise", dir, "--json").Output()
	require.NoError(t, err)
	var l struct {
		Type         string             `json:"type"`
		ID           string             `json:"id"`
		Optimization string             `json:"optimization"`
		Why          string             `json:"why"`
		Change       map[string]float64 `json:"change"`
		Setting      map[string]float64 `json:"setting"`
	}
	first, rest, _ := strings.Cut(string(lines), "\n")
	require.NoError(t, json.Unmarshal([]byte(first), &l), first)
	assert.Equal(t, "proposal", l.Type)
	assert.Equal(t, "compress", l.Optimization)
	assert.NotEmpty(t, l.Why)
	assert.Equal(t, map[string]float64{"compress": 1}, l.Change)
	assert.InDelta(t, 1, l.Setting["compress"], 0)
	assert.Contains(t, rest, `{"type":"review","advise":true,"proposals":1,`)
	for _, says := range []string{"# Proposals to review: 1\n", "- id: `" + l.ID + "`", `pilot.Approve(ctx, "` + l.ID + `"`, "| compress | 0 | 1 |", "- state: open"} {
		assert.Contains(t, string(text), says)
	}
}

func TestAdvise_whatIsNoJournal(t *testing.T) {
	for _, args := range [][]string{{"advise"}, {"advise", filepath.Join(t.TempDir(), "none")}, {"advise", t.TempDir()}} {
		p := begin(t, args...)
		assert.Equal(t, 2, p.end(t, 20*time.Second), "%v", args)
		assert.Equal(t, 1, strings.Count(p.err.String(), "\n"), p.err.String())
	}
}
