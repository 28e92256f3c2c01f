package autotune_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune"
	"autotune/controller"
	"autotune/journal"
	"autotune/policies"
)

// What PolicyName and Workload come to, and what of them is refused.
func TestConfig_policyByName(t *testing.T) {
	for _, c := range []struct {
		cfg       autotune.Config
		want, err string
	}{
		{autotune.Config{}, "guide", ""},
		{autotune.Config{Workload: "low-latency"}, "guide/low-latency", ""},
		{autotune.Config{PolicyName: "guide", Workload: "low-latency"}, "guide/low-latency", ""},
		{autotune.Config{PolicyName: "guide/workload=large-context", Workload: "low-latency"}, "guide/large-context", ""},
		{autotune.Config{PolicyName: "static", Workload: "low-latency"}, "static", ""},
		{autotune.Config{Policy: policies.Static{}}, "static", ""},
		{autotune.Config{PolicyName: "static", Policy: policies.Static{}}, "", `policy_name "static": must be empty where a policy is given`},
		{autotune.Config{PolicyName: "statik"}, "", `policy "statik": must be one of guide, static: did you mean static?`},
		{autotune.Config{Workload: "slow"}, "", `policy guide: workload "slow": must be one of high-allocation, large-context, cpu-intensive, high-frequency, low-latency, or empty`},
		{autotune.Config{PolicyName: "guide", Policies: policies.Registry{}}, "", `policy "guide": must be one of no policies`},
	} {
		pilot, err := autotune.Start(context.Background(), c.cfg)
		if c.err != "" {
			require.EqualError(t, err, c.err)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, c.want, pilot.Status().Policy)
		require.NoError(t, pilot.Close())
		require.NoError(t, pilot.Executor().Close())
	}
}

// A journal of somebody's own policy replays where that is known by its name, and
// the replay gets the parameters of the session.
func TestReplayWith_aPolicyOfOnesOwn(t *testing.T) {
	got := ""
	known := policies.Builtin()
	known["own"] = policies.Factory{
		Params: map[string]string{"depth": "a test"},
		New: func(p map[string]string) (controller.Policy, error) {
			got = p["depth"]
			return policies.Static{}, nil
		},
	}
	dir := filepath.Join(t.TempDir(), "journal")
	j, err := journal.Open(dir, journal.Options{})
	require.NoError(t, err)
	core, err := controller.New(controller.Config{
		Space:  controller.Space{Knobs: []controller.Knob{{Name: "x", Kind: controller.Switch}}},
		Goals:  []controller.Goal{{Metric: "cost"}},
		Timing: controller.Timing{Measure: time.Second},
		Policy: policies.Static{}, PolicyName: "own/depth=3", Seed: 1,
	})
	require.NoError(t, err)
	for _, r := range core.Start().Records {
		require.NoError(t, j.Append(r))
	}
	require.NoError(t, j.Close())

	_, err = autotune.Replay(dir)
	require.ErrorContains(t, err, `line 2: policy "own": must be one of guide, static`)
	sum, err := autotune.ReplayWith(dir, known)
	require.NoError(t, err)
	require.Equal(t, 1, sum.Sessions)
	require.Equal(t, "3", got)
}
