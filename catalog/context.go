package catalog

import "autotune/controller"

func contextCopies() hypothesis {
	return hypothesis{
		fields: []Field{
			switchField(EnableContext, "Run state is shared copy-on-write between steps instead of copied deeply for each."),
			countField(ContextCacheSize, "snapshots", 1024, 1e6, "How many derived snapshots of run state are kept."),
			secondsField(ContextCacheTTL, 1800, 1, 7*day, "How long a derived snapshot is kept at most."),
		},
		optimization: controller.Optimization{
			Why:         "State that a step only reads is not copied for it, which saves time and memory in proportion to its size.",
			Needs:       judged(),
			Start:       map[string]float64{ContextCacheSize: 2048},
			Equivalence: controller.Exact,
			WhileOff:    "Snapshots are released; runs that share state already end with it.",
		},
	}
}
