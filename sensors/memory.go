package sensors

import (
	"math"

	"autotune/controller"
)

// memoryRatio puts the memory limit that applies, and resident memory's share
// of it, in the reading: the container's limit if it has one, else the limit
// that the Go runtime was given, else the host's memory. 0 stands for none. The
// kernel kills at the first, the collector works harder toward the second: of
// two, the one that kills matters.
func memoryRatio(r *reading, cgroup, runtime, host uint64) {
	limit := uint64(0)
	for _, l := range []uint64{host, runtime, cgroup} {
		if l > 0 {
			limit = l
		}
	}
	if limit == 0 {
		r.missing("no memory limit is known", MemoryLimitBytes, controller.MemoryRatio)
		return
	}
	r.gauge(MemoryLimitBytes, float64(limit))
	rss, ok := r.gauges[controller.RSSBytes]
	if !ok {
		r.missing("resident memory is not known", controller.MemoryRatio)
		return
	}
	r.gauge(controller.MemoryRatio, math.Min(rss/float64(limit), 1))
}
