package executor

import (
	"math"
	"slices"
	"sync"
	"time"

	"autotune/catalog"
)

// access is how a field of Config is read and written. Values are in the knob's
// unit: seconds for a duration, 0 or 1 for a switch.
type access struct {
	get func(*Config) float64
	set func(*Config, float64)
}

// accesses has every field of Config under its name in the catalog.
func accesses() map[string]access {
	return map[string]access{
		catalog.EnableObjectPool:           boolean(func(c *Config) *bool { return &c.EnableObjectPool }),
		catalog.ObjectPoolMaxSize:          whole(func(c *Config) *int { return &c.ObjectPoolMaxSize }),
		catalog.ObjectPoolCleanupThreshold: number(func(c *Config) *float64 { return &c.ObjectPoolCleanupThreshold }),

		catalog.EnableContext:    boolean(func(c *Config) *bool { return &c.EnableContextOptimization }),
		catalog.ContextCacheSize: whole(func(c *Config) *int { return &c.ContextCacheSize }),
		catalog.ContextCacheTTL:  duration(func(c *Config) *time.Duration { return &c.ContextCacheTTL }),

		catalog.EnableMemory:          boolean(func(c *Config) *bool { return &c.EnableMemoryOptimization }),
		catalog.MemoryCleanupInterval: duration(func(c *Config) *time.Duration { return &c.MemoryCleanupInterval }),
		catalog.MemoryThreshold:       number(func(c *Config) *float64 { return &c.MemoryThreshold }),

		catalog.EnableConcurrency:       boolean(func(c *Config) *bool { return &c.EnableConcurrencyOptimization }),
		catalog.MaxConcurrentExecutions: whole(func(c *Config) *int { return &c.MaxConcurrentExecutions }),
		catalog.ConcurrencyTimeout:      duration(func(c *Config) *time.Duration { return &c.ConcurrencyTimeout }),

		catalog.EnableTelemetry:       boolean(func(c *Config) *bool { return &c.EnableOptimizedTelemetry }),
		catalog.TelemetrySamplingRate: number(func(c *Config) *float64 { return &c.TelemetrySamplingRate }),
		catalog.TelemetryBatchSize:    whole(func(c *Config) *int { return &c.TelemetryBatchSize }),

		catalog.EnableMonitoring:              boolean(func(c *Config) *bool { return &c.EnablePerformanceMonitoring }),
		catalog.PerformanceMonitoringInterval: duration(func(c *Config) *time.Duration { return &c.PerformanceMonitoringInterval }),
		catalog.PerformanceAlertThreshold:     number(func(c *Config) *float64 { return &c.PerformanceAlertThreshold }),

		catalog.EnableErrorHandling: boolean(func(c *Config) *bool { return &c.EnableOptimizedErrorHandling }),
		catalog.ErrorCacheSize:      whole(func(c *Config) *int { return &c.ErrorCacheSize }),

		catalog.EnableCircuitBreaker:           boolean(func(c *Config) *bool { return &c.EnableCircuitBreaker }),
		catalog.CircuitBreakerFailureThreshold: whole(func(c *Config) *int { return &c.CircuitBreakerFailureThreshold }),
		catalog.CircuitBreakerRecoveryTimeout:  duration(func(c *Config) *time.Duration { return &c.CircuitBreakerRecoveryTimeout }),

		catalog.EnableCache: boolean(func(c *Config) *bool { return &c.EnableCacheOptimization }),
		catalog.CacheSize:   whole(func(c *Config) *int { return &c.CacheSize }),
		catalog.CacheTTL:    duration(func(c *Config) *time.Duration { return &c.CacheTTL }),

		catalog.EnableStep:      boolean(func(c *Config) *bool { return &c.EnableStepOptimization }),
		catalog.EnableAlgorithm: boolean(func(c *Config) *bool { return &c.EnableAlgorithmOptimization }),
		catalog.EnableAutomatic: boolean(func(c *Config) *bool { return &c.EnableAutomaticOptimization }),
	}
}

func boolean(at func(*Config) *bool) access {
	return access{
		get: func(c *Config) float64 {
			if *at(c) {
				return 1
			}
			return 0
		},
		set: func(c *Config, v float64) { *at(c) = v != 0 },
	}
}

func whole(at func(*Config) *int) access {
	return access{
		get: func(c *Config) float64 { return float64(*at(c)) },
		set: func(c *Config, v float64) { *at(c) = int(v) },
	}
}

func number(at func(*Config) *float64) access {
	return access{
		get: func(c *Config) float64 { return *at(c) },
		set: func(c *Config, v float64) { *at(c) = v },
	}
}

func duration(at func(*Config) *time.Duration) access {
	return access{
		get: func(c *Config) float64 { return at(c).Seconds() },
		set: func(c *Config, v float64) { *at(c) = seconds(v) },
	}
}

// seconds converts without losing a nanosecond to binary fractions.
func seconds(v float64) time.Duration { return time.Duration(math.Round(v * float64(time.Second))) }

// configField is a field of the catalog that can be read and written.
type configField struct {
	catalog.Field
	access
}

// configFields returns every field, in the catalog's order. A test holds the
// catalog, Config and accesses against each other.
func configFields() []configField {
	how := accesses()
	all := catalog.Fields()
	fields := make([]configField, len(all))
	for i, f := range all {
		fields[i] = configField{f, how[f.Name]}
	}
	return fields
}

// ranges are configFields made once, for Apply is called often. Their Default is
// not to be used: it follows the cores, which the runtime may find changed.
var ranges = sync.OnceValue(configFields)

// movableFields are those that an autopilot may move.
func movableFields() []configField {
	return slices.DeleteFunc(configFields(), func(f configField) bool { return f.Name == catalog.EnableAutomatic })
}

// Validate reports every fault at once, each a *Fault, or nil. It changes
// nothing. A zero number that stands for its default is no fault.
func (c Config) Validate() error {
	var faults []*Fault
	for _, f := range ranges() {
		if v := f.get(&c); v != 0 || c.complete {
			if fault := f.check(v); fault != nil {
				faults = append(faults, fault)
			}
		}
	}
	return asError(faults)
}

// withDefaults returns the configuration that is in force when c is applied.
func (c Config) withDefaults() Config {
	if c.complete {
		return c
	}
	for _, f := range configFields() {
		if f.get(&c) == 0 {
			f.set(&c, f.Default)
		}
	}
	c.complete = true
	return c
}
