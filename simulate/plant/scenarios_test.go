package plant

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/controller"
)

func TestScenarios_areSound(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Scenarios() {
		require.False(t, seen[s.Name], s.Name)
		seen[s.Name] = true
		require.NoError(t, s.Config.Check(), s.Name)
		require.NoError(t, s.Config.Space.CheckSetting(s.Initial()), s.Name)
		for _, o := range s.Offered {
			require.NoError(t, o.Check(s.Config.Space), s.Name)
		}
		require.NotEmpty(t, s.For)
	}
}

func TestNamed(t *testing.T) {
	s, err := Named("high-frequency")
	require.NoError(t, err)
	require.Equal(t, "high-frequency", s.Name)
	_, err = Named("high-frequancy")
	require.ErrorContains(t, err, `scenario "high-frequancy": the nearest is "high-frequency"; must be one of everyday, high-allocation,`)
	_, err = Named("")
	require.EqualError(t, err, `scenario "": must be one of everyday, high-allocation, large-context, cpu-intensive, high-frequency, low-latency, overload, stampede, traced, memory-constrained, outage`)
}

func TestCostOf_faults(t *testing.T) {
	s := mustNamed(t, "everyday")
	_, err := s.Cost(controller.SettingOf(map[string]float64{"cache": 1}), 1, time.Second)
	require.EqualError(t, err, "scenario everyday: setting: cache is an unknown knob")
	_, err = s.Cost(s.Initial(), 1, 0)
	require.EqualError(t, err, "scenario everyday: duration 0s: must be above 0")
}

func TestConfig_allFaultsAtOnce(t *testing.T) {
	cfg := mustNamed(t, "low-latency").Config
	cfg.Cores, cfg.Arrivals, cfg.Overhead = -1, nil, -time.Second
	cfg.Kinds[0].Share = -1
	cfg.Kinds[1].Writes = 99
	cfg.Kinds[4].Calls.Attempts = 0
	cfg.Heap.Limit = -1
	_, err := New(cfg)
	for _, want := range []string{
		"plant: ", "cores -1: must be within 1..1024", "arrivals: missing", "overhead -1e+09: must be a finite number, and not negative",
		"read: share -1", "writes 99: must be the number of a kind", "attempts 0: must be within 1..100", "heap: limit -1",
	} {
		require.ErrorContains(t, err, want)
	}
}
