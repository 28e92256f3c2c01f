package executor_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/controller"
	"autotune/executor"
)

// An operator who changes one field while the autopilot moves others loses none
// of either's changes: Update reads and writes as one.
func TestUpdate_losesNobodysChange(t *testing.T) {
	ex, err := executor.New(executor.Config{}, executor.WithAutopilot())
	require.NoError(t, err)
	defer ex.Close()
	var wait sync.WaitGroup
	wait.Go(func() {
		for i := range 500 {
			on := controller.SettingOf(map[string]float64{"enable_cache_optimization": float64(i % 2)})
			if err := ex.ApplySetting(t.Context(), on); err != nil {
				t.Error(err)
			}
		}
	})
	for range 500 {
		require.NoError(t, ex.Update(func(c *executor.Config) { c.CacheSize++ }))
	}
	wait.Wait()
	size, _ := ex.Setting().Get("cache_size")
	require.InDelta(t, 1024+500, size, 0)
	require.True(t, ex.Setting().On("enable_cache_optimization"))

	require.ErrorContains(t, ex.Update(func(c *executor.Config) { c.CacheSize = -1 }), "cache_size -1")
	size, _ = ex.Setting().Get("cache_size")
	require.InDelta(t, 1024+500, size, 0, "on an error nothing has changed")
}
