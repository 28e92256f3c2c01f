package metrics

import (
	"math"
	"reflect"
	"strings"

	"autotune"
	"autotune/controller"
	"autotune/executor"
)

// Kind of a metric: a Counter only grows, while the process lives.
type Kind int

// The kinds.
const (
	Gauge Kind = iota + 1
	Counter
)

// Metric is one row of the table.
type Metric struct {
	// Name is Prometheus's; OpenTelemetry's has dots, and no _total.
	Name string
	Help string
	// Unit as OpenTelemetry writes it (UCUM): "s", "By", "1", "{trial}".
	Unit string
	Kind Kind
	// Label is the name of the one label that it has, or empty.
	Label string

	read func(*view) []point
}

// point is one value, of a label's value.
type point struct {
	label string
	value float64
}

// view is what there is to see at a moment.
type view struct {
	status autotune.Status
	stats  executor.Stats
}

func look(p *autotune.Autopilot) *view { return &view{p.Status(), p.Executor().Stats()} }

// Table is every metric, in the order in which they are listed.
func Table() []Metric {
	return append([]Metric{
		{"autotune_phase", "The phase that the autopilot is in: 1 for that one.", "1", Gauge, "phase", func(v *view) []point {
			return []point{{v.status.Phase.String(), 1}}
		}},
		{"autotune_setting", "Value in force of each knob, in its own unit.", "1", Gauge, "knob", func(v *view) []point { return knobs(v.status.InForce) }},
		{"autotune_kept_setting", "Last kept value of each knob.", "1", Gauge, "knob", func(v *view) []point { return knobs(v.status.Safe) }},
		{"autotune_initial_setting", "Value of each knob at the start.", "1", Gauge, "knob", func(v *view) []point { return knobs(v.status.Initial) }},
		{"autotune_verdicts_total", "Trials and audits that ended, by outcome.", "{verdict}", Counter, "outcome", func(v *view) []point {
			var out []point
			for o := controller.Kept; o <= controller.Errored; o++ {
				out = append(out, point{o.String(), float64(v.status.Verdicts[o])})
			}
			return out
		}},
		{"autotune_trial_pairs", "Pairs of blocks of the running trial; absent while there is none.", "{pair}", Gauge, "", func(v *view) []point {
			if v.status.Trial == nil {
				return nil
			}
			return []point{{"", float64(v.status.Trial.Pairs)}}
		}},
		{"autotune_trial_effect_ratio", "Relative change of each goal in the running trial so far; -0.1 is 10 % less.", "1", Gauge, "goal", func(v *view) []point {
			return effects(&v.status, func(e controller.Effect) float64 { return e.Change })
		}},
		{"autotune_trial_effect_low_ratio", "Lower end of the 95 % interval of it.", "1", Gauge, "goal", func(v *view) []point {
			return effects(&v.status, func(e controller.Effect) float64 { return e.Low })
		}},
		{"autotune_trial_effect_high_ratio", "Upper end of the 95 % interval of it.", "1", Gauge, "goal", func(v *view) []point {
			return effects(&v.status, func(e controller.Effect) float64 { return e.High })
		}},
		{"autotune_blocked_candidates", "Candidates that may not be tried now: cooling down, quarantined, pinned, not granted.", "{candidate}", Gauge, "", func(v *view) []point {
			return []point{{"", float64(len(v.status.Blocked))}}
		}},
		{"autotune_audited_changes", "Kept changes that audits look after.", "{change}", Gauge, "", func(v *view) []point {
			return []point{{"", float64(len(v.status.Audits))}}
		}},
		{"autotune_wealth_ratio", "What is left of the error rate that trials may spend.", "1", Gauge, "", func(v *view) []point {
			return []point{{"", v.status.Wealth}}
		}},
		{"autotune_cpu_seconds_total", "CPU time of the autopilot's own thread.", "s", Counter, "", func(v *view) []point {
			return []point{{"", v.status.CPUSeconds}}
		}},
		{"autotune_dropped_alerts_total", "Alerts and decisions that no callback took in time.", "{alert}", Counter, "", func(v *view) []point {
			return []point{{"", float64(v.status.AlertsDropped)}}
		}},
	}, executorTable()...)
}

func knobs(s controller.Setting) []point {
	var out []point
	for name, value := range s.All() {
		out = append(out, point{name, value})
	}
	return out
}

func effects(s *autotune.Status, of func(controller.Effect) float64) []point {
	if s.Trial == nil {
		return nil
	}
	var out []point
	for _, e := range s.Trial.Effects {
		if v := of(e); !math.IsInf(v, 0) && !math.IsNaN(v) {
			out = append(out, point{string(e.Metric), v})
		}
	}
	return out
}

// executorGauges are those of the executor's statistics that do not only grow,
// and executorUnits of those that are not plain counts.
var (
	executorGauges = map[string]bool{"in_flight": true, "cache_entries": true, "pool_idle": true}
	executorUnits  = map[string]string{"state_bytes": "By"}
)

// executorTable has a row for each of the executor's statistics: none is left out
// when one is added. Their meaning is told once, at executor.Stats.
func executorTable() []Metric {
	var out []Metric
	t := reflect.TypeFor[executor.Stats]()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		m := Metric{
			Name: "autotune_executor_" + name, Unit: "{" + name + "}", Kind: Counter,
			Help: "Executor: " + strings.ReplaceAll(name, "_", " ") + ", as executor.Stats has it.",
			read: func(v *view) []point { return []point{{"", float64(reflect.ValueOf(v.stats).Field(i).Uint())}} },
		}
		if unit, ok := executorUnits[name]; ok {
			m.Unit = unit
		}
		if executorGauges[name] {
			m.Kind = Gauge
		} else {
			m.Name += "_total"
		}
		out = append(out, m)
	}
	return out
}
