package catalog

import "autotune/controller"

// Optimizations returns every optimization of the catalog as a hypothesis to
// try. The copies are the caller's.
//
// What may be traded away belongs to the owner. The cache is Granted because its
// bound is given step by step: only a step whose owner declared FreshFor(d) may
// be served old, and by d at most. The limit on concurrency rejects work, which
// nobody has allowed until the owner sets Granted.
func Optimizations() []controller.Optimization {
	judge := func() []controller.Metric {
		return []controller.Metric{controller.LatencyP95, controller.CPUPerRequest}
	}
	limit, _ := Default(MaxConcurrentExecutions)
	return []controller.Optimization{
		{
			Name:        EnableCache,
			Why:         "Repeated inputs to pure steps are answered from memory, which saves the work and its latency.",
			Switch:      EnableCache,
			Knobs:       []string{CacheSize, CacheTTL},
			Needs:       judge(),
			Start:       map[string]float64{CacheSize: 4096},
			Equivalence: controller.Bounded,
			MayDiffer:   "A result of a step that declares FreshFor(d) may be up to the shorter of d and cache_ttl old. Pure steps are exact.",
			Granted:     true,
			WhileOff:    "Entries are kept, age as usual, and are invalidated as usual; none is read or added.",
		},
		{
			Name:        EnableStep,
			Why:         "Identical pure executions in flight at once run once, which takes the peak off bursts of equal requests.",
			Switch:      EnableStep,
			Needs:       judge(),
			Equivalence: controller.Exact,
			WhileOff:    "Nothing is warm; executions that already share one computation end with it.",
		},
		{
			Name:        EnableConcurrency,
			Why:         "Bounding how many executions run at once keeps them from slowing each other down beyond saturation.",
			Switch:      EnableConcurrency,
			Knobs:       []string{MaxConcurrentExecutions, ConcurrencyTimeout},
			Needs:       append(judge(), controller.ErrorRatio),
			Start:       map[string]float64{MaxConcurrentExecutions: limit},
			Equivalence: controller.Bounded,
			MayDiffer:   "An execution that has waited for concurrency_timeout is rejected with an error.",
			WhileOff:    "Nothing is warm; those who wait are let in at once.",
		},
	}
}
