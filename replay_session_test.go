package autotune_test

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune"
	"autotune/controller"
	"autotune/journal"
	"autotune/policies"
)

// Whatever a session was started with, its replay is started with: each field
// that a Session has is set here, so that a new one cannot be forgotten.
func TestReplay_startsWithAllOfTheSession(t *testing.T) {
	s := controller.Session{
		Seed:    7,
		Space:   controller.Space{Knobs: []controller.Knob{{Name: "x", Kind: controller.Switch}}},
		Offered: []controller.Optimization{{Name: "x", Why: "test", Switch: "x", Equivalence: controller.Exact}},
		Goals:   []controller.Goal{{Metric: "cost"}},
		Guards:  []controller.Guard{{Metric: "cost", Limit: 9}}, SlowGuard: 500,
		OpenLoop: true,
		Timing:   controller.Timing{Washout: -1, Measure: time.Second, Tick: time.Second, MinRequests: -1, BaselineBlocks: 8},
		Budget:   controller.Budget{MaxPairs: 9, Until: time.Unix(1e9, 0).UTC(), ReservedPairs: 1, FDR: 0.1},
		Alert:    controller.Alert{Interval: time.Minute, Threshold: 0.1, Probation: time.Hour},
		Policy:   "guide/low-latency",
		Advise:   true,
		Instance: "b",
		Build:    "1",
		Joint:    true,
		Pinned:   []string{"x"},
	}
	for v, i := reflect.ValueOf(s), 0; i < v.NumField(); i++ {
		require.False(t, v.Field(i).IsZero(), "%s is not set here: replay may forget it", v.Type().Field(i).Name)
	}
	core, err := controller.New(controller.Config{
		Space: s.Space, Offered: s.Offered, Goals: s.Goals, Guards: s.Guards, SlowGuard: s.SlowGuard, Policy: policies.Static{}, PolicyName: s.Policy,
		Seed: s.Seed, OpenLoop: s.OpenLoop, Timing: s.Timing, Budget: s.Budget, Alert: s.Alert, Advise: s.Advise, Instance: s.Instance, Build: s.Build, Joint: s.Joint, Pinned: s.Pinned,
	})
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "journal")
	j, err := journal.Open(dir, journal.Options{})
	require.NoError(t, err)
	for _, r := range core.Start().Records {
		require.NoError(t, j.Append(r))
	}
	require.NoError(t, j.Close())
	sum, err := autotune.Replay(dir)
	require.NoError(t, err)
	require.Equal(t, autotune.Replayed{Sessions: 1, Records: 1}, sum)
}
