package catalog

import (
	"runtime"
	"time"

	"autotune/controller"
)

// Names of the fields, which are the names of the knobs.
const (
	EnableCache             = "enable_cache_optimization"
	CacheSize               = "cache_size"
	CacheTTL                = "cache_ttl"
	EnableStep              = "enable_step_optimization"
	EnableConcurrency       = "enable_concurrency_optimization"
	MaxConcurrentExecutions = "max_concurrent_executions"
	ConcurrencyTimeout      = "concurrency_timeout"
)

const (
	secondsPerDay  = 24 * 60 * 60
	limitOverCores = 2 // the default of max_concurrent_executions
)

// field is a knob and the value that it has when nobody set it.
type field struct {
	knob  controller.Knob
	value float64
}

// fields are all knobs, in the guide's order.
//
// The guide's max_concurrent_executions of 24 is twice the 12 cores of the
// machine it was measured on; here it is twice the cores that this process may
// use. A TTL of an hour, or a time-out of half a minute, acts more rarely than a
// block of a trial lasts: their Period says so, and no trial moves them.
func fields() []field {
	return []field{
		{knob: controller.Knob{
			Name: EnableConcurrency, Kind: controller.Switch, Max: 1,
		}},
		{knob: controller.Knob{
			Name: MaxConcurrentExecutions, Kind: controller.Int, Unit: "executions", Min: 1, Max: 1e5,
			Scale: controller.Log, MaxMove: 2, Needs: EnableConcurrency,
		}, value: float64(limitOverCores * runtime.GOMAXPROCS(0))},
		{knob: controller.Knob{
			Name: ConcurrencyTimeout, Kind: controller.Duration, Unit: "s", Min: 1e-3, Max: 3600,
			Scale: controller.Log, MaxMove: 2, Period: 30 * time.Second, Needs: EnableConcurrency,
		}, value: 30},
		{knob: controller.Knob{
			// It keeps its entries while off, so only the first blocks of a
			// trial pay for filling it: no block needs a longer washout for that.
			Name: EnableCache, Kind: controller.Switch, Max: 1,
		}},
		{knob: controller.Knob{
			Name: CacheSize, Kind: controller.Int, Unit: "entries", Min: 1, Max: 1e8,
			Scale: controller.Log, MaxMove: 4, Needs: EnableCache,
		}, value: 1024},
		{knob: controller.Knob{
			Name: CacheTTL, Kind: controller.Duration, Unit: "s", Min: 1, Max: 30 * secondsPerDay,
			Scale: controller.Log, MaxMove: 4, Period: time.Hour, Needs: EnableCache,
		}, value: 3600},
		{knob: controller.Knob{
			Name: EnableStep, Kind: controller.Switch, Max: 1,
		}},
	}
}

// Knobs returns every knob of the catalog, in the guide's order. Durations are
// in seconds. The copies are the caller's.
func Knobs() []controller.Knob {
	all := fields()
	knobs := make([]controller.Knob, len(all))
	for i, f := range all {
		knobs[i] = f.knob
	}
	return knobs
}

// Default returns the value that a field has when nobody set it, in the knob's
// unit (seconds for a duration, 0 for a switch), and whether there is such a
// field.
func Default(name string) (float64, bool) {
	for _, f := range fields() {
		if f.knob.Name == name {
			return f.value, true
		}
	}
	return 0, false
}
