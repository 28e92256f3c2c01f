package catalog

import "autotune/controller"

func cache() hypothesis {
	return hypothesis{
		fields: []Field{
			// It keeps its entries while off, so only the first blocks of a
			// trial pay for filling it: no block needs a longer washout for that.
			switchField(EnableCache, "Results of steps that declare Pure or FreshFor are kept and served again."),
			countField(CacheSize, "entries", 1024, 1e8, "How many results are kept, over all steps."),
			secondsField(CacheTTL, 3600, 1, 30*day, "How long a result is kept at most; a step's FreshFor shortens it."),
		},
		optimization: controller.Optimization{
			Why:         "Repeated inputs to pure steps are answered from memory, which saves the work and its latency.",
			Needs:       judged(),
			Start:       map[string]float64{CacheSize: 4096},
			Equivalence: controller.Bounded,
			MayDiffer:   "A result of a step that declares FreshFor(d) may be up to the shorter of d and cache_ttl old. Pure steps are exact.",
			Granted:     true,
			WhileOff:    "Entries are kept, age as usual, and are invalidated as usual; none is read or added.",
		},
	}
}
