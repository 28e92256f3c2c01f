package diagnose

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/controller"
)

const mib = 1 << 20

// on is an effect of a switch, log units.
func on(name string, effect float64) func(moment) float64 {
	return func(m moment) float64 {
		if m.setting.On(name) {
			return effect
		}
		return 0
	}
}

// gauge shows another value of a metric.
func gauge(m controller.Metric, v float64) func(moment, *controller.Sample) {
	return func(_ moment, s *controller.Sample) { s.Gauges[m] = v }
}

// A world for each finding there is, by the rule and what it says.
func worlds() map[string]struct {
	world
	rule, what string
} {
	type named = struct {
		world
		rule, what string
	}
	all := map[string]named{}
	add := func(name, rule, what string, w world) { all[name] = named{w, rule, what} }
	holding, held := fieldsOf(catalog.EnableCache, catalog.EnableMemory)
	spans, exporting := fieldsOf(catalog.EnableTelemetry, catalog.EnableConcurrency)
	hour := time.Hour

	add("worse", "regression", "fast on made latency p95 worse, and was put back", world{effect: on("fast", 0.4)})
	add("guard", "regression", "fast on tripped a guard", world{
		effect: on("fast", 1.1), config: func(c *controller.Config) {
			c.Guards = []controller.Guard{{Metric: controller.LatencyP95, Limit: 0.02}}
		},
	})
	add("off-is-better", "regression", "fast off is kept: on, it made things worse", world{
		initial: map[string]float64{"fast": 1}, effect: on("fast", 0.4), lasts: 2 * time.Minute,
	})
	add("audit", "regression", "what trial 1 kept, is better", world{
		lasts: 2 * hour, effect: func(m moment) float64 {
			if m.age < time.Minute {
				return on("fast", -0.4)(m)
			}
			return on("fast", 0.4)(m)
		},
		config: func(c *controller.Config) { c.Alert.Interval = -1 },
	})
	add("degraded", "regression", "worse than expected soon after something was kept", world{
		lasts: 4 * time.Minute, config: func(c *controller.Config) { c.Alert = controller.Alert{Interval: 20 * time.Second, Probation: hour} },
		effect: func(m moment) float64 {
			if m.age > 100*time.Second && m.age < 160*time.Second {
				return on("fast", -0.4)(m) + 0.5
			}
			return on("fast", -0.4)(m)
		},
	})
	add("crash", "regression", "the process died while fast on was in force", world{
		legs: []leg{{lasts: 16 * time.Second}, {}}, lasts: 50 * time.Second,
	})

	add("near-limit", "memory", "memory reaches 95 % of its limit", world{
		knobs: holding, offered: held[:0], initial: map[string]float64{catalog.EnableCache: 1, catalog.CacheSize: 16384},
		sample: func(m moment, s *controller.Sample) {
			s.Gauges[controller.RSSBytes], s.Gauges[controller.MemoryRatio] = 285*mib, 0.95
		},
	})
	add("leak", "memory", "resident memory grows on", world{
		lasts: 30 * time.Minute, sample: func(m moment, s *controller.Sample) {
			grown := m.age.Seconds() / 1800 * 100
			s.Gauges[controller.RSSBytes] = (100 + grown + m.noise) * mib
			s.Gauges[controller.MemoryRatio] = (100 + grown) / 300
			s.Gauges[goroutines] = 40 + 10*grown
		},
	})
	add("full-host-memory", "memory", "the host's memory is full", world{sample: gauge(hostMemory, 0.97)})

	add("busy-neighbor", "cpu", "the processors are full", world{sample: gauge(hostCPU, 1)})
	add("waiting", "cpu", "the processors are full", world{
		knobs: spans, offered: exporting[:0], initial: map[string]float64{catalog.EnableTelemetry: 1},
		sample: func(m moment, s *controller.Sample) {
			s.Totals[catalog.SchedulerWaitSeconds] = 0.3 * s.Over.Seconds()
			s.Totals[controller.CPUSeconds] = 2 * s.Over.Seconds()
		},
	})
	add("throttled", "cpu", "runs out of its CPU quota", world{sample: gauge(throttled, 0.3)})
	add("garbage", "cpu", "garbage collection takes much", world{sample: gauge(controller.GCCPURatio, 0.4)})
	add("telemetry", "cpu", "telemetry takes much", world{
		sample: func(m moment, s *controller.Sample) { s.Totals[catalog.TelemetrySeconds] = 0.1 * s.Over.Seconds() },
	})

	add("noise", "inconsistent", "varies much from one block to the next", world{effect: func(m moment) float64 { return 0.5 * m.noise }})
	add("noise-by-load", "inconsistent", "varies much from one block to the next", world{
		effect: func(m moment) float64 { return 0.5 * m.noise },
		sample: func(m moment, s *controller.Sample) { s.Totals[controller.Requests] *= math.Exp(0.5 * m.noise) },
	})
	add("period", "inconsistent", "goes up and down with a period of 1m", world{
		lasts: 20 * time.Minute, effect: func(m moment) float64 { return 0.2 * math.Sin(2*math.Pi*m.age.Seconds()/60) },
		config: func(c *controller.Config) { c.Alert.Interval = -1 },
	})
	add("outside", "inconsistent", "1 change came from outside", world{
		current: func(s *service) (controller.Setting, error) {
			if s.now.Equal(dawn.Add(9 * time.Second)) {
				s.set = s.set.With(map[string]float64{"fast": 1})
			}
			return s.set, nil
		},
		offered: nil,
	})
	add("deaths", "inconsistent", "the process dies soon after its start", world{
		legs: []leg{{lasts: 5 * time.Second}, {lasts: 5 * time.Second}, {}}, lasts: 30 * time.Second,
	})
	add("worse-by-itself", "inconsistent", "nothing was kept shortly before", world{
		lasts: 3 * time.Minute, config: func(c *controller.Config) { c.Alert = controller.Alert{Interval: 20 * time.Second} },
		effect: func(m moment) float64 {
			if m.age > 90*time.Second {
				return 0.5
			}
			return 0
		},
	})
	add("undecided", "inconsistent", "ended undecided", world{
		lasts:  20 * time.Minute,
		effect: func(m moment) float64 { return on("fast", -0.05)(m) + 0.12*m.noise },
		config: func(c *controller.Config) { c.Budget.MaxPairs, c.Alert.Interval = 6, -1 },
	})

	add("no-latency", "metrics", "a goal is not measured", world{
		goals: []controller.Goal{{Metric: controller.LatencyP95}, {Metric: controller.CPUPerRequest}},
		sample: func(m moment, s *controller.Sample) {
			delete(s.Gauges, controller.LatencyP95)
			delete(s.Gauges, controller.LatencyMean)
		},
	})
	add("no-load", "metrics", "hardly any requests come", world{
		sample: func(m moment, s *controller.Sample) { s.Totals[controller.Requests] = 0 },
	})
	add("no-steps", "metrics", "the executor runs nothing", world{
		knobs: holding, offered: held[:0],
		sample: func(m moment, s *controller.Sample) { s.Totals[catalog.Executions] = 0 },
	})
	add("blind", "metrics", "observing the service failed", world{
		observe: func(m moment) error {
			if int(m.age.Seconds())%7 == 3 {
				return errBroken
			}
			return nil
		},
	})
	add("unjudged", "metrics", "cannot be judged for want of a metric", world{
		knobs: []controller.Knob{{Name: "fast", Kind: controller.Switch}},
		offered: []controller.Optimization{{
			Name: "fast", Why: "It is faster.", Switch: "fast", Equivalence: controller.Exact, Needs: []controller.Metric{"queue_depth"},
		}},
	})

	add("refused", "applied", "a setting could not be applied", world{
		apply: func(s *service, to controller.Setting) error {
			if to.On("fast") {
				return errBroken
			}
			s.set = to
			return nil
		},
	})
	add("deaf", "applied", "what was tried did not take effect", world{apply: func(*service, controller.Setting) error { return nil }})
	add("unread", "applied", "could not be read back", world{
		current: func(s *service) (controller.Setting, error) {
			if s.now.Sub(dawn)%(10*time.Second) == 5*time.Second {
				return controller.Setting{}, errBroken
			}
			return s.set, nil
		},
	})
	add("stuck", "applied", "the kept setting is not in force", world{
		effect: on("fast", 0.4), lasts: 30 * time.Second,
		apply: func(s *service, to controller.Setting) error {
			if to.On("fast") {
				s.set = to // and never back
			}
			return nil
		},
	})
	add("won-over", "applied", "what was kept was not put back after a restart", world{
		knobs:  []controller.Knob{{Name: "fast", Kind: controller.Switch}, {Name: "batch", Kind: controller.Int, Min: 1, Max: 100}},
		effect: on("fast", -0.4), initial: map[string]float64{"batch": 10}, offered: []controller.Optimization{fast()},
		legs: []leg{{lasts: 40 * time.Second}, {changed: map[string]float64{"batch": 20}}}, lasts: 50 * time.Second,
	})
	add("without-effect", "applied", "numbers are configured that move nothing", world{
		knobs: holding, offered: held[:0], initial: map[string]float64{catalog.CacheSize: 4096},
	})
	add("out-of-bounds", "applied", "its value is outside its own bounds", world{
		knobs:   []controller.Knob{{Name: "fast", Kind: controller.Switch}, {Name: "open", Kind: controller.Int, Unit: "connections", Min: 1, Max: 64}},
		offered: []controller.Optimization{{Name: "fast", Why: "It is faster.", Switch: "fast", Knobs: []string{"open"}, Equivalence: controller.Exact}},
	})
	add("advice", "applied", "nothing is tried", world{config: func(c *controller.Config) { c.Advise = true }})
	add("paused", "applied", "nothing is tried", world{
		ask: func(m moment) controller.Ask {
			switch m.age {
			case 5 * time.Second:
				return controller.Pause
			case 30 * time.Second:
				return 0
			}
			return 0
		},
		legs: []leg{{lasts: 30 * time.Second}},
	})
	add("over-its-limit", "applied", "nothing is tried", world{
		config: func(c *controller.Config) {
			c.Guards = []controller.Guard{{Metric: controller.LatencyP95, Limit: 0.005}}
		},
		legs: []leg{{lasts: 30 * time.Second}},
	})
	add("not-granted", "applied", "nothing is tried", world{
		knobs: []controller.Knob{{Name: "fast", Kind: controller.Switch}},
		offered: []controller.Optimization{{
			Name: "fast", Why: "It is faster.", Switch: "fast", Equivalence: controller.Bounded, MayDiffer: "Some answers are wrong.",
		}},
	})
	return all
}

// Each thing that there is to find is found where it is, and told as the golden
// file has it.
func TestRules_fire(t *testing.T) {
	fired := map[string]bool{}
	for name, w := range worlds() {
		t.Run(name, func(t *testing.T) {
			d, err := Read(w.play(t))
			require.NoError(t, err)
			whole(t, d)
			var text bytes.Buffer
			require.NoError(t, d.WriteText(&text))
			var told []string
			for _, f := range d.Findings {
				told = append(told, f.Rule+": "+f.What)
				fired[f.Rule] = true
			}
			require.Contains(t, strings.Join(told, "\n"), w.rule+": ")
			require.Contains(t, strings.Join(told, "\n"), w.what)
			golden(t, "rules/"+name+".txt", text.Bytes())
		})
	}
	for _, r := range Rules() {
		require.True(t, fired[r], "no world in which %s fires", r)
	}
}

// In a healthy service, in which something was kept and something else was not
// shown to help, every rule has what it needs and none finds anything.
func TestRules_areSilentOnAHealthyService(t *testing.T) {
	w := world{
		lasts: 40 * time.Minute, effect: func(m moment) float64 { return on("fast", -0.3)(m) },
		goals: controller.DefaultGoals(),
		sample: func(m moment, s *controller.Sample) { // memory goes up and down with the collector, and load as it likes
			s.Gauges[controller.RSSBytes] = (100 + 10*math.Mod(m.age.Seconds(), 30)/30 + m.noise) * mib
			s.Totals[controller.Requests] *= math.Exp(0.1 * m.noise)
		},
		config: func(c *controller.Config) {
			c.Guards = []controller.Guard{{Metric: controller.MemoryRatio, Limit: 0.95}}
		},
	}
	d, err := Read(w.play(t))
	require.NoError(t, err)
	whole(t, d)
	var text bytes.Buffer
	require.NoError(t, d.WriteText(&text))
	golden(t, "rules/healthy.txt", text.Bytes())
	require.Empty(t, d.Findings)
	require.Positive(t, d.Trials)
	for _, l := range d.Looked {
		require.True(t, l.Known, l.Rule)
	}
}
