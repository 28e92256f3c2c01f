package executor

import "time"

// Config is what an executor runs with. The zero value is the baseline: every
// optimization off. Names of fields in errors, files and settings are those of
// the guide ("cache_size"); package catalog has them as data.
//
// In a Config that is written down as a literal, a number that is zero has its
// default. A Config that comes from this package (Defaults, Preset, Load, an
// Executor's Config or Update) has all its numbers, and a zero in it is a zero:
//
//	cfg := executor.Defaults()
//	cfg.TelemetrySamplingRate = 0 // no spans at all
//
// Configs may be compared with ==.
type Config struct {
	// EnableObjectPool lets a Pool hand out its objects again.
	EnableObjectPool bool
	// ObjectPoolMaxSize is how many idle objects of a type are held: 1 to 1e6,
	// 500 by default.
	ObjectPoolMaxSize int
	// ObjectPoolCleanupThreshold is the share of its objects in use below which a
	// pool gives its idle ones back at a cleanup: 0 to 1, 0.75 by default.
	ObjectPoolCleanupThreshold float64

	// EnableContextOptimization shares run state copy-on-write.
	EnableContextOptimization bool
	// ContextCacheSize is how many derived snapshots of run state are kept: 1 to
	// 1e6, 1024 by default.
	ContextCacheSize int
	// ContextCacheTTL is how long one is kept: 1 s to 7 days, 30 min by default.
	ContextCacheTTL time.Duration

	// EnableMemoryOptimization trims and returns memory above a threshold.
	EnableMemoryOptimization bool
	// MemoryCleanupInterval is how often memory is looked at: 1 s to 1 day, 5 min
	// by default.
	MemoryCleanupInterval time.Duration
	// MemoryThreshold is the share of the memory limit above which a cleanup
	// trims: 0 to 1, 0.8 by default.
	MemoryThreshold float64

	// EnableConcurrencyOptimization bounds how many executions run at once.
	EnableConcurrencyOptimization bool
	// MaxConcurrentExecutions is that bound, on leaf calls: 1 to 1e5, twice the
	// cores by default.
	MaxConcurrentExecutions int
	// ConcurrencyTimeout is how long an execution waits before it is rejected
	// with ErrConcurrencyTimeout: 1 ms to 1 h, 30 s by default.
	ConcurrencyTimeout time.Duration

	// EnableOptimizedTelemetry samples spans and exports them in batches.
	EnableOptimizedTelemetry bool
	// TelemetrySamplingRate is the share of executions with a span: 0 to 1, 0.5
	// by default.
	TelemetrySamplingRate float64
	// TelemetryBatchSize is how many spans are exported at once: 1 to 1e5, 400 by
	// default.
	TelemetryBatchSize int

	// EnablePerformanceMonitoring compares intervals with a reference.
	EnablePerformanceMonitoring bool
	// PerformanceMonitoringInterval is how long those are: 1 s to 1 day, 5 min by
	// default.
	PerformanceMonitoringInterval time.Duration
	// PerformanceAlertThreshold is how much worse than the reference an interval
	// is for an alert: 0 to 10, 0.2 by default, which is 20 %.
	PerformanceAlertThreshold float64

	// EnableOptimizedErrorHandling tries again only what can succeed, within a budget.
	EnableOptimizedErrorHandling bool
	// ErrorCacheSize is how many classifications of errors are kept: 1 to 1e6,
	// 1024 by default.
	ErrorCacheSize int

	// EnableCircuitBreaker rejects executions of a step that keeps failing.
	EnableCircuitBreaker bool
	// CircuitBreakerFailureThreshold is how many failures in a row open a step's
	// circuit: 1 to 1e5, 10 by default.
	CircuitBreakerFailureThreshold int
	// CircuitBreakerRecoveryTimeout is how long it stays open: 100 ms to 1 h, 1
	// min by default.
	CircuitBreakerRecoveryTimeout time.Duration

	// EnableCacheOptimization keeps results of steps that are Pure or FreshFor.
	EnableCacheOptimization bool
	// CacheSize is how many results are kept over all steps: 1 to 1e8, 1024 by default.
	CacheSize int
	// CacheTTL is how long a result is kept at most, from the start of the
	// execution that computed it: 1 s to 30 days, 1 h by default. FreshFor
	// shortens it for a step.
	CacheTTL time.Duration

	// EnableStepOptimization runs identical executions that are in flight at
	// once as one, for steps that are Pure or FreshFor.
	EnableStepOptimization bool

	// EnableAlgorithmOptimization identifies inputs by fast typed hashing.
	EnableAlgorithmOptimization bool

	// EnableAutomaticOptimization lets the autopilot change this configuration.
	// It needs one: New rejects it without WithAutopilot.
	EnableAutomaticOptimization bool

	complete bool // zeros are zeros
}

// Defaults returns the baseline with every number at its default.
func Defaults() Config { return Config{}.withDefaults() }
