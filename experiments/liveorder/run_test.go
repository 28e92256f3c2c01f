package liveorder

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/executor"
)

func small(t *testing.T, out string) Options {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	return Options{
		Out: out, Only: []string{Everyday + "/" + string(Window)}, Seeds: 1, Session: leastSession, Pairs: leastPairs, CheckPairs: leastPairs,
		AtOnce: 8, Rate: 60, Items: 1000, Command: []string{self, serveSession}, Commit: "test",
	}
}

// Settings of the yardstick and a rival's session on the real service, each in a
// process of its own: kept, reported, and not made again.
func TestRun_measuresKeepsAndGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("it steers a service for a minute and a half")
	}
	o := small(t, t.TempDir())
	o.Tell = func(line string) { t.Log(line) }
	require.NoError(t, Run(t.Context(), o))
	file, err := os.ReadFile(filepath.Join(o.Out, "live-order.jsonl"))
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(file)), "\n")
	require.Len(t, lines, len(yardstick(Everyday))+1)
	rivals := 0
	for _, line := range lines {
		var s Session
		require.NoError(t, json.Unmarshal([]byte(line), &s))
		assert.Len(t, s.Check, 3, s.Plan.name())
		assert.NotZero(t, s.Requests)
		assert.Zero(t, s.Failed)
		if s.Plan.Arm == Window {
			rivals++
			assert.Greater(t, s.Trials, 5, "it has one in a few seconds")
			require.NotEmpty(t, s.Moves)
			assert.Empty(t, s.Moves[0].On, "everything is off at first")
			assert.Positive(t, s.gains(), "by chance it keeps half of all")
		}
	}
	assert.Equal(t, 1, rivals)
	for _, f := range []string{"html", "md", "csv", "json"} {
		report, err := os.ReadFile(filepath.Join(o.Out, "live-order."+f))
		require.NoError(t, err)
		assert.Contains(t, string(report), string(Window))
	}

	var told []string
	o.Tell = func(line string) { told = append(told, line) }
	require.NoError(t, Run(t.Context(), o))
	assert.Equal(t, []string{"8 of 8 sessions are kept from before"}, told)

	o.Seed = 7
	ctx, cancel := context.WithCancel(t.Context())
	o.Tell = func(string) { cancel() }
	err = Run(ctx, o)
	require.ErrorIs(t, err, ErrFailed)
	assert.Contains(t, err.Error(), "interrupted at 0 of 8 sessions, which are kept and reported: the same command goes on from there")
}

func TestRun_badInput(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"out is empty: must name a folder for the report":                         func(o *Options) { o.Out = "" },
		"seeds -1: must be at least 1":                                            func(o *Options) { o.Seeds = -1 },
		"at-once -1: must be at least 1":                                          func(o *Options) { o.AtOnce = -1 },
		"pairs 7: must be at least 8":                                             func(o *Options) { o.Pairs = 7 },
		"check-pairs 7: must be at least 8":                                       func(o *Options) { o.CheckPairs = 7 },
		"session 1m29s: must be at least 1m30s: noise and a trial need that long": func(o *Options) { o.Session -= 1e9 },
		`only "everyday/nobody": arm "nobody": must be one of ["guide" `:          func(o *Options) { o.Only = []string{"everyday/nobody"} },
		`only "busy": workload "busy": must be one of high-allocation`:            func(o *Options) { o.Only = []string{"busy"} },
	} {
		o := small(t, t.TempDir())
		change(&o)
		err := Run(t.Context(), o)
		require.Error(t, err, want)
		assert.Contains(t, err.Error(), want)
		require.NotErrorIs(t, err, ErrFailed, want)
		assert.NotContains(t, err.Error(), "\n")
	}
}

// The sessions of one seed follow each other, with the same requests in all arms, and
// each setting of the yardstick turns on what it says.
func TestPlans_areTheSameForAllArms(t *testing.T) {
	o := Options{Out: "unused", Only: []string{Everyday, "cpu-intensive/" + string(Guide)}}
	require.NoError(t, o.setDefaults())
	plans, names, seeds := o.plans(), map[string]bool{}, map[uint64]int{}
	ex, err := executor.New(executor.Config{})
	require.NoError(t, err)
	defer ex.Close()
	for _, p := range plans {
		assert.False(t, names[p.name()], p.name())
		names[p.name()] = true
		if p.Arm != measure {
			seeds[p.Seed]++
			continue
		}
		on := p.switches()
		assert.NotEmpty(t, on, p.name())
		assert.NotContains(t, on, catalog.EnableAutomatic)
		for knob := range p.Values {
			_, known := ex.Setting().Get(knob)
			assert.True(t, known, "%s: %s", p.name(), knob)
		}
	}
	assert.Len(t, seeds, 40)
	assert.Len(t, plans, 7+8+20*(len(Arms())+1))
	for _, n := range seeds {
		assert.Contains(t, []int{1, len(Arms())}, n)
	}
	assert.Len(t, offer(true), 11)
	assert.Len(t, offer(false), 10)
}
