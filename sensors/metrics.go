package sensors

import "autotune/controller"

// What sensors measure besides the metrics that controller names. As there,
// the unit is in the name and a ratio is 0..1.

// Totals.
const (
	// GCCPUSeconds that garbage collection took, by the runtime's own estimate,
	// which moves at the end of a collection only.
	GCCPUSeconds controller.Metric = "gc_cpu_seconds"
	// GCCycles is the number of collections that ended.
	GCCycles controller.Metric = "gc_cycles"
)

// Gauges.
const (
	// Goroutines that exist.
	Goroutines controller.Metric = "goroutines"
	// HeapLiveBytes that the last collection found alive.
	HeapLiveBytes controller.Metric = "heap_live_bytes"
	// MemoryLimitBytes is the limit that MemoryRatio is against.
	MemoryLimitBytes controller.Metric = "memory_limit_bytes"
	// HostCPURatio is the share of all processors' time in which they were not
	// idle. Time stolen by other machines counts as busy: it was not to be had.
	HostCPURatio controller.Metric = "host_cpu_ratio"
	// HostStealRatio is the share of that time that other machines took.
	HostStealRatio controller.Metric = "host_steal_ratio"
	// HostMemoryRatio is the share of the host's memory that is in use.
	HostMemoryRatio controller.Metric = "host_memory_ratio"
	// ThrottledRatio is the share of the container's CPU periods in which it ran
	// out of its quota and had to wait.
	ThrottledRatio controller.Metric = "cgroup_throttled_ratio"
)
