package overhead

import (
	"context"
	"math/rand/v2"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Nothing is left behind by a run that is interrupted, not even what is stopped.
func TestRun_interrupted(t *testing.T) {
	if testing.Short() || runtime.NumCPU() < 2 {
		t.Skip("starts processes, and needs two processors")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	o := Options{Out: t.TempDir(), TrialBlock: time.Hour, Part: leastPart, Pairs: leastPairs, Command: []string{self, serve}}
	require.NoError(t, o.setDefaults())
	cpus, err := divide(o.Procs)
	require.NoError(t, err)
	defer func() { assert.NoError(t, cpus.join()) }()
	time.AfterFunc(time.Second, cancel)
	_, err = o.generation(ctx, cpus, rand.New(rand.NewPCG(1, 1)))
	require.ErrorIs(t, ctx.Err(), context.Canceled)
	require.Error(t, err)
	_, err = syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
	assert.ErrorIs(t, err, syscall.ECHILD, "no child is left")
}
