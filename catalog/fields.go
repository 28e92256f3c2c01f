package catalog

import (
	"time"

	"autotune/controller"
)

// Names of the fields, which are the names of the knobs and the keys of a
// configuration file.
const (
	EnableObjectPool           = "enable_object_pool"
	ObjectPoolMaxSize          = "object_pool_max_size"
	ObjectPoolCleanupThreshold = "object_pool_cleanup_threshold"

	EnableContext    = "enable_context_optimization"
	ContextCacheSize = "context_cache_size"
	ContextCacheTTL  = "context_cache_ttl"

	EnableMemory          = "enable_memory_optimization"
	MemoryCleanupInterval = "memory_cleanup_interval"
	MemoryThreshold       = "memory_threshold"

	EnableConcurrency       = "enable_concurrency_optimization"
	MaxConcurrentExecutions = "max_concurrent_executions"
	ConcurrencyTimeout      = "concurrency_timeout"

	EnableTelemetry       = "enable_optimized_telemetry"
	TelemetrySamplingRate = "telemetry_sampling_rate"
	TelemetryBatchSize    = "telemetry_batch_size"

	EnableMonitoring              = "enable_performance_monitoring"
	PerformanceMonitoringInterval = "performance_monitoring_interval"
	PerformanceAlertThreshold     = "performance_alert_threshold"

	EnableErrorHandling = "enable_optimized_error_handling"
	ErrorCacheSize      = "error_cache_size"

	EnableCircuitBreaker           = "enable_circuit_breaker"
	CircuitBreakerFailureThreshold = "circuit_breaker_failure_threshold"
	CircuitBreakerRecoveryTimeout  = "circuit_breaker_recovery_timeout"

	EnableCache = "enable_cache_optimization"
	CacheSize   = "cache_size"
	CacheTTL    = "cache_ttl"

	EnableStep      = "enable_step_optimization"
	EnableAlgorithm = "enable_algorithm_optimization"
	EnableAutomatic = "enable_automatic_optimization"
)

// Field is one field of the configuration: what can be set, and what it is when
// nobody sets it.
type Field struct {
	controller.Knob
	// Default in the knob's unit: seconds for a duration, 0 or 1 for a switch.
	Default float64
	// DefaultRule says how the default follows from the machine; empty for one
	// that is the same everywhere.
	DefaultRule string
	// Does says in one sentence what the field makes happen.
	Does string
	// Limit says on which side of the owner's own value nothing may be traded away.
	Limit Limit
}

// Limit is a side of the owner's value that an autopilot stays on, because the
// other side is less of what the owner asked for.
type Limit int

// NoLimit is for a field that trades nothing away. AtLeast makes the owner's
// value a floor (a sampling rate), AtMost makes it a ceiling (an interval
// between looks).
const (
	NoLimit Limit = iota
	AtLeast
	AtMost
)

const (
	day    = 24 * 60 * 60 // in seconds
	minute = 60.0         // in seconds
	hour   = 60 * minute
)

// Fields returns every field, in the guide's order: each switch, followed by
// its numbers. The copies are the caller's.
func Fields() []Field {
	var all []Field
	for _, h := range hypotheses() {
		all = append(all, h.fields...)
	}
	return all
}

// FieldOf returns the field of that name, and whether there is one.
func FieldOf(name string) (Field, bool) {
	for _, f := range Fields() {
		if f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}

// Knobs returns what an autopilot may move: every field but the switch that
// lets it. Durations are in seconds. The copies are the caller's.
func Knobs() []controller.Knob {
	var knobs []controller.Knob
	for _, f := range Fields() {
		if f.Name != EnableAutomatic {
			knobs = append(knobs, f.Knob)
		}
	}
	return knobs
}

// Default returns the value that a field has when nobody set it, in the knob's
// unit (seconds for a duration, 0 for a switch), and whether there is such a
// field.
func Default(name string) (float64, bool) {
	f, ok := FieldOf(name)
	return f.Default, ok
}

// The shapes that fields have.

func switchField(name, does string) Field {
	return Field{Knob: controller.Knob{Name: name, Kind: controller.Switch, Max: 1}, Does: does}
}

// countField is 1 or more, and moved by ratios, by a factor of 4 at most in one trial.
func countField(name, unit string, value, high float64, does string) Field {
	return Field{
		Knob:    controller.Knob{Name: name, Kind: controller.Int, Unit: unit, Min: 1, Max: high, Scale: controller.Log, MaxMove: 4},
		Default: value, Does: does,
	}
}

// ratioField is moved by differences.
func ratioField(name string, value, high, move float64, does string) Field {
	return Field{
		Knob:    controller.Knob{Name: name, Kind: controller.Float, Unit: "ratio", Max: high, Scale: controller.Linear, MaxMove: move},
		Default: value, Does: does,
	}
}

// secondsField acts about as often as its default says, which is more rarely
// than a block of a trial lasts: its Period says so, and no trial moves it.
func secondsField(name string, value, low, high float64, does string) Field {
	return Field{
		Knob: controller.Knob{
			Name: name, Kind: controller.Duration, Unit: "s", Min: low, Max: high, Scale: controller.Log, MaxMove: 4,
			Period: time.Duration(value) * time.Second,
		},
		Default: value, Does: does,
	}
}
