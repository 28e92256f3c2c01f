package controller_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

func goodConfig() Config {
	space, offered, _ := switches("a", "b")
	return Config{Space: space, Offered: offered, Policy: &eachOnce{}}
}

// New refuses with messages that name the field, the value and the rule.
func TestNew_refusesWhatIsWrong(t *testing.T) {
	_, err := New(goodConfig())
	require.NoError(t, err)
	for says, change := range map[string]func(*Config){
		"policy: missing":                                    func(c *Config) { c.Policy = nil },
		"knob a: defined twice":                              func(c *Config) { c.Space.Knobs = append(c.Space.Knobs, c.Space.Knobs[0]) },
		`knob a: needs "z": must name a switch`:              func(c *Config) { c.Space.Knobs[0].Needs = "z" },
		"optimization a: offered twice":                      func(c *Config) { c.Offered = append(c.Offered, c.Offered[0]) },
		`optimization a: switch "z": must name a switch`:     func(c *Config) { c.Offered[0].Switch = "z" },
		`optimization a: knob "z": must name a knob`:         func(c *Config) { c.Offered[0].Knobs = []string{"z"} },
		`optimization a: start of "z": must name a knob`:     func(c *Config) { c.Offered[0].Start = map[string]float64{"z": 1} },
		"optimization a: start of b 3: must be 0 (off) or 1": func(c *Config) { c.Offered[0].Start = map[string]float64{"b": 3} },
		"optimization a: equivalence 0: must be exact":       func(c *Config) { c.Offered[0].Equivalence = 0 },
		"optimization a: may_differ is empty":                func(c *Config) { c.Offered[0].Equivalence = Bounded },
		"optimization a: switch and knobs are empty":         func(c *Config) { c.Offered[0].Switch = "" },
		"optimization : name is empty":                       func(c *Config) { c.Offered[0].Name = "" },
		"goal: metric is empty":                              func(c *Config) { c.Goals = []Goal{{}} },
		"goal x: named twice":                                func(c *Config) { c.Goals = []Goal{{Metric: "x"}, {Metric: "x"}} },
		"goal x: min_effect NaN: must be within 0..1":        func(c *Config) { c.Goals = []Goal{{Metric: "x", MinEffect: nan}} },
		"goal x: min_effect -0.1: must be within 0..1":       func(c *Config) { c.Goals = []Goal{{Metric: "x", MinEffect: -0.1}} },
		"goal x: tolerance 1: must be within 0..1":           func(c *Config) { c.Goals = []Goal{{Metric: "x", Tolerance: 1}} },
		"guard: metric is empty":                             func(c *Config) { c.Guards = []Guard{{Limit: 1}} },
		"guard x: limit NaN: must be a finite number":        func(c *Config) { c.Guards = []Guard{{Metric: "x", Limit: nan}} },
		`pinned "z": must name a knob or an optimization`:    func(c *Config) { c.Pinned = []string{"z"} },
		"space: settle -1s: must not be negative":            func(c *Config) { c.Space.Settle = -time.Second },
		"timing: measure -1s: must be above 0":               func(c *Config) { c.Timing.Measure = -time.Second },
		"timing: tick 2s: must be above 0 and at most":       func(c *Config) { c.Timing = Timing{Measure: time.Second, Tick: 2 * time.Second} },
		"timing: baseline_blocks 2: must be at least 3":      func(c *Config) { c.Timing.BaselineBlocks = 2 },
		"budget: max_pairs -1: must be at least 1":           func(c *Config) { c.Budget.MaxPairs = -1 },
		"budget: reserved_pairs -1: must not be negative":    func(c *Config) { c.Budget.ReservedPairs = -1 },
		"budget: fdr 0.6: must be within 0..0.5":             func(c *Config) { c.Budget.FDR = 0.6 },
		"budget: fdr -0.1: must be within":                   func(c *Config) { c.Budget.FDR = -0.1 },
		"budget: fdr NaN: must be within":                    func(c *Config) { c.Budget.FDR = nan },
		"slow_guard 19: must be at least 20":                 func(c *Config) { c.SlowGuard = 19 },
		"slow_guard NaN: must be at least 20":                func(c *Config) { c.SlowGuard = nan },
		"journal state: version 7: this program reads":       func(c *Config) { c.State = &State{Version: 7} },
		"knob gone: kept at 1, and this service has no such": func(c *Config) {
			c.State = &State{Version: StateVersion, Safe: SettingOf(map[string]float64{"gone": 1})}
		},
	} {
		cfg := goodConfig()
		change(&cfg)
		_, err := New(cfg)
		require.ErrorContains(t, err, says)
	}
}

// All faults come at once, always in the same order.
func TestNew_reportsAllFaultsInOrder(t *testing.T) {
	cfg := goodConfig()
	cfg.Policy = nil
	cfg.Offered[0].Start = map[string]float64{"a": 7, "b": 7, "c": 7, "d": 7, "e": 7}
	cfg.Timing.BaselineBlocks, cfg.Budget.MaxPairs = 1, -4
	_, err := New(cfg)
	for _, says := range []string{"policy:", "start of a", "start of b", `start of "e"`, "baseline_blocks 1", "max_pairs -4"} {
		require.ErrorContains(t, err, says)
	}
	for range 20 {
		_, again := New(cfg)
		require.Equal(t, err.Error(), again.Error())
	}
}

// A knob that is gone and was never moved is no loss.
func TestNew_takesAStateWithoutWhatWasNeverMoved(t *testing.T) {
	cfg := goodConfig()
	old := SettingOf(map[string]float64{"a": 1, "gone": 3})
	cfg.State = &State{Version: StateVersion, Initial: old, Safe: old}
	_, err := New(cfg)
	require.NoError(t, err)
}

func TestGuard_trips(t *testing.T) {
	s := Sample{Totals: map[Metric]float64{Requests: 100}, Gauges: map[Metric]float64{"x": 5}}
	for _, c := range []struct {
		guard Guard
		trips bool
	}{
		{Guard{Metric: "x", Limit: 4}, true},
		{Guard{Metric: "x", Limit: 5}, false},
		{Guard{Metric: "x", Limit: 6, Below: true}, true},
		{Guard{Metric: "x", Limit: 5, Below: true}, false},
		{Guard{Metric: "x", Limit: 4, MinRequests: 100}, true},
		{Guard{Metric: "x", Limit: 4, MinRequests: 101}, false},
		{Guard{Metric: "absent", Limit: 4}, false},
		{Guard{Metric: "absent", Limit: 4, Below: true}, false},
	} {
		_, got := c.guard.Trips(&s)
		require.Equal(t, c.trips, got, "%+v", c.guard)
	}
}

func TestSpace_checkSettingReportsAllFaults(t *testing.T) {
	space, _, _ := switches("a", "b")
	err := space.CheckSetting(SettingOf(map[string]float64{"a": 2, "z": 1}))
	require.ErrorContains(t, err, "a 2: must be 0 (off) or 1 (on)")
	require.ErrorContains(t, err, "b: missing: a setting has a value for each knob")
	require.ErrorContains(t, err, "z 1: unknown knob")
	require.NoError(t, space.CheckSetting(SettingOf(map[string]float64{"a": 1, "b": 0})))
}

// A block of a table or a recording is one draw: a negative washout is none,
// and stays none when the timing comes back from a journal.
func TestTiming_withoutWashout(t *testing.T) {
	cfg := Config{Space: Space{Knobs: []Knob{{Name: "x", Kind: Switch}}}, Policy: &eachOnce{}, Timing: Timing{Washout: -1, Measure: time.Second, Tick: time.Second}}
	for range 2 {
		c, err := New(cfg)
		require.NoError(t, err)
		session := c.Start().Records[0].Session
		cfg.Timing = session.Timing
		require.Negative(t, session.Timing.Washout)
		cmd := c.Step(Input{At: epochZero, Current: SettingOf(map[string]float64{"x": 0})})
		require.Equal(t, time.Second, cmd.Wait, "the first tick is measured")
	}
}
