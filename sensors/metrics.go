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
	// ChildCPUSeconds that children of the process used which have ended and were
	// waited for.
	ChildCPUSeconds controller.Metric = "children_cpu_seconds"
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
	// ContainerMemoryBytes that the container uses, page cache included.
	ContainerMemoryBytes controller.Metric = "cgroup_memory_bytes"
	// ContainerCPULimit is the container's quota, in processors.
	ContainerCPULimit controller.Metric = "cgroup_cpu_limit_processors"
	// SchedulingP99 is how long a goroutine that could run waited for a processor,
	// the p99 since the reading before.
	SchedulingP99 controller.Metric = "scheduling_p99_seconds"
	// GCPauseP99 is how long the collector stopped the world, the p99 of its pauses
	// since the reading before.
	GCPauseP99 controller.Metric = "gc_pause_p99_seconds"
	// OpenFiles are the process's file descriptors, and OpenFilesRatio the share of
	// its limit that they are.
	OpenFiles      controller.Metric = "open_files"
	OpenFilesRatio controller.Metric = "open_files_ratio"
	// Disk traffic of the process, as far as it reached a device, in bytes a second.
	DiskReadRate  controller.Metric = "disk_read_bytes_per_second"
	DiskWriteRate controller.Metric = "disk_write_bytes_per_second"
	// Network traffic of the process's network namespace, which is the container's,
	// loopback not counted, in bytes a second.
	NetworkInRate  controller.Metric = "network_receive_bytes_per_second"
	NetworkOutRate controller.Metric = "network_send_bytes_per_second"
)
