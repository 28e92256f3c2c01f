package plant

import (
	"time"

	"autotune/catalog"
	"autotune/controller"
)

// GCPercent is the knob of the garbage collector's target: how much the heap may
// grow between collections, in percent of what is live (GOGC).
const GCPercent = "gc_percent"

const defaultGCPercent = 100

func known(knob string) bool {
	if knob == GCPercent {
		return true
	}
	_, ok := catalog.FieldOf(knob)
	return ok
}

// levers are a setting, unpacked for the hot path.
type levers struct {
	pool          bool
	poolSize      int
	poolThreshold float64
	context       bool
	memory        bool
	memoryEvery   time.Duration
	memoryAbove   float64
	limited       bool
	permits       int
	patience      time.Duration
	telemetry     bool
	sampling      float64
	batch         int
	monitoring    bool
	errors        bool
	breaker       bool
	breakAfter    int
	recovery      time.Duration
	cache         bool
	cacheSize     int
	cacheTTL      time.Duration
	share         bool
	hash          bool
	gcPercent     float64
}

func leversOf(s controller.Setting, cores int) levers {
	value := func(name string) float64 {
		if v, ok := s.Get(name); ok {
			return v
		}
		v, _ := catalog.Default(name)
		return v
	}
	span := func(name string) time.Duration { return time.Duration(value(name) * 1e9) }
	l := levers{
		pool: s.On(catalog.EnableObjectPool), poolSize: int(value(catalog.ObjectPoolMaxSize)), poolThreshold: value(catalog.ObjectPoolCleanupThreshold),
		context: s.On(catalog.EnableContext),
		memory:  s.On(catalog.EnableMemory), memoryEvery: span(catalog.MemoryCleanupInterval), memoryAbove: value(catalog.MemoryThreshold),
		limited: s.On(catalog.EnableConcurrency), permits: 2 * cores, patience: span(catalog.ConcurrencyTimeout),
		telemetry: s.On(catalog.EnableTelemetry), sampling: 1, batch: 1,
		monitoring: s.On(catalog.EnableMonitoring),
		errors:     s.On(catalog.EnableErrorHandling),
		breaker:    s.On(catalog.EnableCircuitBreaker), breakAfter: int(value(catalog.CircuitBreakerFailureThreshold)), recovery: span(catalog.CircuitBreakerRecoveryTimeout),
		cache: s.On(catalog.EnableCache), cacheSize: int(value(catalog.CacheSize)), cacheTTL: span(catalog.CacheTTL),
		share: s.On(catalog.EnableStep), hash: s.On(catalog.EnableAlgorithm),
		gcPercent: defaultGCPercent,
	}
	if v, ok := s.Get(catalog.MaxConcurrentExecutions); ok { // its default depends on the machine, and a simulation must not
		l.permits = int(v)
	}
	if l.telemetry {
		l.sampling, l.batch = value(catalog.TelemetrySamplingRate), int(value(catalog.TelemetryBatchSize))
	}
	if v, ok := s.Get(GCPercent); ok {
		l.gcPercent = v
	}
	return l
}
