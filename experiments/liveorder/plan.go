package liveorder

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"autotune/catalog"
	"autotune/controller"
)

// Everyday is the name of the workload that has a little of everything.
const Everyday = "everyday"

// workloadOf is what the demonstration calls a workload.
func workloadOf(name string) string {
	if name == Everyday {
		return ""
	}
	return name
}

// Arm is who proposes and who judges.
type Arm string

// The arms: three that propose, with the shipped controller, and two that judge.
const (
	Guide   Arm = "guide"
	Blind   Arm = "guide without ranking"
	Chance  Arm = "random order"
	Window  Arm = "window before/after"
	Welch   Arm = "Welch 10 v 10"
	measure Arm = "" // a setting of the yardstick
)

// Arms are all of them, in the order of the report.
func Arms() []Arm { return []Arm{Guide, Blind, Chance, Window, Welch} }

// Plan is all that a session is determined by, but for the code, the machine and
// what else that does.
type Plan struct {
	Workload string `json:"workload"`
	Arm      Arm    `json:"arm,omitempty"`
	// Setting of the yardstick by name, and its values.
	Setting string             `json:"setting,omitempty"`
	Values  map[string]float64 `json:"values,omitempty"`
	Seconds float64            `json:"seconds"` // of steering
	Pairs   int                `json:"pairs"`   // of the comparison
	Rate    float64            `json:"rate"`    // of requests, per second
	Items   int                `json:"items"`
	Seed    uint64             `json:"seed"` // the same for all arms
}

// name is unique among the plans of a run.
func (p *Plan) name() string {
	if p.Arm == measure {
		return p.Workload + "/setting " + p.Setting
	}
	return fmt.Sprintf("%s/%s/%d", p.Workload, p.Arm, p.Seed)
}

func (p *Plan) equal(o *Plan) bool { return fmt.Sprint(*p) == fmt.Sprint(*o) }

// offer is everything of the executor but the autopilot's own switch, and telemetry
// where there are no spans.
func offer(spans bool) []string {
	var names []string
	for _, o := range catalog.Optimizations() {
		if o.Name != catalog.EnableAutomatic && (spans || o.Name != catalog.EnableTelemetry) {
			names = append(names, o.Name)
		}
	}
	return names
}

// arms are those that are wanted of each workload, and the workloads in the order
// in which they are named.
func (o *Options) arms() (workloads []string, arms map[string][]Arm) {
	arms = map[string][]Arm{}
	for _, only := range o.Only {
		w, arm, has := strings.Cut(only, "/")
		if !slices.Contains(workloads, w) {
			workloads = append(workloads, w)
		}
		for _, a := range Arms() {
			if !slices.Contains(arms[w], a) && (!has || a == Arm(arm)) {
				arms[w] = append(arms[w], a)
			}
		}
	}
	return workloads, arms
}

// plans are the yardstick, then the sessions, those of one seed together.
func (o *Options) plans() []Plan {
	var out []Plan
	workloads, arms := o.arms()
	for _, w := range workloads {
		settings := yardstick(w)
		for _, name := range slices.Sorted(maps.Keys(settings)) {
			out = append(out, Plan{
				Workload: w, Setting: name, Values: settings[name], Pairs: o.Pairs, Rate: o.Rate, Items: o.Items, Seed: o.mixed(w, name, 0),
			})
		}
	}
	for n := range uint64(o.Seeds) {
		for _, w := range workloads {
			for _, a := range arms[w] {
				out = append(out, Plan{
					Workload: w, Arm: a, Seconds: o.Session.Seconds(), Pairs: o.CheckPairs, Rate: o.Rate, Items: o.Items, Seed: o.mixed(w, "", n),
				})
			}
		}
	}
	return out
}

// mixed is a seed of its own for each session.
func (o *Options) mixed(parts ...any) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, append([]any{o.Seed}, parts...)...)
	return h.Sum64() >> 11 // whole as a JSON number everywhere
}

// paying are the switches that pay on some workload, by the table of package live.
func paying() []string {
	return []string{catalog.EnableCache, catalog.EnableObjectPool, catalog.EnableContext, catalog.EnableTelemetry, catalog.EnableCircuitBreaker}
}

// yardstick are the settings that a person would think of, by name: what differs
// from everything off.
func yardstick(workload string) map[string]map[string]float64 {
	out := map[string]map[string]float64{}
	pays, all := map[string]float64{}, map[string]float64{}
	for _, o := range catalog.Optimizations() {
		if o.Name == catalog.EnableAutomatic {
			continue
		}
		alone := map[string]float64{o.Switch: 1}
		maps.Copy(alone, o.Start)
		if slices.Contains(paying(), o.Name) {
			out[strings.TrimPrefix(o.Name, "enable_")] = alone
			maps.Copy(pays, alone)
		}
		maps.Copy(all, alone)
	}
	out["all that pay"], out["everything"] = pays, all
	for _, p := range catalog.Presets() {
		if p.Name == workload {
			preset := maps.Clone(p.Values)
			delete(preset, catalog.EnableAutomatic)
			out["preset"] = preset
		}
	}
	return out
}

// switchesOn of a setting, in the catalog's order.
func switchesOn(s controller.Setting) []string {
	on := []string{}
	for _, o := range catalog.Optimizations() {
		if s.On(o.Switch) {
			on = append(on, o.Switch)
		}
	}
	return on
}
