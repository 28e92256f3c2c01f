package live

import (
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"

	"autotune/catalog"
	"autotune/controller"
	"autotune/internal/demo"
)

// Workloads are the guide's five, the columns.
func Workloads() []string {
	return []string{"high-allocation", "large-context", "cpu-intensive", "high-frequency", "low-latency"}
}

// Switches are the guide's twelve, the rows.
func Switches() []string {
	var names []string
	for _, o := range catalog.Optimizations() {
		names = append(names, o.Switch)
	}
	return names
}

// Control is a row without a switch: two configurations that are the same, of
// which nothing should be shown more often than chance has it.
const Control = "control"

// Rows of the table are the switches, and the control.
func Rows() []string { return append(Switches(), Control) }

// Goals are what is measured in each cell.
func Goals() []controller.Goal {
	return []controller.Goal{
		{Metric: controller.LatencyP95},
		{Metric: controller.LatencyMean},
		{Metric: controller.CPUPerRequest},
		{Metric: controller.RSSBytes},
		{Metric: controller.AllocBytes + "_per_request"},
	}
}

// Plan is all that a cell's measurement is determined by, but for the code, the
// machine and what else that does.
type Plan struct {
	Workload string `json:"workload"`
	Switch   string `json:"switch"`
	// Given are values of fields, in the knobs' units, with and without the
	// switch: its numbers, and whatever else it needs to be on.
	Given map[string]float64 `json:"given,omitempty"`
	Pairs int                `json:"pairs"`
	// Block in seconds, and Autopilot, how long that works before its check.
	Block     float64 `json:"block_seconds"`
	Autopilot float64 `json:"autopilot_seconds,omitempty"`
	Rate      float64 `json:"rate"` // of requests, per second
	Items     int     `json:"items"`
	Seed      uint64  `json:"seed"`
}

func (p Plan) equal(o Plan) bool {
	given := maps.Equal(p.Given, o.Given)
	p.Given, o.Given = nil, nil
	return given && fmt.Sprint(p) == fmt.Sprint(o)
}

// name of its cell.
func (p Plan) name() string { return p.Workload + "/" + p.Switch }

// The lengths of blocks. Those of a switch that puts work off become four times
// as long, with a drain. Outages come every 18 s or so, so that what only they
// show takes blocks in which there is one more often than not.
const (
	usualBlock  = 750 * time.Millisecond
	deferBlock  = 500 * time.Millisecond
	deferPairs  = 16
	outageBlock = 12 * time.Second
	outagePairs = 12
	// autopilotPairs of the check after the autopilot.
	autopilotPairs = 16
)

// plans are the cells to measure, row by row.
func (o *Options) plans() ([]Plan, error) {
	var out []Plan
	matched := map[string]bool{}
	for _, s := range append(catalog.Optimizations(), controller.Optimization{Switch: Control}) {
		for _, w := range Workloads() {
			p := o.plan(s, w)
			wanted := len(o.Only) == 0
			for _, only := range o.Only {
				if only == w || only == s.Switch || only == p.name() {
					wanted, matched[only] = true, true
				}
			}
			if wanted {
				out = append(out, p)
			}
		}
	}
	var errs []error
	for _, only := range o.Only {
		if matched[only] {
			continue
		}
		near := ""
		if name := catalog.Nearest(only[strings.LastIndex(only, "/")+1:]); slices.Contains(Switches(), name) {
			near = "; nearest is " + name
		}
		errs = append(errs, fmt.Errorf("only %q: must be a workload (%s), a switch of the guide, %s, or WORKLOAD/SWITCH%s", only, strings.Join(Workloads(), ", "), Control, near))
	}
	return out, errors.Join(errs...)
}

func (o *Options) plan(s controller.Optimization, workload string) Plan {
	p := Plan{
		Workload: workload, Switch: s.Switch, Pairs: o.Pairs, Block: o.Block.Seconds(),
		Rate: o.Rate, Items: o.Items, Given: given(s, workload),
	}
	switch {
	case s.Switch == catalog.EnableAutomatic:
		p.Pairs, p.Block, p.Autopilot, p.Given = min(o.Pairs, autopilotPairs), time.Second.Seconds(), o.Autopilot.Seconds(), nil
	case workload == "low-latency" && (s.Switch == catalog.EnableCircuitBreaker || s.Switch == catalog.EnableErrorHandling):
		p.Pairs, p.Block = min(o.Pairs, outagePairs), max(o.Block, outageBlock).Seconds()
	default:
		if f, ok := catalog.FieldOf(s.Switch); ok && f.Defers {
			p.Pairs, p.Block = min(o.Pairs, deferPairs), min(o.Block, deferBlock).Seconds()
		}
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%d|%s", o.Seed, p.name())
	p.Seed = h.Sum64()
	return p
}

// given are the numbers of a switch: what the guide has for the workload, else
// where a trial of it starts, else defaults.
func given(s controller.Optimization, workload string) map[string]float64 {
	values := map[string]float64{}
	maps.Copy(values, s.Start)
	for _, preset := range catalog.Presets() {
		if preset.Name != workload || preset.Values[s.Switch] == 0 {
			continue
		}
		for _, name := range s.Knobs {
			if v, ok := preset.Values[name]; ok {
				values[name] = v
			}
		}
	}
	switch s.Switch {
	case catalog.EnableMemory:
		// By the guide's values it looks once a minute, and acts when memory is
		// near its limit: never, here. So it is measured acting as often as it may.
		values[catalog.MemoryCleanupInterval], values[catalog.MemoryThreshold] = 1, 0
	case catalog.EnableAlgorithm:
		values[catalog.EnableCache], values[catalog.CacheSize] = 1, 4096 // without it, nothing is looked up
	}
	return values
}

// The defaults of Options.
const (
	defaultPairs     = 20
	defaultAutopilot = 2 * time.Minute
	defaultRate      = demo.DefaultRate
	defaultItems     = demo.DefaultItems
)
