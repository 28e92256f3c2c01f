package catalog

// Values are values of fields by name, in the unit of the knob.
type Values = map[string]float64

// Preset is a named configuration of the guide: what it changes against the
// defaults. An owner who chooses one grants what it turns on.
type Preset struct {
	Name string
	// For says what it is for.
	For string
	// Overlay: it turns nothing on, and is applied on top of another.
	Overlay bool
	// Values by field, in the knob's unit.
	Values Values
}

// Presets returns the guide's workloads, then its overlays for systems with
// little and with much memory, then its templates for environments. The copies
// are the caller's.
func Presets() []Preset {
	cores := float64(Cores())
	return []Preset{
		{Name: "baseline", For: "most services: nothing is on", Values: Values{}},
		{Name: "low-latency", For: "strict latency: nothing is on, nothing costs anything", Values: Values{}},
		{Name: "high-allocation", For: "many short-lived objects, memory pressure", Values: Values{
			EnableObjectPool: 1, ObjectPoolMaxSize: 1000, ObjectPoolCleanupThreshold: 0.8,
			EnableMemory: 1, MemoryCleanupInterval: 60, MemoryThreshold: 0.7,
		}},
		{Name: "large-context", For: "large run state that is copied often", Values: Values{
			EnableContext: 1, ContextCacheSize: 2048, ContextCacheTTL: 3600,
			EnableMemory: 1, MemoryCleanupInterval: 120, MemoryThreshold: 0.75,
		}},
		{Name: "cpu-intensive", For: "computation that saturates the cores", Values: Values{
			EnableConcurrency: 1, MaxConcurrentExecutions: 4 * cores, ConcurrencyTimeout: 60,
			EnableTelemetry: 1, TelemetrySamplingRate: 0.1, TelemetryBatchSize: 1000,
		}},
		{Name: "high-frequency", For: "many repeated operations", Values: Values{
			EnableCache: 1, CacheSize: 4096, CacheTTL: 7200,
			EnableTelemetry: 1, TelemetrySamplingRate: 0.01, TelemetryBatchSize: 2000,
		}},
		{Name: "memory-constrained", For: "systems with little memory", Overlay: true, Values: Values{
			ObjectPoolCleanupThreshold: 0.9, MemoryCleanupInterval: 30, MemoryThreshold: 0.6,
			ContextCacheSize: 256, ContextCacheTTL: 600, CacheSize: 512, CacheTTL: 1200,
			TelemetrySamplingRate: 0.01, TelemetryBatchSize: 50,
		}},
		{Name: "high-memory", For: "systems with memory to spare", Overlay: true, Values: Values{
			ObjectPoolMaxSize: 5000, ObjectPoolCleanupThreshold: 0.5, MemoryCleanupInterval: 600, MemoryThreshold: 0.9,
			ContextCacheSize: 8192, ContextCacheTTL: 7200, CacheSize: 16384, CacheTTL: 14400,
		}},
		{Name: "development", For: "debugging: every execution is seen at once", Values: instrumented(1, 1)},
		{Name: "staging", For: "as in production, with more to see", Values: instrumented(0.1, 100)},
		{Name: "production", For: "what a fleet can afford to record", Values: instrumented(0.01, 1000)},
	}
}

func instrumented(rate, batch float64) Values {
	return Values{EnableMonitoring: 1, EnableTelemetry: 1, TelemetrySamplingRate: rate, TelemetryBatchSize: batch}
}
