package catalog

import (
	"maps"
	"math"

	"autotune/controller"
)

// Band is a row of the guide's tables of values: what a number should be for a
// service of a kind. It is where a search starts, not what it must find.
type Band struct {
	// Table it is a row of, and its name there: "object pool", "small".
	Table, Name string
	// Metric that says which row applies, for Low <= metric < High. Empty: nothing
	// measured does, and the owner chooses.
	Metric    controller.Metric
	Low, High float64
	Values    Values
}

// StateBytes is the mean size of the run state that an execution copies. It is
// measured where a service has run state.
const StateBytes controller.Metric = "state_bytes_per_copy"

// Load is executions a second, by the requests that start them.
const Load controller.Metric = controller.Requests + "_per_second"

// Bands returns every row, table by table. The copies are the caller's.
func Bands() []Band {
	const kib = 1024
	cores := float64(Cores())
	inf := math.Inf(1)
	return []Band{
		{"object pool", "small", Load, 0, 100, Values{ObjectPoolMaxSize: 50, ObjectPoolCleanupThreshold: 0.9}},
		{"object pool", "medium", Load, 100, 1000, Values{ObjectPoolMaxSize: 500, ObjectPoolCleanupThreshold: 0.75}},
		{"object pool", "large", Load, 1000, inf, Values{ObjectPoolMaxSize: 2000, ObjectPoolCleanupThreshold: 0.6}},

		{"context cache", "small", StateBytes, 0, kib, Values{ContextCacheSize: 512, ContextCacheTTL: 900}},
		{"context cache", "medium", StateBytes, kib, 10 * kib, Values{ContextCacheSize: 1024, ContextCacheTTL: 1800}},
		{"context cache", "large", StateBytes, 10 * kib, inf, Values{ContextCacheSize: 2048, ContextCacheTTL: 3600}},

		{Table: "concurrency", Name: "conservative", Values: Values{MaxConcurrentExecutions: cores}},
		{Table: "concurrency", Name: "balanced", Values: Values{MaxConcurrentExecutions: 2 * cores}},
		{Table: "concurrency", Name: "aggressive", Values: Values{MaxConcurrentExecutions: 4 * cores}},

		{Table: "telemetry", Name: "development", Values: Values{TelemetrySamplingRate: 1, TelemetryBatchSize: 10}},
		{Table: "telemetry", Name: "production", Values: Values{TelemetrySamplingRate: 0.1, TelemetryBatchSize: 100}},
		{Table: "telemetry", Name: "high-performance", Values: Values{TelemetrySamplingRate: 0.01, TelemetryBatchSize: 1000}},
	}
}

// Start returns the values with which an optimization should be turned on where
// nobody knows the workload: its own, and those of the bands that the service was
// measured to be in. measured returns the value of a metric, and false for one that
// was not measured.
func Start(o controller.Optimization, measured Measured) Values {
	return StartIn(o, "", "", measured)
}

// StartIn is Start for a workload and a system of the guide. What its preset for the
// workload has comes before the catalog's values, but not before those that the owner
// has given the optimization; the measured bands come before both, and what it has for
// a system with little or much memory before everything.
func StartIn(o controller.Optimization, workload, system string, measured Measured) Values {
	start := maps.Clone(o.Start)
	if start == nil {
		start = Values{}
	}
	take := func(values Values) {
		for _, name := range o.Knobs {
			if at, ok := values[name]; ok {
				start[name] = at
			}
		}
	}
	for _, p := range Presets() {
		if p.Name == workload {
			take(p.Values)
		}
	}
	usual := usualStart(o.Name)
	for name, at := range o.Start {
		if at != usual[name] {
			start[name] = at
		}
	}
	// Presets are for the cores of this machine; the optimization's own value, twice
	// the cores, is for the service's.
	if limit, ok := o.Start[MaxConcurrentExecutions]; ok {
		start[MaxConcurrentExecutions] = limit
		if workload == CPUIntensive {
			start[MaxConcurrentExecutions] = 2 * limit
		}
	}
	for _, b := range Bands() {
		if b.Metric == "" {
			continue
		}
		if v, ok := measured(b.Metric); ok && v >= b.Low && v < b.High {
			take(b.Values)
		}
	}
	for _, p := range Presets() {
		if p.Overlay && p.Name == system {
			take(p.Values)
		}
	}
	return start
}

// usualStart are the values that the catalog starts an optimization with.
func usualStart(name string) Values {
	for _, h := range hypotheses() {
		if h.optimization.Name == name {
			return h.optimization.Start
		}
	}
	return nil
}
