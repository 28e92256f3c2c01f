package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/internal/demo"
)

// Every workload that the guide's policy has an order for can be made.
func TestWorkloads_areTheGuides(t *testing.T) {
	_, err := catalog.Order("?")
	require.Error(t, err)
	_, made := demo.WorkloadNamed("?")
	assert.EqualError(t, made, err.Error())
}

// Doing without the cache is a regression; the exit code says so.
func TestValidate_findsARegression(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute: not in short mode")
	}
	t.Parallel()
	cached := filepath.Join(t.TempDir(), "cached.yaml")
	require.NoError(t, os.WriteFile(cached, []byte("enable_cache_optimization: true\n"), 0o600))
	p := begin(t, "validate", "--baseline", cached, "--candidate", "baseline", "--duration", "40s", "--rate", "300", "--seed", "1", "--json")
	assert.Equal(t, 1, p.end(t, 90*time.Second), p.err.String())
	assert.Contains(t, p.err.String(), "baseline is a regression against "+cached)
	assert.Equal(t, 1, strings.Count(p.out.String(), "\n"))
	var v demo.Validation
	require.NoError(t, json.Unmarshal(p.out.Bytes(), &v))
	assert.Equal(t, "validation", v.Type)
	assert.Equal(t, "worse", v.Verdict)
	assert.Len(t, v.Changes, 1)
}

// An interrupted validation has no result, and does not pass for one.
func TestValidate_interrupted(t *testing.T) {
	for _, after := range []time.Duration{100 * time.Millisecond, 5 * time.Second} {
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			p := begin(t, "validate", "--candidate", "high-frequency", "--rate", "100", "--seed", "1")
			time.Sleep(after)
			require.NoError(t, p.Process.Signal(syscall.SIGINT))
			assert.Equal(t, 1, p.end(t, 20*time.Second))
			assert.Contains(t, p.err.String(), "interrupted")
			assert.Empty(t, p.out.String())
		})
	}
}
