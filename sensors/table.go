package sensors

import "autotune/controller"

// Fact is a row of the table of what sensors measure.
type Fact struct {
	Metric controller.Metric
	Unit   string
	// Kind is "total", which adds up over time, or "gauge", which stands for a moment.
	Kind string
	// From says where it is read, and When how often. Cost is of one reading, about,
	// of all facts that have the same From together.
	From, When, Cost string
	// Where it can be had: "Linux", "Unix", "everywhere".
	Where string
}

const (
	eachSample = "each sample"
	hostEvery  = "each HostEvery"
)

// Table is everything that a sample can have of the process, its container and its
// host, besides latencies, whose histogram is the recorder's.
func Table() []Fact {
	recorder := func(m controller.Metric, unit, kind string) Fact {
		return Fact{m, unit, kind, "Recorder", eachSample, "10 µs", "everywhere"}
	}
	runtime := func(m controller.Metric, unit, kind string) Fact {
		return Fact{m, unit, kind, "runtime/metrics", eachSample, "0.5 µs", "everywhere"}
	}
	host := func(m controller.Metric, unit, from, cost string) Fact {
		return Fact{m, unit, "gauge", from, hostEvery, cost, "Linux"}
	}
	return []Fact{
		recorder(controller.Requests, "requests", "total"),
		recorder(controller.Completions, "requests", "total"),
		recorder(controller.Errors, "requests", "total"),
		recorder(controller.InFlight, "requests", "gauge"),
		recorder(controller.OldestInFlight, "s", "gauge"),
		{controller.CPUSeconds, "s", "total", "getrusage", eachSample, "1 µs", "everywhere"},
		{ChildCPUSeconds, "s", "total", "getrusage of children", eachSample, "1 µs", "Unix"},
		{controller.RSSBytes, "bytes", "gauge", "/proc/self/statm, kept open", eachSample, "2 µs", "everywhere"},
		runtime(controller.AllocBytes, "bytes", "total"),
		runtime(GCCycles, "collections", "total"),
		runtime(GCCPUSeconds, "s", "total"),
		runtime(controller.GCCPURatio, "ratio", "gauge"),
		runtime(Goroutines, "goroutines", "gauge"),
		runtime(HeapLiveBytes, "bytes", "gauge"),
		{SchedulingP99, "s", "gauge", "runtime/metrics, histograms", hostEvery, "5 µs", "everywhere"},
		{GCPauseP99, "s", "gauge", "runtime/metrics, histograms", hostEvery, "5 µs", "everywhere"},
		{MemoryLimitBytes, "bytes", "gauge", "control group, GOMEMLIMIT, host", hostEvery, "50 µs", "everywhere"},
		{controller.MemoryRatio, "ratio", "gauge", "resident memory over that limit", eachSample, "none", "everywhere"},
		{HostCPURatio, "ratio", "gauge", "gopsutil, host", hostEvery, "50 µs", "everywhere"},
		{HostStealRatio, "ratio", "gauge", "gopsutil, host", hostEvery, "50 µs", "Linux"},
		{HostMemoryRatio, "ratio", "gauge", "gopsutil, host", hostEvery, "50 µs", "everywhere"},
		host(ThrottledRatio, "ratio", "control group", "30 µs"),
		host(ContainerMemoryBytes, "bytes", "control group", "30 µs"),
		host(ContainerCPULimit, "processors", "control group", "30 µs"),
		host(OpenFiles, "files", "/proc/self/fd", "10 µs and 0.2 µs a file"),
		host(OpenFilesRatio, "ratio", "/proc/self/fd", "10 µs and 0.2 µs a file"),
		host(DiskReadRate, "bytes/s", "/proc/self/io", "10 µs"),
		host(DiskWriteRate, "bytes/s", "/proc/self/io", "10 µs"),
		host(NetworkInRate, "bytes/s", "/proc/self/net/dev", "20 µs"),
		host(NetworkOutRate, "bytes/s", "/proc/self/net/dev", "20 µs"),
	}
}
