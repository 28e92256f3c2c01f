package catalog

import "autotune/controller"

func memory() hypothesis {
	// Returning memory puts work off: to the next cleanup, and to whoever faults
	// the pages in again.
	on := switchField(EnableMemory, "At each interval, if memory is above the threshold, what pools and caches hold is trimmed and memory is returned to the system.")
	on.Defers = true
	on.PeriodOf = MemoryCleanupInterval
	interval := secondsField(MemoryCleanupInterval, 300, 1, day, "How often memory is looked at.")
	interval.Defers = true
	threshold := ratioField(MemoryThreshold, 0.8, 1, 0.25,
		"The share of the memory limit (the container's, GOMEMLIMIT, else the machine's) above which a cleanup trims.")
	threshold.Period = interval.Period
	return hypothesis{
		fields: []Field{on, interval, threshold},
		optimization: controller.Optimization{
			Why:         "Memory given back in time keeps the service below its limit, where the garbage collector would run without end.",
			Needs:       judged(controller.RSSBytes),
			Equivalence: controller.Exact,
			WhileOff:    "Nothing is warm; memory is left to the Go runtime.",
		},
	}
}
